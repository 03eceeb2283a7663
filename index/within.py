"""Filters: the windows of the documents that lie in given folders, files or globs.

Searches are restricted to them, so that ten hits are ten of the allowed. How rare a word is stays
counted over the whole index.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import faiss
import numpy as np

from docqa.index.errors import FilterError
from docqa.index.store import IdArray, Store
from docqa.ingest.globs import Globs

_log = logging.getLogger(__name__)
_WILDCARDS = frozenset("*?[")


@dataclass(frozen=True, eq=False)
class Allowed:
    """The windows that a search may find. Never changed, so threads may share it.

    Attributes:
        ids: ``(windows,)`` ascending.
    """

    ids: IdArray

    @cached_property
    def selector(self) -> faiss.IDSelector:
        """The ids as FAISS takes them."""
        bits = np.zeros(int(self.ids.max(initial=0)) + 1, bool)
        bits[self.ids] = True
        packed = np.packbits(bits, bitorder="little")
        return faiss.IDSelectorBitmap(packed)  # type: ignore[call-arg, arg-type]  # as of C++

    @cached_property
    def ids_json(self) -> str:
        """The ids as a JSON list, for SQLite's ``json_each``."""
        return json.dumps(self.ids.tolist())


def absolute_entries(within: Sequence[str], folder: str | Path | None = None) -> tuple[str, ...]:
    """Return the entries of a filter with relative ones taken from a folder.

    A glob without a slash (``*.pdf``) stands for names at any depth, too.

    Args:
        folder: the current folder if not given.

    Raises:
        FilterError: an entry is empty.
    """
    entries: list[str] = []
    for entry in map(os.fspath, [within] if isinstance(within, (str, os.PathLike)) else within):
        if not entry.strip():
            raise FilterError("a filter is empty: give a folder, a file or a glob")
        if "/" not in entry and _WILDCARDS & set(entry):
            entries.append(entry)
        entries.append(os.path.normpath(os.path.join(folder or Path.cwd(), entry)))
    return tuple(dict.fromkeys(entries))


def matcher(entries: Iterable[str]) -> Callable[[str], bool]:
    """Return a function that tells whether a document lies within a filter.

    A document does when one of the entries is its path, or a folder above it, or a glob that
    matches its path or a folder above it.

    Args:
        entries: from :func:`absolute_entries`.
    """
    entries = list(entries)
    named = set(entries)
    below = tuple(entry.rstrip(os.sep) + os.sep for entry in entries)
    globs = Globs(
        [
            entry + "/**" if "/" in entry else f"**/{entry}/**"
            for entry in entries
            if _WILDCARDS & set(entry)
        ]
    )
    return lambda path: path in named or path.startswith(below) or globs.match(path, path)


def find_allowed(store: Store, entries: Sequence[str]) -> Allowed:
    """Return the windows of the documents within a filter.

    Args:
        store: inside a snapshot.
        entries: from :func:`absolute_entries`.

    Raises:
        FilterError: no document lies within it.
    """
    lies_within = matcher(entries)
    documents = [id_ for id_, path in store.document_paths() if lies_within(path)]
    if not documents:
        raise FilterError(
            f"the index in {store.folder} holds no document within {', '.join(entries)}; "
            "docqa status says what it holds"
        )
    allowed = Allowed(store.window_ids(documents))
    _log.debug("a filter lets %d documents through, %d windows", len(documents), len(allowed.ids))
    return allowed
