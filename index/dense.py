"""Nearest neighbours of vectors, with FAISS: a cache of what the store holds.

The cache is one file, written whole or not at all, and named after the index and the generation
of the store that it shows. A file of an older generation is mended from the store: what it lacks
is added, what it has too much of removed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from docqa.index.files import replaced
from docqa.index.store import IdArray, Store, Vectors

# Up to this many windows every vector is compared (docs/benchmarks.md, "From a thousand to a
# million windows").
EXACT_LIMIT = 50_000
_PREFIX = "vectors-"
# Lists searched of an inverted file, as a share of all lists.
_PROBED = 1 / 16
_TRAINING_VECTORS_A_LIST = 40


@dataclass
class DenseIndex:
    """Vectors by window id, searched by inner product.

    Attributes:
        generation: the store's, which it shows.
        rebuilt: why it was not read from its file; None where it was, or has been saved since.
    """

    generation: int
    rebuilt: str | None
    _index: Any
    # Whether the file is mapped into memory; then it can be searched, not changed.
    _mapped: bool

    @classmethod
    def load(cls, store: Store) -> DenseIndex:
        """The cache as it stands on disk, brought in line with the store.

        A file that shows the store's generation is mapped and not gone through. A cache that is
        missing, torn, foreign or of another kind is built from the store; ``rebuilt`` says so.
        Nothing is written: see :meth:`save`.
        """
        dense = cls._read(store)
        dense.sync(store)
        return dense

    @classmethod
    def _read(cls, store: Store) -> DenseIndex:
        files = _cache_files(store)
        if not files:
            return cls(-1, "it was missing", None, False)
        file = files[-1]
        generation = int(file.stem.rpartition("-")[2])
        mapped = generation == store.generation
        try:
            index = faiss.read_index(str(file), faiss.IO_FLAG_MMAP if mapped else 0)
            if index.d != store.settings.dimension:
                return cls(-1, "its vectors had another length", None, False)
            if not _fits(index, index.ntotal):
                return cls(-1, "it was of an older kind", None, False)
            return cls(generation, None, index, mapped)
        except (RuntimeError, AttributeError, MemoryError):
            return cls(-1, "it could not be read", None, False)

    @property
    def ids(self) -> IdArray:
        """``(windows,)`` the windows in it, ascending."""
        return _ids(self._index)

    def sync(self, store: Store) -> bool:
        """Bring the vectors in line with the store.

        Only what is new is added and only what is gone removed, unless the number of windows
        asks for another kind of index; then all is built anew. Costs nothing where the store's
        generation is still the same.

        Returns:
            Whether anything changed.
        """
        if self._index is not None and self.generation == store.generation:
            return False
        if self._mapped:  # whoever changed the store may have saved a newer file
            newer = self._read(store)
            self._index, self._mapped = newer._index, newer._mapped
            self.generation, self.rebuilt = newer.generation, newer.rebuilt
            return self.sync(store) or True
        wanted = store.window_ids()
        if self._index is None or not _fits(self._index, len(wanted)):
            self._index = _empty_index(store, wanted)
            new, gone = wanted, wanted[:0]
        else:
            held = self.ids
            gone = np.setdiff1d(held, wanted, assume_unique=True)
            new = np.setdiff1d(wanted, held, assume_unique=True)
        if len(gone):
            self._index.remove_ids(gone)
        step = 50_000
        for first in range(0, len(new), step):
            part = new[first : first + step]
            self._index.add_with_ids(store.vectors(part), part)
        self.generation = store.generation
        return True

    def search(self, questions: Vectors, k: int) -> tuple[Vectors, IdArray]:
        """The ``k`` nearest windows of each question.

        Args:
            questions: ``(questions, dimension)``, of length 1.

        Returns:
            ``(scores, ids)``, each ``(questions, min(k, windows))``; scores are cosines, best
            first. An approximate index may return fewer: their id is -1.
        """
        k = min(k, self._index.ntotal)
        if k == 0:
            return np.empty((len(questions), 0), np.float32), np.empty(
                (len(questions), 0), np.int64
            )
        scores, ids = self._index.search(questions, k)
        return scores, ids

    def nearest_to_itself(self, store: Store, sample: int = 1000) -> float:
        """The share of (sampled) stored vectors whose nearest neighbour is as near as itself."""
        ids = self.ids
        if not len(ids):
            return 1.0
        ids = ids[:: max(1, len(ids) // sample)]
        vectors = store.vectors(ids)
        scores, _ = self.search(vectors, 1)
        itself = np.einsum("nd,nd->n", vectors, vectors)
        return float(np.mean(np.abs(scores[:, 0] - itself) < 0.02))

    def save(self, store: Store) -> None:
        """Write the cache beside the store; the caller holds the writer's lock."""
        target = _cache_file(store)
        with replaced(target) as part:
            faiss.write_index(self._index, str(part))
        self.rebuilt = None
        for old in store.folder.glob(f"{_PREFIX}*"):
            if old != target:
                old.unlink(missing_ok=True)

    def is_saved(self, store: Store) -> bool:
        """Whether the file on disk is whole and shows the store's present generation."""
        return self.rebuilt is None and _cache_file(store).exists()


def _cache_file(store: Store) -> Path:
    return store.folder / f"{_PREFIX}{store.index_id[:12]}-{store.generation:012}.faiss"


def _cache_files(store: Store) -> list[Path]:
    return sorted(store.folder.glob(f"{_PREFIX}{store.index_id[:12]}-*.faiss"))


def _lists_for(windows: int) -> int:
    """How many inverted lists: 0 asks for an exact index, else about 4 times the root."""
    return 0 if windows <= EXACT_LIMIT else int(4 * windows**0.5)


def _fits(index: Any, windows: int) -> bool:
    """Whether an index is of the kind that so many windows ask for, within a factor of two."""
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
