"""One file to one document. Runs in a worker process (``ingest.pool``): files are untrusted."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path, PurePath

from ingest.discover import FORMATS, reason
from ingest.document import Document, LoadLimits
from ingest.errors import IngestError

_MB = 1 << 20
# Neither can be kept in the database, nor printed.
_UNFIT = re.compile("[\0\ud800-\udfff]")


def load(path: str, limits: LoadLimits) -> Document:
    """Read a file.

    Args:
        path: absolute.
        limits: of the file's and of its text's size; time and memory are the pool's to watch.

    Raises:
        IngestError: it can't be read, in words that say why.
    """
    try:
        before = Path(path).stat()
        if before.st_size > limits.max_file_mb * _MB:
            raise IngestError(
                f"{before.st_size / _MB:,.0f} MB, above the limit of {limits.max_file_mb} MB; "
                "raise it with --max-file-mb"
            )
        with Path(path).open("rb") as stream:
            raw = stream.read(limits.max_file_mb * _MB + 1)
        after = Path(path).stat()
    except OSError as error:
        raise IngestError(reason(error)) from error
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or len(
        raw
    ) != after.st_size:
        raise IngestError("it changed while it was read; index it again when it rests")
    format_ = FORMATS.get(PurePath(path).suffix.lower(), "text")
    text, page_starts = _extract(raw, format_)
    if len(text) > limits.max_chars:
        raise IngestError(
            f"its text has {len(text):,} characters, above the limit of {limits.max_chars:,}; "
            "split it"
        )
    if not text.strip():
        raise IngestError("holds no text")
    return Document(
        path=path,
        format=format_,
        text=text,
        page_starts=page_starts,
        sha256=hashlib.sha256(raw).hexdigest(),
        size=after.st_size,
        mtime_ns=after.st_mtime_ns,
    )


def _extract(raw: bytes, format_: str) -> tuple[str, tuple[int, ...]]:
    if format_ == "pdf":
        from ingest.pdf import pdf_text

        text, page_starts = pdf_text(raw)
        return _UNFIT.sub("\ufffd", text), page_starts
    if format_ == "html":
        from ingest.html import html_text

        return _UNFIT.sub("\ufffd", html_text(raw)), ()
    if format_ == "docx":
        from ingest.docx import docx_text

        return _UNFIT.sub("\ufffd", docx_text(raw)), ()
    from ingest.decode import decode

    return decode(raw), ()
