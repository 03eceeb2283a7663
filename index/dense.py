"""Nearest neighbours of vectors, with FAISS: a cache of what the store holds.

The cache is one file, written whole or not at all, and named after the index and the generation
of the store that it shows. What the store has changed since lies beside it in memory: new vectors
are compared one by one, those that are gone are passed over. Where that has grown large, and when
a run ends, both become one again.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from docqa.index.files import replaced
from docqa.index.store import IdArray, Store, Vectors
from docqa.index.system_errors import file_errors
from docqa.index.within import Allowed

_untyped: Any = faiss  # its stubs lack what SWIG adds

# Up to this many windows every vector is compared (docs/benchmarks.md, "From a thousand to a
# million windows").
EXACT_LIMIT = 50_000
# The most windows that are kept, or passed over, beside a file.
_BESIDE = 10_000
_PREFIX = "vectors-"
# Lists searched of an inverted file, as a share of all lists.
_PROBED = 1 / 16
_TRAINING_VECTORS_A_LIST = 40


class _Base:
    """A FAISS index that is never changed once it is here."""

    def __init__(self, index: Any, generation: int) -> None:
        self.index = index
        self.generation = generation  # of the file that it was read from; -1 without

    @cached_property
    def ids(self) -> IdArray:
        """``(windows,)`` the windows in it, ascending."""
        return _ids(self.index)


@dataclass(frozen=True)
class DenseIndex:
    """Vectors by window id, searched by inner product. Never changed, so threads may share it.

    Attributes:
        generation: the store's, which it shows.
        rebuilt: why it was not read from its file; None where it was.
    """

    generation: int
    rebuilt: str | None
    _base: _Base
    # What the store has that the base lacks, and what the base has too much.
    _recent_ids: IdArray
    _recent: Vectors
    _gone: IdArray

    @classmethod
    def load(cls, store: Store) -> DenseIndex:
        """Return the cache as it stands on disk, brought in line with the store.

        The file is mapped, and not gone through where it shows the store's generation. A cache
        that is missing, torn, foreign or of another kind is built from the store; ``rebuilt`` says
        so. Nothing is written: see :meth:`save`.
        """
        base, why_not = _read(store, mapped=True)
        if base is None:
            base = _Base(_brought_in_line(None, store), -1)
            return cls._of_base(base, store.generation, why_not)
        return cls._of_base(base, base.generation, None).follow(store)

    @classmethod
    def _of_base(cls, base: _Base, generation: int, rebuilt: str | None) -> DenseIndex:
        none = np.empty(0, np.int64)
        return cls(generation, rebuilt, base, none, np.empty((0, base.index.d), np.float32), none)

    @property
    def ids(self) -> IdArray:
        """``(windows,)`` the windows in it, ascending."""
        held = np.setdiff1d(self._base.ids, self._gone, assume_unique=True)
        return np.union1d(held, self._recent_ids)

    def follow(self, store: Store) -> DenseIndex:
        """Return the vectors in line with the store's present generation.

        Only what is new is read, unless much has changed. Costs nothing where the generation is
        still the same.
        """
        if self.generation == store.generation:
            return self
        newest, _ = _read(store, mapped=True, newer_than=self._base.generation)
        base = newest or self._base
        wanted = store.window_ids()
        new = np.setdiff1d(wanted, base.ids, assume_unique=True)
        gone = np.setdiff1d(base.ids, wanted, assume_unique=True)
        if len(new) + len(gone) > _BESIDE or not _fits(base.index, len(wanted)):
            base = _Base(_brought_in_line(_read_to_change(store), store), -1)
            return self._of_base(base, store.generation, self.rebuilt)
        vectors = np.empty((len(new), base.index.d), np.float32)
        known = np.isin(new, self._recent_ids)
        vectors[known] = self._recent[np.searchsorted(self._recent_ids, new[known])]
        vectors[~known] = store.vectors(new[~known])
        return DenseIndex(store.generation, self.rebuilt, base, new, vectors, gone)

    def search(
        self, questions: Vectors, k: int, allowed: Allowed | None = None
    ) -> tuple[Vectors, IdArray]:
        """Return the ``k`` nearest windows of each question.

        Args:
            questions: ``(questions, dimension)``, of length 1.
            allowed: the windows that may be found; all if not given.

        Returns:
            ``(scores, ids)``, each ``(questions, min(k, windows))`` of the windows that may be
            found; scores are cosines, best first. An approximate index may return fewer: their id
            is -1.
        """
        if allowed is None:
            recent_ids, recent = self._recent_ids, self._recent
            windows = self._base.index.ntotal - len(self._gone) + len(recent_ids)
        else:
            among = np.isin(self._recent_ids, allowed.ids, assume_unique=True)
            recent_ids, recent = self._recent_ids[among], self._recent[among]
            windows = len(allowed.ids)
        k = min(k, windows)
        scores = np.empty((len(questions), 0), np.float32)
        ids = np.empty((len(questions), 0), np.int64)
        if k and self._base.index.ntotal:
            scores, ids = self._search_base(questions, k, allowed)
        if k and len(recent_ids):
            near = questions @ recent.T
            scores = np.concatenate([scores, near], axis=1)
            all_recent = np.broadcast_to(recent_ids, near.shape)
            ids = np.concatenate([ids, all_recent], axis=1)
            order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
            scores = np.take_along_axis(scores, order, axis=1)
            ids = np.take_along_axis(ids, order, axis=1)
        return scores, ids

    def _search_base(
        self, questions: Vectors, k: int, allowed: Allowed | None
    ) -> tuple[Vectors, IdArray]:
        index = self._base.index
        if allowed is not None:
            selector = allowed.selector  # none of them is gone
        elif len(self._gone):
            selector = faiss.IDSelectorNot(faiss.IDSelectorBatch(self._gone))
        else:
            scores, ids = index.search(questions, k)
            return scores, ids
        if isinstance(index, faiss.IndexIVF):
            nprobe = index.nprobe if allowed is None else _lists_to_probe(index, len(allowed.ids))
            how = _untyped.SearchParametersIVF(sel=selector, nprobe=nprobe)
        else:
            how = _untyped.SearchParameters(sel=selector)
        scores, ids = index.search(questions, k, params=how)
        return scores, ids

    def measure_self_search(self, store: Store, sample: int = 1000) -> float:
        """Return the share of (sampled) vectors whose nearest neighbour is as near as itself."""
        ids = self.ids
        if not len(ids):
            return 1.0
        ids = ids[:: max(1, len(ids) // sample)]
        vectors = store.vectors(ids)
        scores, _ = self.search(vectors, 1)
        itself = np.einsum("nd,nd->n", vectors, vectors)
        return float(np.mean(np.abs(scores[:, 0] - itself) < 0.02))

    def save(self, store: Store) -> DenseIndex:
        """Write the cache beside the store; the caller holds the writer's lock.

        Returns:
            The vectors as they can be read from the file now.

        Raises:
            StorageError: it can't be written.
        """
        whole = self._base.index
        if len(self._recent_ids) or len(self._gone):
            whole = _brought_in_line(_read_to_change(store), store)
        target = _cache_file(store)
        with (
            file_errors(store.folder),
            replaced(target) as part,
            part.open("wb") as stream,
        ):
            # Writing by itself, FAISS says only in words what went wrong.
            faiss.write_index(whole, _untyped.PyCallbackIOWriter(stream.write))
        newer = {file for file in _cache_files(store) if _generation_of(file) > self.generation}
        for old in store.folder.glob(f"{_PREFIX}*"):
            if old != target and old not in newer:  # a run may have ended meanwhile
                old.unlink(missing_ok=True)
        return self._of_base(_Base(whole, self.generation), self.generation, None)

    def is_saved(self, store: Store) -> bool:
        """Return whether a file on disk is known to show the store's present generation."""
        return self.rebuilt is None and _cache_file(store).exists()


