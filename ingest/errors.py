"""The base of every error of docqa, and what can be wrong with a file.

They live here since data flows one way and ``ingest`` is where it starts; ``docqa.errors`` draws
the whole tree.
"""

from __future__ import annotations


class DocQAError(Exception):
    """Anything that docqa raises on purpose; its message says what to do."""


class IngestError(DocQAError):
    """A file can't be read; the message says why, without the file's name."""
