"""Which files there are to read. Files are never opened here."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from docqa.ingest.document import Failure
from docqa.ingest.errors import os_reason
from docqa.ingest.formats import is_supported
from docqa.ingest.globs import Globs

# A folder with this file in it is an index; its documents are elsewhere.
_INDEX_FILE = "docqa.db"


@dataclass(frozen=True, slots=True)
class Discovery:
    """What was found.

    Attributes:
        files: absolute paths, sorted, each once.
        failures: what could not be looked at, each with its reason.
        roots: the named paths, absolute.
    """

    files: list[str]
    failures: list[Failure]
    roots: list[str]


def find_files(
    paths: Sequence[str | os.PathLike[str]],
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
) -> Discovery:
    """Find the files to read among named files and, recursively, below named folders.

    A file that is named itself is always taken. Below a named folder, hidden files and folders
    (with a leading dot) and indexes are left out, and symbolic links are not followed: what they
    point to inside the folder is found anyway. Links that lead nowhere are listed as failures.

    Args:
        paths: files and folders.
        include: globs of the only files to take; without any, those with a suffix that is known.
            A glob is matched against the file's name and its path relative to the named folder;
            ``*`` stays within a name and ``**`` crosses folders.
        exclude: globs of files and folders to leave out, whatever ``include`` says.
    """
    walk = _Walk(Globs(include), Globs(exclude))
    roots = [os.path.abspath(os.fsdecode(path)) for path in paths]
    for root in roots:
        walk.take_named(root)
    failures = sorted(walk.failures.items())
    return Discovery(sorted(walk.files), [Failure(path, error) for path, error in failures], roots)


class _Walk:
    def __init__(self, include: Globs, exclude: Globs) -> None:
        self.files: set[str] = set()
        self.failures: dict[str, str] = {}
        self._include = include
        self._exclude = exclude

    def take_named(self, path: str) -> None:
        try:
            mode = Path(path).stat().st_mode
        except OSError as error:
            self.failures[path] = os_reason(error)
            return
        if stat.S_ISDIR(mode):
            self._take_folder(path)
        elif stat.S_ISREG(mode):
            self.files.add(path)
        else:
            self.failures[path] = "not a regular file"

    def _take_folder(self, root: str) -> None:
        folders = [root]
        while folders:
            folder = folders.pop()
            try:
                with os.scandir(folder) as listing:
                    entries = list(listing)
            except OSError as error:
                self.failures[folder] = os_reason(error)
                continue
            if not any(entry.name == _INDEX_FILE for entry in entries):
                folders.extend(self._take_entries(root, entries))
            elif folder == root:
                self.failures[root] = "an index of docqa; name the documents' folder instead"

    def _take_entries(self, root: str, entries: list[os.DirEntry[str]]) -> Iterator[str]:
        """Take what is to be taken of a folder's entries, and yield the folders among them."""
        for entry in entries:
            relative = os.path.relpath(entry.path, root)
            if entry.name.startswith(".") or self._exclude.match(entry.name, relative):
                continue
            if entry.is_symlink():
                self._check_link(entry)
            elif entry.is_dir(follow_symlinks=False):
                yield entry.path
            elif not self._is_wanted(entry.name, relative):
                continue
            elif entry.is_file(follow_symlinks=False):
                self.files.add(entry.path)
            else:
                self.failures[entry.path] = "not a regular file"

    def _is_wanted(self, name: str, relative: str) -> bool:
        if self._include:
            return self._include.match(name, relative)
        return is_supported(name)

    def _check_link(self, entry: os.DirEntry[str]) -> None:
        try:
            Path(entry.path).stat()
        except FileNotFoundError:
            self.failures[entry.path] = "a symbolic link to something that is not there"
        except OSError as error:
            self.failures[entry.path] = os_reason(error)