def _read(store: Store, mapped: bool, newer_than: int = -1) -> tuple[_Base | None, str]:
    """Return the newest cache that lies beside the store; or None, and why there is none of use."""
    files = [file for file in _cache_files(store) if _generation_of(file) > newer_than]
    if not files:
        return None, "it was missing"
    file = files[-1]
    try:
        index = faiss.read_index(str(file), faiss.IO_FLAG_MMAP if mapped else 0)
        if index.d != store.settings.dimension:
            return None, "its vectors had another length"
        if not _fits(index, index.ntotal):
            return None, "it was of an older kind"
        return _Base(index, _generation_of(file)), ""
    except (RuntimeError, AttributeError, MemoryError):
        if not file.exists():  # a run has ended meanwhile and replaced it
            return _read(store, mapped, newer_than)
        return None, "it could not be read"


def _read_to_change(store: Store) -> Any:
    """Return the newest cache as a FAISS index in memory; None where there is none of use."""
    base, _ = _read(store, mapped=False)
    return base.index if base is not None else None


def _brought_in_line(index: Any, store: Store) -> Any:
    """Return an index of just what the store has, made of one that nobody else holds.

    Args:
        index: None to build it from the store.
    """
    wanted = store.window_ids()
    if index is None or not _fits(index, len(wanted)):
        index, new = _empty_index(store, wanted), wanted
    else:
        held = _ids(index)
        gone = np.setdiff1d(held, wanted, assume_unique=True)
        new = np.setdiff1d(wanted, held, assume_unique=True)
        if len(gone):
            index.remove_ids(gone)
    step = 50_000
    for first in range(0, len(new), step):
        part = new[first : first + step]
        index.add_with_ids(store.vectors(part), part)
    return index


