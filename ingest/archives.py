"""Archives of files: which of their members are documents, and a member's bytes.

A member is a document of its own, with the path ``folder/archive.zip/inner/name.pdf``. Members are
read from memory or from an unnamed temporary file, so none is ever written under its name.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import posixpath
import re
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import IO, Protocol, cast

from docqa.ingest.document import LoadLimits
from docqa.ingest.errors import IngestError
from docqa.ingest.formats import is_litter, is_supported, suffix_of

_ZIP = (".zip",)
_TAR = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
_MB = 1024 * 1024
_CHUNK = _MB
_MOST_DEPTH = 2  # an archive in an archive
_MOST_MEMBERS = 10_000
_MOST_NAME = 1000  # characters of a member's path
_TIMES = 10  # the limit of one file's size, of all that an archive unpacks to
# Text packs to a tenth, and a log that repeats itself to a hundredth.
_MOST_RATIO = 200
_SMALL = 16 * _MB  # what unpacks to less is no bomb, however well it is packed
_DRIVE = re.compile(r"[A-Za-z]:")
_DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    lzma.LZMAError,
    zlib.error,
    EOFError,
    NotImplementedError,
    ValueError,
    OSError,
)


@dataclass(frozen=True, slots=True)
class Listing:
    """What there is to read in an archive.

    Attributes:
        members: the paths of its documents, below the archive's; each once.
        gaps: what of the archive is left out, a sentence each.
    """

    members: tuple[str, ...]
    gaps: tuple[str, ...] = ()


def is_archive(path: str) -> bool:
    """Return whether a path's suffix is that of an archive of files."""
    return path.lower().endswith((*_ZIP, *_TAR))


def file_of(path: str) -> str:
    """Return the file that holds a document: its own, or the archive that it is a member of."""
    at = 0
    while (at := path.find(os.sep, at + 1)) > 0:
        if is_archive(path[:at]) and Path(path[:at]).is_file():
            return path[:at]
    return path


def list_members(path: str, limits: LoadLimits) -> Listing:
    """Return the documents in an archive, those of archives in it included.

    Args:
        path: of the archive.
        limits: its size and those of its members are held to here.

    Raises:
        IngestError: it can't be read, or unpacks to more than is safe.
        OSError: the system failed.
    """
    status = Path(path).stat()
    if not stat.S_ISREG(status.st_mode):
        raise IngestError("not a regular file")
    listing = _Listing(limits)
    listing.add(_archive_at(path, status.st_size, status.st_mtime_ns, limits), "", depth=1)
    return listing.listing()


def read_member(archive: str, name: str, limits: LoadLimits) -> tuple[bytes, os.stat_result]:
    """Return a member's bytes, and what the system says of the archive.

    Args:
        archive: its path.
        name: of the member, as :func:`list_members` gives it.
        limits: the member's size is held to here.

    Raises:
        IngestError: it can't be read.
        OSError: the system failed.
    """
    status = Path(archive).stat()
    opened = _archive_at(archive, status.st_size, status.st_mtime_ns, limits)
    parts = name.split("/")
    at = 0
    while at < len(parts):
        # The longest name first: a folder in an archive may be called like one.
        for end in range(len(parts), at, -1):
            part = "/".join(parts[at:end])
            if part in opened.members:
                break
        else:
            raise IngestError("it is no longer in the archive; index it again")
        with _damage_as_reason():
            data = opened.read(opened.members[part])
        at = end
        if at < len(parts):
            opened = _opened_in(part, data, limits)
    return data, status


@dataclass(frozen=True, slots=True)
class _Member:
    """A member that may be read.

    Attributes:
        key: what the archive's library knows it by.
        size: unpacked, in bytes, as the archive says.
    """

    key: zipfile.ZipInfo | tarfile.TarInfo
    size: int


class _Archive(Protocol):
    members: dict[str, _Member]
    gaps: Counter[str]

    def read(self, member: _Member) -> bytes: ...


class _Members:
    """What both kinds of archives have: members by their paths, and why others are left out."""

    def __init__(self, limits: LoadLimits) -> None:
        self.members: dict[str, _Member] = {}
        self.gaps: Counter[str] = Counter()
        self._most = limits.max_file_mb * _MB

    def _take(self, name: str, member: _Member, packed: int | None) -> None:
        path = _safe(name)
        if path is None:
            self.gaps["paths that lead outside the archive"] += 1
        elif any(part.startswith(".") or is_litter(part) for part in path.split("/")):
            return
        elif member.size > self._most:
            self.gaps["files larger than --max-file-mb allows"] += 1
        elif packed is not None and _is_bomb(member.size, packed):
            self.gaps["files that unpack to so much that they may be made to do harm"] += 1
        else:
            self.members[path] = member


class _Zip(_Members):
    def __init__(self, file: IO[bytes], limits: LoadLimits) -> None:
        super().__init__(limits)
        self._zip = zipfile.ZipFile(file)
        for info in self._zip.infolist():
            if info.is_dir():
                continue
            kind = stat.S_IFMT(info.external_attr >> 16)
            if kind not in (0, stat.S_IFREG):
                self.gaps["links and devices"] += 1
                continue
            # Some programs of Windows write its separators.
            name = info.filename if "/" in info.filename else info.filename.replace("\\", "/")
            self._take(name, _Member(info, info.file_size), info.compress_size)
        _check_total(sum(info.file_size for info in self._zip.infolist()), limits)

    def read(self, member: _Member) -> bytes:
        try:
            return self._zip.read(cast(zipfile.ZipInfo, member.key))
        except RuntimeError as error:  # zipfile's word for a password
            raise IngestError("encrypted; unpack it with its password") from error


