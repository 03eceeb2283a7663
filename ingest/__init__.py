"""Files to documents to windows: the first stage.

``find_files`` says which files there are, ``LoaderPool`` reads them in processes that a hostile
file may kill, and ``split`` (in :mod:`ingest.windows`) cuts what was read. Importing this is cheap;
the libraries of a format load, in a worker, when a file of that format is read.
"""

from __future__ import annotations

from docqa.ingest.discover import Discovery, find_files
from docqa.ingest.document import Document, Failure, LoadLimits
from docqa.ingest.errors import DocQAError, IngestError
from docqa.ingest.workers.pool import LoaderPool

__all__ = [
    "Discovery",
    "DocQAError",
    "Document",
    "Failure",
    "IngestError",
    "LoadLimits",
    "LoaderPool",
    "find_files",
]
