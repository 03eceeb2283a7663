"""Which files there are to read. Files are never opened here."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from docqa.ingest.archives import is_archive
from docqa.ingest.document import Failure
from docqa.ingest.errors import is_passing, os_reason
from docqa.ingest.formats import is_litter, is_supported, suffix_of
from docqa.ingest.globs import Globs

# A folder with this file in it is an index; its documents are elsewhere. So is one with a catalogue
# beside folders of shards, which are named so.
_INDEX_FILE = "docqa.db"
_CATALOGUE, _SHARDS = "collection.json", "shards-"


@dataclass(frozen=True, slots=True)
class Discovery:
    """What was found.

    Attributes:
        files: absolute paths, sorted, each once; archives are among them as what they are.
        failures: what could not be looked at, each with its reason.
        roots: the named paths, absolute.
        skipped: how many files below the named folders have a suffix that is not known, by suffix
            (``""`` for names without one), the most first.
        empty: the named folders with nothing in them to read.
    """

    files: list[str]
    failures: list[Failure]
    roots: list[str]
    skipped: dict[str, int]
    empty: list[str]


def find_files(
    paths: Sequence[str | os.PathLike[str]],
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
) -> Discovery:
    """Find the files to read among named files and, recursively, below named folders.

    A file that is named itself is always taken. Below a named folder, hidden files and folders
    (with a leading dot) and indexes are left out, and symbolic links are not followed: what they
    point to inside the folder is found anyway. Links that lead nowhere are listed as failures.
    Files that a program keeps beside an open document (``~$report.docx``) are never taken.

    Args:
        paths: files and folders.
        include: globs of the only files to take; without any, those with a suffix that is known.
            Of an archive that is taken, all members with such a suffix are.
            A glob is matched against the file's name and its path relative to the named folder;
            ``*`` stays within a name and ``**`` crosses folders.
        exclude: globs of files and folders to leave out, whatever ``include`` says.
    """
    walk = _Walk(Globs(include), Globs(exclude))
    roots = [os.path.abspath(os.fsdecode(path)) for path in paths]
    for root in roots:
        walk.take_named(root)
    return Discovery(
        files=sorted(walk.files),
        failures=[walk.failures[path] for path in sorted(walk.failures)],
        roots=roots,
        skipped=dict(sorted(walk.skipped.items(), key=lambda item: (-item[1], item[0]))),
        empty=walk.empty,
    )


def _is_index(names: set[str]) -> bool:
    """Return whether what a folder holds makes it an index."""
    return _INDEX_FILE in names or (
        _CATALOGUE in names and any(name.startswith(_SHARDS) for name in names)
    )


class _Walk:
    def __init__(self, include: Globs, exclude: Globs) -> None:
        self.files: set[str] = set()
        self.failures: dict[str, Failure] = {}
        self.skipped: Counter[str] = Counter()
        self.empty: list[str] = []
        self._looked_into: set[str] = set()
        self._include = include
        self._exclude = exclude

    def take_named(self, path: str) -> None:
        try:
            mode = Path(path).stat().st_mode
        except OSError as error:
            self._fail(path, error)
            return
        if stat.S_ISDIR(mode):
            if not self._take_folder(path):
                self.empty.append(path)
        elif not stat.S_ISREG(mode):
            self._fail(path, "not a regular file")
        elif not is_litter(Path(path).name):
            self.files.add(path)

    def _take_folder(self, root: str) -> bool:
        """Take what is below a folder; return whether there was anything to take or to report."""
        anything = False
        folders = [root]
        while folders:
            folder = folders.pop()
            try:
                with os.scandir(folder) as listing:
                    entries = list(listing)
            except OSError as error:
                self._fail(folder, error)
                anything = True
                continue
            if not _is_index({entry.name for entry in entries}):
                for entry in entries:
                    if self._take_entry(root, entry, folders):
                        anything = True
            elif folder == root:
                self._fail(root, "an index of docqa; name the documents' folder instead")
                anything = True
            self._looked_into.add(folder)
        return anything

    def _take_entry(self, root: str, entry: os.DirEntry[str], folders: list[str]) -> bool:
        """Take an entry of a folder, or add it to the folders to look into.

        Returns:
            Whether there was something to take or to report.
        """
        relative = os.path.relpath(entry.path, root)
        if entry.name.startswith(".") or is_litter(entry.name):
            return False
        if self._exclude.match(entry.name, relative):
            return False
        if entry.is_symlink():
            return self._check_link(entry)
        if entry.is_dir(follow_symlinks=False):
            folders.append(entry.path)
            return False
        if not self._is_wanted(entry.name, relative):
            # A folder may lie below two of the named ones.
            if not self._include and str(Path(entry.path).parent) not in self._looked_into:
                self.skipped[suffix_of(entry.name)] += 1
            return False
        if entry.is_file(follow_symlinks=False):
            self.files.add(entry.path)
        else:
            self._fail(entry.path, "not a regular file")
        return True

    def _is_wanted(self, name: str, relative: str) -> bool:
        if self._include:
            return self._include.match(name, relative)
        return is_supported(name) or is_archive(name)

    def _check_link(self, entry: os.DirEntry[str]) -> bool:
        try:
            Path(entry.path).stat()
        except FileNotFoundError:
            self._fail(entry.path, "a symbolic link to something that is not there")
        except OSError as error:
            self._fail(entry.path, error)
        else:
            return False
        return True

    def _fail(self, path: str, reason: OSError | str) -> None:
        if isinstance(reason, OSError):
            self.failures[path] = Failure(path, os_reason(reason), is_passing(reason))
        else:
            self.failures[path] = Failure(path, reason)
