"""One file to one document, in this process and without a time limit.

Only :mod:`docqa.ingest.workers.worker` should call this on files that nobody vouches for: see
:mod:`docqa.ingest.workers.pool`.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat

from docqa.ingest.document import Document, LoadLimits
from docqa.ingest.errors import IngestError, os_reason
from docqa.ingest.formats import Extracted, extract, format_of

_MB = 1024 * 1024
_UNFIT = re.compile("[\0\ud800-\udfff]")
_MOST_REASON_CHARS = 200


def load(path: str, limits: LoadLimits) -> Document:
    """Read one file.

    Args:
        path: of the file; made absolute.
        limits: its size and the text's are held to here, time and memory are not.

    Raises:
        IngestError: whatever was wrong. Its cause is a MemoryError where memory ran out.
    """
    path = os.path.abspath(path)
    format = format_of(path)
    try:
        data, status = _read(path, limits)
        extracted = _extract(format, data)
        sha256 = hashlib.sha256(data).hexdigest()
    except OSError as error:
        raise IngestError(os_reason(error)) from error
    except MemoryError as error:
        raise IngestError(
            f"needed more than {limits.memory_mb} MB of memory; raise with --memory-mb"
        ) from error
    if len(extracted.text) > limits.max_chars:
        raise IngestError(
            f"holds {len(extracted.text):,} characters, more than the limit of "
            f"{limits.max_chars:,}; split it"
        )
    return Document(
        path=path,
        format=format,
        text=extracted.text,
        page_starts=extracted.page_starts,
        sha256=sha256,
        size=status.st_size,
        mtime_ns=status.st_mtime_ns,
        title=extracted.title,
        outline=extracted.outline,
        gaps=extracted.gaps,
        lines=extracted.lines,
    )


def _read(path: str, limits: LoadLimits) -> tuple[bytes, os.stat_result]:
    """The whole file as it was at one moment."""
    # Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            is_folder = stat.S_ISDIR(before.st_mode)
            raise IngestError("a folder, not a file" if is_folder else "not a regular file")
        if before.st_size > limits.max_file_mb * _MB:
            raise IngestError(
                f"is {-(-before.st_size // _MB):,} MB, more than the limit of "
                f"{limits.max_file_mb:,} MB; raise with --max-file-mb"
            )
        # One byte more than there should be shows that it has grown.
        data = file.read(before.st_size + 1)
        after = os.fstat(descriptor)
    if len(data) != after.st_size or before.st_mtime_ns != after.st_mtime_ns:
        raise IngestError("changed while being read; index it again")
    return data, after


def _extract(format: str, data: bytes) -> Extracted:
    if not data:
        raise IngestError("holds no text: the file is empty")
    try:
        extracted = extract(format, data)
    except (IngestError, MemoryError):
        raise
    except RecursionError as error:
        raise IngestError("nested too deeply to be read") from error
    except Exception as error:  # Parsers raise anything on damaged files; each is a reason.
        kind = "text" if format in ("markdown", "rst") else format.upper()
        raise IngestError(f"not readable as {kind}: {_one_line(error)}") from error
    return extracted._replace(text=_UNFIT.sub("\ufffd", extracted.text))


def _one_line(error: Exception) -> str:
    words = " ".join(str(error).split())
    reason = f"{type(error).__name__}: {words}" if words else type(error).__name__
    printable = "".join(char if char.isprintable() else "\ufffd" for char in reason)
    return printable[:_MOST_REASON_CHARS]
