"""One file to one document, in this process and without a time limit.

Only :mod:`docqa.ingest.workers.worker` should call this on files that nobody vouches for: see
:mod:`docqa.ingest.workers.pool`.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeVar

from docqa.ingest.archives import file_of, is_archive, read_member
from docqa.ingest.document import Document, Heading, LoadLimits
from docqa.ingest.errors import IngestError, is_passing, os_reason
from docqa.ingest.formats import Extracted, extract, format_of, is_compressed

T = TypeVar("T")

_MB = 1024 * 1024
_UNFIT = re.compile("[\0\ud800-\udfff]")
# What an outline may hold; a book of a thousand pages has some hundred headings.
_MOST_HEADINGS = 10_000
_MOST_HEADING_CHARS = 200


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
    with reasons(limits):
        data, status = read_bytes(path, limits)
        sha256 = hashlib.sha256(data).hexdigest()
        if is_compressed(path):
            data = _decompress(data, limits)
        extracted = extract(format.name, data)
        extracted = extracted._replace(text=_UNFIT.sub("\ufffd", extracted.text))
    if len(extracted.text) > limits.max_chars:
        raise IngestError(
            f"holds {len(extracted.text):,} characters, more than the limit of "
            f"{limits.max_chars:,}; split it"
        )
    return Document(
        path=path,
        format=format.name,
        text=extracted.text,
        page_starts=extracted.page_starts,
        sha256=sha256,
        size=status.st_size,
        mtime_ns=status.st_mtime_ns,
        title=one_line(extracted.title or "", _MOST_HEADING_CHARS) or None,
        outline=_outline(extracted),
        gaps=tuple(map(one_line, extracted.gaps)),
        lines=extracted.lines,
        pictures=extracted.pictures,
    )


def pages_of(path: str, limits: LoadLimits, look: Callable[[bytes], T]) -> T:
    """Return what a function makes of the bytes of a file with pages.

    Args:
        path: of a PDF.
        limits: the file's size is held to here, time and memory are not.
        look: gets the bytes.

    Raises:
        IngestError: as of :func:`load`.
    """
    with reasons(limits):
        data, _ = read_bytes(path, limits)
        try:
            return look(_decompress(data, limits) if is_compressed(path) else data)
        except (IngestError, MemoryError, OSError):
            raise
        except Exception as error:  # Parsers raise anything on damaged files.
            raise IngestError("its pages can't be shown: damaged") from error


@contextmanager
def reasons(limits: LoadLimits) -> Iterator[None]:
    """Raise an :class:`IngestError` for what the system says of a file, or of the memory left."""
    try:
        yield
    except OSError as error:
        raise IngestError(os_reason(error), is_passing(error)) from error
    except MemoryError as error:
        raise IngestError(
            f"needed more than {limits.memory_mb} MB of memory; raise with --memory-mb"
        ) from error


def read_bytes(path: str, limits: LoadLimits) -> tuple[bytes, os.stat_result]:
    """Return a document's bytes, and what the system says of the file that holds them.

    Args:
        path: of a file, or of a member of an archive.
        limits: its size is held to here.

    Raises:
        IngestError: it can't be read.
        OSError: the system failed.
    """
    holder = file_of(path)
    if holder != path:
        return read_member(holder, path[len(holder) + 1 :], limits)
    if is_archive(path):
        raise IngestError("an archive; index it, or name one of its files, as in a.zip/b.txt")
    return _read(path, limits)


def one_line(text: str, most: int = 1000) -> str:
    """Return words on one line, at most so many characters, without those that can't be shown."""
    words = " ".join(text[: 10 * most].split())
    return "".join(filter(str.isprintable, words))[:most]


def _outline(extracted: Extracted) -> tuple[Heading, ...]:
    headings = (
        replace(heading, text=one_line(heading.text, _MOST_HEADING_CHARS))
        for heading in extracted.outline[:_MOST_HEADINGS]
    )
    return tuple(heading for heading in headings if heading.text)


def _read(path: str, limits: LoadLimits) -> tuple[bytes, os.stat_result]:
    """Return the whole file as it was at one moment, and what the system says of it."""
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
        raise IngestError("changed while being read; index it again", passing=True)
    return data, after


def _decompress(data: bytes, limits: LoadLimits) -> bytes:
    """Return what gzip packed, held to the limit of a file's size while it is unpacked."""
    most = limits.max_file_mb * _MB
    unpacked = bytearray()
    try:
        while data:  # a file may hold several packed ones, one after another
            stream = zlib.decompressobj(zlib.MAX_WBITS | 16)
            unpacked += stream.decompress(data, most + 1 - len(unpacked))
            if len(unpacked) > most:
                raise IngestError(
                    f"unpacks to more than {limits.max_file_mb:,} MB; raise with --max-file-mb"
                )
            if not stream.eof:
                raise IngestError("not a whole gzip file, cut short")
            data = stream.unused_data.lstrip(b"\0")
    except zlib.error as error:
        raise IngestError("not a gzip file, or damaged") from error
    return bytes(unpacked)
