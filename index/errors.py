"""What can be wrong with an index or with the models that make it.

``docqa.errors`` draws the whole tree.
"""

from __future__ import annotations

from docqa.ingest.errors import DocQAError


class StorageError(DocQAError):
    """The index can't be used as it was asked for."""


class IndexMissingError(StorageError):
    """There is no index in the folder."""


class IndexMismatchError(StorageError):
    """The index was made with other settings than asked for."""


class IndexLockedError(StorageError):
    """Another process is writing to the index."""


class IndexUnreadableError(StorageError):
    """The index is in order, but this user may not read it as it stands."""


class DiskFullError(StorageError):
    """The disk that the index is on has no room left; what was written before is kept."""


class IndexDamagedError(StorageError):
    """The database can't be read, or misses what it must hold."""


class FilterError(DocQAError):
    """A filter that no document of the index lies within."""


class ClusterError(DocQAError):
    """Ray is not installed, or there is no such cluster."""


class ModelError(DocQAError):
    """A model can't be found or loaded."""