def _generation_of(file: Path) -> int:
    return int(file.stem.rpartition("-")[2])


def _cache_file(store: Store) -> Path:
    return store.folder / f"{_PREFIX}{store.index_id[:12]}-{store.generation:012}.faiss"


def _cache_files(store: Store) -> list[Path]:
    return sorted(store.folder.glob(f"{_PREFIX}{store.index_id[:12]}-*.faiss"))


def _lists_for(windows: int) -> int:
    """Return the number of inverted lists, about 4 times the root; 0 for an exact index."""
    return 0 if windows <= EXACT_LIMIT else int(4 * windows**0.5)


def _lists_to_probe(index: Any, allowed: int) -> int:
    """Return how many lists are searched for ``allowed`` of an inverted file's windows.

    All where every vector of an index of that size would be compared; else so many that as many
    vectors are compared as without a filter.
    """
    if allowed <= EXACT_LIMIT:
        return int(index.nlist)
    return int(min(index.nlist, index.nprobe * index.ntotal / allowed + 1))


def _fits(index: Any, windows: int) -> bool:
    """Return whether an index is of the kind that fits the number of windows, within a factor."""
    lists = _lists_for(windows)
    if isinstance(index, faiss.IndexIVFScalarQuantizer):
        as_stored = index.sq.qtype == faiss.ScalarQuantizer.QT_fp16
        return as_stored and index.nlist / 2 <= lists <= index.nlist * 2
    return lists == 0


def _empty_index(store: Store, ids: IdArray) -> Any:
    dimension = store.settings.dimension
    lists = _lists_for(len(ids))
    if not lists:
        return faiss.IndexIDMap2(faiss.IndexFlatIP(dimension))
    # The store keeps float16, so nothing is lost to the quantiser.
    index: Any = faiss.index_factory(dimension, f"IVF{lists},SQfp16", faiss.METRIC_INNER_PRODUCT)
    index.nprobe = max(1, int(lists * _PROBED))
    sample = np.sort(
        np.random.default_rng(0).choice(
            ids, min(len(ids), lists * _TRAINING_VECTORS_A_LIST), replace=False
        )
    )
    index.train(store.vectors(sample))
    return index


def _ids(index: Any) -> IdArray:
    if isinstance(index, faiss.IndexIVF):
        inverted: Any = index.invlists
        lists = [
            faiss.rev_swig_ptr(inverted.get_ids(n), inverted.list_size(n)).copy()
            for n in range(index.nlist)
            if inverted.list_size(n)
        ]
        return np.sort(np.concatenate(lists)) if lists else np.empty(0, np.int64)
    return np.sort(faiss.vector_to_array(index.id_map))
