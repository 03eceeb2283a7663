"""Which files there are: folders walked, globs applied, what can't be read listed."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from ingest.document import Failure

# Suffixes that are taken from folders, and the format each stands for.
FORMATS = {
    ".txt": "text",
    ".text": "text",
    ".md": "markdown",
    ".markdown": "markdown",
    ".rst": "rst",
    ".pdf": "pdf",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".docx": "docx",
}
# A folder that holds this file is an index, not a folder of documents.
INDEX_MARK = "docqa.db"


@dataclass
class Discovery:
    """What was found.

    Attributes:
        files: absolute paths, sorted, each once.
        failures: files and folders that can't be read, and why.
        roots: the absolute paths that were named.
    """

    files: list[str] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    roots: list[str] = field(default_factory=list)


def find_files(
    paths: Sequence[str | os.PathLike[str]],
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
) -> Discovery:
    """The files that ``paths`` name, folders recursively.

    In folders, hidden files and folders and index folders are skipped, and only the formats of
    ``FORMATS`` are taken, unless ``include`` says which. A file that is named is always taken.
    Symbolic links below a named folder are not followed (what they point to inside it is found
    anyway); one that loops or points nowhere is a failure.

    Args:
        include: globs (``**`` crosses folders) for a file's name or its path below the named
            folder; only what matches is taken, whatever its suffix.
        exclude: globs likewise; what matches is left out, folders with all they hold.
    """
    discovery = Discovery(roots=[os.path.abspath(path) for path in paths])
    taken, left_out = _Matcher(include), _Matcher(exclude)
    found: set[str] = set()
    for root in discovery.roots:
        try:
            mode = Path(root).stat().st_mode
        except (OSError, ValueError) as error:
            discovery.failures.append(Failure(root, reason(error)))
            continue
        if stat.S_ISDIR(mode):
            found.update(_walk(root, taken, left_out, discovery.failures))
        elif stat.S_ISREG(mode):
            found.add(root)
        else:
            discovery.failures.append(Failure(root, "neither a file nor a folder"))
    discovery.files = sorted(found)
    return discovery


def reason(error: OSError | ValueError) -> str:
    """Why the system would not, in words."""
    code = error.errno if isinstance(error, OSError) else None
    if code == errno.ENOENT:
        return "no such file or folder"
    if code == errno.EACCES:
        return "no permission to read it"
    if code == errno.ELOOP:
        return "a symbolic link that loops"
    return str(error.strerror or error) if isinstance(error, OSError) else str(error)


class _Matcher:
    """Globs against a file's name and its path below the named folder; falsy: no globs."""

    def __init__(self, globs: Sequence[str]) -> None:
        self._patterns = [re.compile(_regex(glob)) for glob in globs]

    def __bool__(self) -> bool:
        return bool(self._patterns)

    def __call__(self, relative: str) -> bool:
        name = PurePath(relative).name
        return any(p.fullmatch(relative) or p.fullmatch(name) for p in self._patterns)


def _regex(glob: str) -> str:
    """A glob as a regular expression: ``*`` and ``?`` stay within a folder, ``**`` does not."""
    parts = []
    for piece in re.split(r"(\*\*/|\*\*|\*|\?|\[[^\]]+\])", glob.strip("/")):
        if piece == "**/":
            parts.append("(?:.*/)?")
        elif piece == "**":
            parts.append(".*")
        elif piece == "*":
            parts.append("[^/]*")
        elif piece == "?":
            parts.append("[^/]")
        elif piece.startswith("[") and piece.endswith("]") and len(piece) > 2:
            inner = piece[1:-1].replace("\\", r"\\")
            parts.append(f"[^{inner[1:]}]" if inner[0] == "!" else f"[{inner}]")
        else:
            parts.append(re.escape(piece))
    return "(?s:" + "".join(parts) + ")"


def _walk(root: str, taken: _Matcher, left_out: _Matcher, failures: list[Failure]) -> Iterator[str]:
    def refuse(error: OSError) -> None:
        failures.append(Failure(str(error.filename), reason(error)))

    for folder, folders, files in os.walk(root, onerror=refuse):
        if INDEX_MARK in files:
            folders.clear()
            continue
        below = os.path.relpath(folder, root)

        def relative(name: str, below: str = below) -> str:
            return name if below == os.curdir else os.path.join(below, name)

        linked = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        folders[:] = [
            name
            for name in folders
            if not name.startswith(".") and name not in linked and not left_out(relative(name))
        ]
        for name in sorted(files):
            path = os.path.join(folder, name)
            wanted = taken(relative(name)) if taken else PurePath(name).suffix.lower() in FORMATS
            if name.startswith(".") or left_out(relative(name)):
                continue
            if os.path.islink(path):
                _check_link(path, failures)
            elif wanted and stat.S_ISREG(os.lstat(path).st_mode):
                yield path


def _check_link(path: str, failures: list[Failure]) -> None:
    try:
        Path(path).stat()
    except OSError as error:
        why = reason(error)
        if error.errno == errno.ENOENT:
            why = "a symbolic link to nothing"
        failures.append(Failure(path, why))
