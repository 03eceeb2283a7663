"""Which windows hold the words that many windows hold: a cache of the full text's inverted lists.

FTS5 takes each window that shares a word with a question in hand to score it, one by one; with a
million windows that takes longer than to read the answer. Here the windows of each frequent word
lie side by side in one file that is mapped into memory, and are scored at once. What few windows
hold, FTS5 finds fast enough: it is asked for rare words, and for what has changed since the file
was written. The file is written whole or not at all; without it all is found through FTS5 alone.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from index.files import replaced
from index.store import TOKENIZE, IdArray, Store, Vectors

# Up to this many windows FTS5 alone is as fast (docs/benchmarks.md, "From a thousand ...").
FTS5_LIMIT = 20_000
# Words in fewer windows than this are looked up in the full text itself.
_FREQUENT = 200
# Of the windows: what may be new or gone before the file is written anew.
_OUTDATED = 0.1
_LONGEST_TERM = 64  # bytes
_K1, _B = 1.2, 0.75
_BLOCK = 64


@dataclass(frozen=True)
class Postings:
    """The windows of frequent words, as they were at one generation of the store.

    Attributes:
        generation: the store's, when they were collected.
        ids: ``(windows,)`` all window ids, ascending; a window's place here is its slot.
        norms: ``(windows,)`` ``k1 * (1 - b + b * length / mean length)``, lengths in words.
        terms: ``(terms,)`` words as FTS5 keeps them, in UTF-8, ascending.
        firsts: ``(terms + 1,)`` where each term's windows start in ``slots`` and ``counts``.
        slots: ``(entries,)`` the windows that hold the term, ascending.
        counts: ``(entries,)`` how often they do, at most 255.
    """

    generation: int
    ids: IdArray
    norms: Vectors
    terms: npt.NDArray[np.bytes_]
    firsts: IdArray
    slots: npt.NDArray[np.uint32]
    counts: npt.NDArray[np.uint8]

    @classmethod
    def load(cls, store: Store) -> Postings | None:
        """The newest that lie beside the store, mapped; None where there are none to be read."""
        for file in reversed(_files(store)):
            try:
                return cls(_generation(file), *_mapped(file))
            except (OSError, ValueError, TypeError):
                continue  # FTS5 does without; the next run of docqa index makes them anew
        return None

    @classmethod
    def collect(cls, store: Store) -> Postings:
        """Read them from the store's full text; takes about a minute for a million windows."""
        rows = store.db.execute("select id, sz from windows_fts_docsize order by id").fetchall()
        ids = np.fromiter((row[0] for row in rows), np.int64, len(rows))
        lengths = np.fromiter((_varint(row[1]) for row in rows), np.float32, len(rows))
        norms = _K1 * (1 - _B + _B * lengths / max(float(lengths.mean()), 1.0))
        _vocabularies(store)
        found = [
            (term.encode(), windows)
            for term, windows in store.db.execute("select term, doc from temp.windows_terms")
            if windows >= _FREQUENT
        ]
        found = sorted((t, n) for t, n in found if len(t) <= _LONGEST_TERM)
        firsts = np.cumsum([0, *(windows for _, windows in found)])
        slots = np.empty(firsts[-1], np.uint32)
        counts = np.empty(firsts[-1], np.uint8)
        for n, (term, _) in enumerate(found):
            windows, times = _instances(store, term.decode())
            slots[firsts[n] : firsts[n + 1]] = np.searchsorted(ids, windows)
            counts[firsts[n] : firsts[n + 1]] = np.minimum(times, 255)
        terms = np.array([term for term, _ in found], f"S{_LONGEST_TERM}")
        return cls(store.generation, ids, norms, terms, firsts, slots, counts)

    def save(self, store: Store) -> None:
        """Write them beside the store; the caller holds the writer's lock."""
        target = store.folder / f"{_prefix(store)}{self.generation:012}.words"
        arrays = (self.ids, self.norms, self.terms, self.firsts, self.slots, self.counts)
        with replaced(target) as part, part.open("wb") as stream:
            for array in arrays:
                np.save(stream, array)
        for old in store.folder.glob("words-*"):
            if old != target:
                old.unlink(missing_ok=True)

    def is_outdated(self, store: Store) -> bool:
        """Whether so much is new or gone that they should be collected anew."""
        if self.generation == store.generation:
            return False
        windows, new = store.db.execute(
            "select count(*), count(*) filter (where id > ?) from windows_fts_docsize",
            [self.last_id],
        ).fetchone()
        gone = len(self.ids) - (windows - new)
        return bool(new + gone > _OUTDATED * len(self.ids))

    def wrong_words(self, store: Store, sample: int = 50) -> list[str]:
        """Those of some sampled words whose windows are not the ones that the full text names."""
        _vocabularies(store)
        there = store.window_ids()
        wrong = []
        for n in range(0, len(self.terms), max(1, len(self.terms) // sample)):
            held = self.ids[self.slots[self.firsts[n] : self.firsts[n + 1]]]
            ids, _ = _instances(store, term := self.terms[n].decode())
            if not np.array_equal(held[np.isin(held, there)], ids[ids <= self.last_id]):
                wrong.append(term)
        return wrong

    @property
    def last_id(self) -> int:
        """The last window that is in them; those after it are new."""
        return int(self.ids[-1])

    def best(self, store: Store, words: list[str], limit: int) -> list[tuple[int, float]]:
        """The windows up to :attr:`last_id` that score best, as FTS5's ``bm25`` scores them.

        Args:
            words: runs of letters and digits, each once.

        Returns:
            ``(window id, score)``, best first. Scores are of the generation of the postings.
        """
        _vocabularies(store)
        scores = np.zeros(len(self.ids), np.float32)
        for word, times in Counter(_terms(words)).items():
            slots, counts = self._windows(store, word)
            idf = np.log((len(self.ids) - len(slots) + 0.5) / (len(slots) + 0.5))
            weight = np.float32(times * max(idf, 1e-6) * (_K1 + 1))
            scores[slots] += weight * counts / (counts + self.norms[slots])
        if self.generation != store.generation:
            best = _highest(scores, 2 * limit)
            ids = self.ids[best]
            best = best[np.isin(ids, store.present(ids))][:limit]
        else:
            best = _highest(scores, limit)
        return list(zip(self.ids[best].tolist(), scores[best].tolist(), strict=True))

    def _windows(
        self, store: Store, word: tuple[str, ...]
    ) -> tuple[npt.NDArray[Any], npt.NDArray[np.float32]]:
        """Slots of the windows that hold a word, and how often they do."""
        if len(word) == 1:
            term = word[0].encode()
            n = int(np.searchsorted(self.terms, np.array(term, self.terms.dtype)))
            if n < len(self.terms) and self.terms[n] == term:
                part = slice(int(self.firsts[n]), int(self.firsts[n + 1]))
                return self.slots[part], self.counts[part].astype(np.float32)
            ids, counts = _instances(store, word[0])
        else:  # parted by FTS5, as snake_case is: a phrase
            rows = store.db.execute(
                "select rowid from windows_fts where windows_fts match ?", [f'"{" ".join(word)}"']
            )
            ids = np.array([row[0] for row in rows], np.int64)
            counts = np.ones(len(ids), np.int64)
        slots = np.minimum(np.searchsorted(self.ids, ids), len(self.ids) - 1)
        known = self.ids[slots] == ids
        return slots[known], counts[known].astype(np.float32)


def _terms(words: list[str]) -> list[tuple[str, ...]]:
    """What FTS5 makes of each word: one term, sometimes several, or none (left out)."""
    db = sqlite3.connect(":memory:")
    try:
        db.execute(f"create virtual table words using fts5(word, tokenize='{TOKENIZE}')")
        db.execute("create virtual table terms using fts5vocab(words, instance)")
        db.executemany("insert into words(rowid, word) values (?, ?)", enumerate(words))
        found: dict[int, list[str]] = {}
        for row, term in db.execute("select doc, term from terms order by doc, offset"):
            found.setdefault(row, []).append(term)
    finally:
        db.close()
    return [tuple(terms) for terms in found.values()]


def _highest(scores: Vectors, limit: int) -> npt.NDArray[np.intp]:
    """Places of the highest scores above 0, highest first, at most ``limit``.

    As many blocks reach the floor as there are places to fill, so what is below is not among them.
    """
    floor = 0.0
    blocks = scores[: len(scores) // _BLOCK * _BLOCK].reshape(-1, _BLOCK).max(axis=1)
    if len(blocks) > limit:
        floor = np.partition(blocks, -limit)[-limit]
    places = np.flatnonzero((scores >= floor) & (scores > 0))
    return places[np.argsort(-scores[places], kind="stable")][:limit]


def _vocabularies(store: Store) -> None:
    for name, kind in (("windows_terms", "row"), ("windows_instances", "instance")):
        store.db.execute(
            f"create virtual table if not exists temp.{name}"
            f" using fts5vocab(main, windows_fts, {kind})"
        )


def _instances(store: Store, term: str) -> tuple[IdArray, IdArray]:
    """The windows that hold a term, ascending, and how often each does."""
    # One string is read faster than a row for each time that the term occurs.
    joined = store.db.execute(
        "select group_concat(doc) from temp.windows_instances where term = ?", [term]
    ).fetchone()[0]
    ids, counts = np.unique(np.fromstring(joined or "", np.int64, sep=","), return_counts=True)
    return ids, counts


def _varint(size: bytes) -> int:
    """A length as FTS5 keeps it: seven bits a byte, high ones first."""
    value = 0
    for byte in size:
        value = value << 7 | byte & 0x7F
    return value


def _prefix(store: Store) -> str:
    return f"words-{store.index_id[:12]}-"


def _files(store: Store) -> list[Path]:
    """Oldest first."""
    return sorted(store.folder.glob(f"{_prefix(store)}*.words"))


def _generation(file: Path) -> int:
    return int(file.stem.rpartition("-")[2])


def _mapped(file: Path) -> list[Any]:
    """The arrays of a file, one after another as numpy writes them, mapped into memory."""
    arrays = []
    with file.open("rb") as stream:
        for _ in range(6):
            if np.lib.format.read_magic(stream) != (1, 0):
                raise ValueError(f"{file} is of another version")
            shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
            array = np.memmap(file, dtype, "r", stream.tell(), shape)
            stream.seek(array.nbytes, 1)
            arrays.append(array)
    return arrays