class _Tar(_Members):
    def __init__(self, file: IO[bytes], limits: LoadLimits) -> None:
        super().__init__(limits)
        self._tar = tarfile.open(fileobj=file, mode="r:")  # noqa: SIM115 (kept open)
        total = 0
        for number, info in enumerate(self._tar):
            if number >= 10 * _MOST_MEMBERS:
                raise IngestError(f"holds more than {10 * _MOST_MEMBERS:,} files; split it")
            if info.isdir():
                continue
            if not info.isreg() or info.issparse():
                self.gaps["links and devices"] += 1
                continue
            total += info.size
            self._take(info.name, _Member(info, info.size), None)
        _check_total(total, limits)

    def read(self, member: _Member) -> bytes:
        file = self._tar.extractfile(cast(tarfile.TarInfo, member.key))
        assert file is not None
        data = file.read()
        if len(data) < member.size:
            raise IngestError("the archive is cut short")
        return data


@dataclass
class _Listing:
    """Collects the members of an archive and of the archives in it."""

    limits: LoadLimits
    members: list[str] = field(default_factory=list)
    gaps: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    sentences: list[str] = field(default_factory=list)
    unpacked: int = 0

    def add(self, archive: _Archive, prefix: str, depth: int) -> None:
        self.gaps += archive.gaps
        for name, member in archive.members.items():
            self.unpacked += member.size
            _check_total(self.unpacked, self.limits)
            if is_archive(name):
                self._add_archive(archive, member, prefix + name, depth)
            elif not is_supported(name):
                self.skipped[suffix_of(name)] += 1
            else:
                if len(self.members) >= _MOST_MEMBERS:
                    raise IngestError(f"holds more than {_MOST_MEMBERS:,} documents; split it")
                self.members.append(prefix + name)

    def _add_archive(self, outer: _Archive, member: _Member, name: str, depth: int) -> None:
        if depth >= _MOST_DEPTH:
            self.gaps["archives in an archive that is in one itself"] += 1
            return
        try:
            with _damage_as_reason():
                inner = _opened_in(name, outer.read(member), self.limits)
            self.add(inner, name + "/", depth + 1)
        except IngestError as error:
            self.sentences.append(f"the archive {name} in it is not read: {error}")

    def listing(self) -> Listing:
        kinds = Counter({suffix or "no suffix": n for suffix, n in self.skipped.items()})
        gaps = [
            f"{said}: {', '.join(f'{what} ({n:,})' for what, n in counts.most_common(12))}"
            for said, counts in (
                ("left out", self.gaps),
                ("left out, as docqa does not read such files", kinds),
            )
            if counts
        ]
        if not self.members:
            raise IngestError("; ".join(["holds nothing to read", *self.sentences, *gaps]))
        return Listing(tuple(self.members), (*self.sentences, *gaps))


@lru_cache(maxsize=1)
def _archive_at(path: str, size: int, mtime_ns: int, limits: LoadLimits) -> _Archive:
    """Return an archive of the disk, open; size and time are there to tell a changed one."""
    if size > limits.max_file_mb * _MB:
        raise IngestError(
            f"is {-(-size // _MB):,} MB, more than the limit of {limits.max_file_mb:,} MB; "
            "raise with --max-file-mb"
        )
    with _damage_as_reason():
        return _opened(path, Path(path).open("rb"), size, limits)


@lru_cache(maxsize=1)
def _opened_in(name: str, data: bytes, limits: LoadLimits) -> _Archive:
    """Return an archive that is a member of another one, open."""
    with _damage_as_reason():
        return _opened(name, io.BytesIO(data), len(data), limits)


def _opened(name: str, file: IO[bytes], size: int, limits: LoadLimits) -> _Archive:
    name = name.lower()
    if name.endswith(_ZIP):
        return _Zip(file, limits)
    if name.endswith((".gz", ".tgz")):
        return _Tar(_unpacked(cast(IO[bytes], gzip.GzipFile(fileobj=file)), size, limits), limits)
    if name.endswith(("bz2",)):
        return _Tar(_unpacked(cast(IO[bytes], bz2.BZ2File(file)), size, limits), limits)
    if name.endswith("xz"):
        return _Tar(_unpacked(cast(IO[bytes], lzma.LZMAFile(file)), size, limits), limits)
    return _Tar(file, limits)


def _unpacked(packed: IO[bytes], size: int, limits: LoadLimits) -> IO[bytes]:
    """Return what a packed tar holds, in a temporary file that has no name."""
    unpacked = tempfile.TemporaryFile()  # noqa: SIM115 (kept open)
    total = 0
    while chunk := packed.read(_CHUNK):
        total += len(chunk)
        _check_total(total, limits)
        if _is_bomb(total, size):
            raise IngestError("unpacks to so much that it may be made to do harm")
        unpacked.write(chunk)
    unpacked.seek(0)
    return unpacked


def _check_total(total: int, limits: LoadLimits) -> None:
    most = _TIMES * limits.max_file_mb
    if total > most * _MB:
        raise IngestError(f"unpacks to more than {most:,} MB; raise with --max-file-mb")


def _is_bomb(unpacked: int, packed: int) -> bool:
    return unpacked > _SMALL and unpacked > _MOST_RATIO * packed


def _safe(name: str) -> str | None:
    """Return a member's path in one form; None where it would lead out of the archive."""
    path = posixpath.normpath(name)
    outside = path.startswith(("/", "../")) or path in (".", "..") or _DRIVE.match(path)
    if outside or "\0" in path or len(path) > _MOST_NAME:
        return None
    return path


@contextmanager
def _damage_as_reason() -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the system's, not the archive's
        raise IngestError("not an archive of its kind, or damaged") from error
    except RuntimeError as error:
        raise IngestError("encrypted; unpack it with its password") from error
