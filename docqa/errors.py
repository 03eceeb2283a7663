"""Every error that docqa raises on purpose.

::

    DocQAError
    ├── IngestError              a file can't be read
    ├── StorageError             the index can't be used as it was asked for
    │   ├── IndexMissingError    there is none
    │   ├── IndexMismatchError   it was made with other settings
    │   ├── IndexLockedError     another process is writing to it
    │   ├── IndexUnreadableError this user may not read it as it stands
    │   ├── DiskFullError        the disk that it is on is full
    │   └── IndexDamagedError    it is not a whole database
    ├── FilterError              a filter that no document lies within
    ├── ClusterError             Ray is missing, or there is no such cluster
    ├── ModelError               a model can't be found or loaded
    ├── QuestionError            a question that can't be asked
    ├── DataError                a data set that can't be read
    └── TrainError               a training run that can't start or go on

The stages define their own (``ingest.errors``, ``index.errors``); this is where users find them
all. A wrong argument is a ``ValueError``, as everywhere in Python.
"""

from __future__ import annotations

from docqa.index.errors import (
    ClusterError,
    DiskFullError,
    FilterError,
    IndexDamagedError,
    IndexLockedError,
    IndexMismatchError,
    IndexMissingError,
    IndexUnreadableError,
    ModelError,
    StorageError,
)
from docqa.ingest.errors import DocQAError, IngestError

__all__ = [
    "ClusterError",
    "DataError",
    "DiskFullError",
    "DocQAError",
    "FilterError",
    "IndexDamagedError",
    "IndexLockedError",
    "IndexMismatchError",
    "IndexMissingError",
    "IndexUnreadableError",
    "IngestError",
    "ModelError",
    "QuestionError",
    "StorageError",
    "TrainError",
]


class QuestionError(DocQAError, ValueError):
    """A question that is empty, or longer than the reader can take."""


class DataError(DocQAError):
    """A data set that is missing or not in SQuAD's format."""


class TrainError(DocQAError):
    """A training run that can't start or go on, or readers that have no mean."""
