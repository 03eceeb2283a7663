"""Every error that docqa raises on purpose.

::

    DocQAError
    ├── IngestError              a file can't be read
    ├── StorageError             the index can't be used as it was asked for
    │   ├── IndexMissingError    there is none
    │   ├── IndexMismatchError   it was made with other settings
    │   ├── IndexLockedError     another process is writing to it
    │   └── IndexDamagedError    it is not a whole database
    ├── ModelError               a model can't be found or loaded
    ├── QuestionError            a question that can't be asked
    └── DataError                a data set for evaluation that can't be read

The stages define their own (``ingest.errors``, ``index.errors``); this is where users find them
all. A wrong argument is a ``ValueError``, as everywhere in Python.
"""

from __future__ import annotations

from index.errors import (
    IndexDamagedError,
    IndexLockedError,
    IndexMismatchError,
    IndexMissingError,
    ModelError,
    StorageError,
)
from ingest.errors import DocQAError, IngestError

__all__ = [
    "DataError",
    "DocQAError",
    "IndexDamagedError",
    "IndexLockedError",
    "IndexMismatchError",
    "IndexMissingError",
    "IngestError",
    "ModelError",
    "QuestionError",
    "StorageError",
]


class QuestionError(DocQAError, ValueError):
    """A question that is empty, or longer than the reader can take."""


class DataError(DocQAError):
    """A data set for evaluation that is missing or not in SQuAD's format."""
