"""docqa: questions to long documents, answered in the documents' own words.

    >>> from docqa import DocQA
    >>> qa = DocQA(".docqa")
    >>> report = qa.index(["docs"])
    >>> answers = qa.ask("Who may sign?")

Importing this module is cheap: torch and the models load when they are first needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from docqa.answer import Answer
from docqa.errors import (
    ClusterError,
    DataError,
    DiskFullError,
    DocQAError,
    FilterError,
    IndexDamagedError,
    IndexLockedError,
    IndexMismatchError,
    IndexMissingError,
    IndexUnreadableError,
    IngestError,
    ModelError,
    QuestionError,
    StorageError,
    TrainError,
)
from docqa.settings import AnswerSettings

if TYPE_CHECKING:
    from docqa.evaluate.tune import tune
    from docqa.explain.explanation import Explanation
    from docqa.index.build import BuildOptions, IndexReport
    from docqa.index.hit import Hit
    from docqa.ingest.document import LoadLimits
    from docqa.ingest.windows import WindowSettings
    from docqa.qa import DocQA
    from docqa.reader import Reader
    from docqa.training.average import average
    from docqa.training.settings import TrainSettings
    from docqa.training.train import train

__version__ = "0.1.0"

__all__ = [
    "Answer",
    "AnswerSettings",
    "BuildOptions",
    "ClusterError",
    "DataError",
    "DiskFullError",
    "DocQA",
    "DocQAError",
    "Explanation",
    "FilterError",
    "Hit",
    "IndexDamagedError",
    "IndexLockedError",
    "IndexMismatchError",
    "IndexMissingError",
    "IndexReport",
    "IndexUnreadableError",
    "IngestError",
    "LoadLimits",
    "ModelError",
    "QuestionError",
    "Reader",
    "StorageError",
    "TrainError",
    "TrainSettings",
    "WindowSettings",
    "average",
    "train",
    "tune",
]

# Public names whose modules load more than the standard library, each with its home.
_LATER = {
    "BuildOptions": "docqa.index.build",
    "DocQA": "docqa.qa",
    "Explanation": "docqa.explain.explanation",
    "Hit": "docqa.index.hit",
    "IndexReport": "docqa.index.build",
    "LoadLimits": "docqa.ingest.document",
    "Reader": "docqa.reader",
    "TrainSettings": "docqa.training.settings",
    "average": "docqa.training.average",
    "train": "docqa.training.train",
    "tune": "docqa.evaluate.tune",
    "WindowSettings": "docqa.ingest.windows",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'docqa' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_LATER[name]), name)
