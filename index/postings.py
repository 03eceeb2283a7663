"""Which windows hold the words that many windows hold: a cache of the full text's inverted lists.

FTS5 takes each window that shares a word with a question in hand to score it, one by one; with a
million windows that takes longer than to read the answer. Here the windows of each frequent word
lie side by side in one file that is mapped into memory, and are scored at once. What few windows
hold, FTS5 finds fast enough: it is asked for rare words. Windows that are newer than the file are
added in memory. The file is written whole or not at all; where there is none, or one that is too
old, FTS5 does alone.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from docqa.index import bm25
from docqa.index.files import replaced
from docqa.index.schema import TOKENIZE
from docqa.index.store import IdArray, Store, Vectors
from docqa.index.system_errors import file_errors
from docqa.index.within import Allowed

# Up to this many windows FTS5 alone is as fast (docs/benchmarks.md, "From a thousand").
FTS5_LIMIT = 20_000
# Words in fewer windows than this are looked up in the full text itself.
_FREQUENT = 200
# How many windows may be new, and what share gone, before a file is too old. What is new is added
# at each start, at some 50 microseconds a window.
_NEW = 3000
_GONE = 0.1
_LONGEST_TERM = 64  # bytes
# In how many windows a phrase is counted.
_COUNTED_PHRASES = 1000
_BLOCK = 64

# A word of a question as FTS5 takes it: one term, or several side by side.
Word = tuple[str, ...]


@dataclass(frozen=True)
class Postings:
    """The windows of words, as they were at one generation of the store.

    Attributes:
        generation: the store's, when they were collected.
        ids: ``(windows,)`` all window ids, ascending; a window's place here is its slot.
        lengths: ``(windows,)`` in words.
        terms: ``(terms,)`` words as FTS5 keeps them, in UTF-8, ascending.
        firsts: ``(terms + 1,)`` where each term's windows start in ``slots`` and ``counts``.
        slots: ``(entries,)`` the windows that hold the term, ascending.
        counts: ``(entries,)`` how often they do, at most 255.
    """

    generation: int
    ids: IdArray
    lengths: Vectors
    terms: npt.NDArray[np.bytes_]
    firsts: IdArray
    slots: npt.NDArray[np.uint32]
    counts: npt.NDArray[np.uint8]

    @classmethod
    def load(cls, store: Store) -> Postings | None:
        """Return the newest that lie beside the store, mapped; None without any of use."""
        for file in reversed(_files(store)):
            try:
                postings = cls(int(file.stem.rpartition("-")[2]), *_mapped(file))
            except (OSError, ValueError, TypeError):
                continue  # FTS5 does without; the next run of docqa index makes them anew
            return None if postings._is_too_old(store) else postings
        return None

    @classmethod
    def without_words(cls, db: sqlite3.Connection, generation: int) -> Postings:
        """Read the windows' lengths alone from a full text, which is then asked for all words.

        Args:
            db: with a table ``windows_fts``.
        """
        rows = db.execute("select id, sz from windows_fts_docsize order by id").fetchall()
        return cls(
            generation,
            ids=np.fromiter((row[0] for row in rows), np.int64, len(rows)),
            lengths=np.fromiter((_varint(row[1]) for row in rows), np.float32, len(rows)),
            terms=np.empty(0, f"S{_LONGEST_TERM}"),
            firsts=np.zeros(1, np.int64),
            slots=np.empty(0, np.uint32),
            counts=np.empty(0, np.uint8),
        )

    @classmethod
    def collect(cls, db: sqlite3.Connection, generation: int, least: int = _FREQUENT) -> Postings:
        """Read them from a full text; takes about a minute for a million windows.

        Args:
            db: with a table ``windows_fts``.
            least: in how many windows a word must be.
        """
        windows_only = cls.without_words(db, generation)
        ids, lengths = windows_only.ids, windows_only.lengths
        _attach_vocabularies(db)
        found = [
            (term.encode(), windows)
            for term, windows in db.execute("select term, doc from temp.windows_terms")
            if windows >= least
        ]
        found = sorted((t, n) for t, n in found if len(t) <= _LONGEST_TERM)
        firsts = np.cumsum([0, *(windows for _, windows in found)])
        slots = np.empty(firsts[-1], np.uint32)
        counts = np.empty(firsts[-1], np.uint8)
        for n, (term, _) in enumerate(found):
            windows, times = _instances(db, term.decode())
            slots[firsts[n] : firsts[n + 1]] = np.searchsorted(ids, windows)
            counts[firsts[n] : firsts[n + 1]] = np.minimum(times, 255)
        terms = np.array([term for term, _ in found], f"S{_LONGEST_TERM}")
        return cls(generation, ids, lengths, terms, firsts, slots, counts)

    def save(self, store: Store) -> None:
        """Write them beside the store; the caller holds the writer's lock.

        Raises:
            StorageError: they can't be written.
        """
        target = store.folder / f"{_prefix(store)}{self.generation:012}.words"
        arrays = (self.ids, self.lengths, self.terms, self.firsts, self.slots, self.counts)
        with (
            file_errors(store.folder),
            replaced(target) as part,
            part.open("wb") as stream,
        ):
            for array in arrays:
                np.save(stream, array)
        for old in store.folder.glob("words-*"):
            if old != target:
                old.unlink(missing_ok=True)

    def find_windows(
        self, term: str
    ) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint8]] | None:
        """Return a term's slots and counts; None where the term is not here."""
        wanted = np.array(term.encode(), self.terms.dtype)
        n = int(np.searchsorted(self.terms, wanted))
        if n == len(self.terms) or self.terms[n] != term.encode():
            return None
        part = slice(int(self.firsts[n]), int(self.firsts[n + 1]))
        return self.slots[part], self.counts[part]

    def find_wrong_words(self, store: Store, sample: int = 50) -> list[str]:
        """Return sampled words whose windows here are not those that the full text names."""
        _attach_vocabularies(store.db.conn)
        there = store.window_ids()
        wrong = []
        for n in range(0, len(self.terms), max(1, len(self.terms) // sample)):
            held = self.ids[self.slots[self.firsts[n] : self.firsts[n + 1]]]
            ids, _ = _instances(store.db.conn, term := self.terms[n].decode())
            if not np.array_equal(held[np.isin(held, there)], ids[ids <= self.ids[-1]]):
                wrong.append(term)
        return wrong

    def _is_too_old(self, store: Store) -> bool:
        if self.generation == store.generation:
            return False
        windows, new = store.db.execute(
            "select count(*), count(*) filter (where id > ?) from windows_fts_docsize",
            [int(self.ids[-1])],
        ).fetchone()
        gone = len(self.ids) - (windows - new)
        return bool(new > _NEW or gone > _GONE * len(self.ids))


@dataclass(frozen=True, slots=True)
class WordStatistics:
    """What BM25 has to know of all windows that a search looks through.

    Attributes:
        windows: how many.
        words: how many words they have together.
        holding: how many windows hold each word of the questions.
    """

    windows: int
    words: float
    holding: dict[Word, int]

    @property
    def mean(self) -> float:
        """How many words a window has."""
        return self.words / self.windows if self.windows else 0.0

    @classmethod
    def total(cls, parts: Iterable[WordStatistics]) -> WordStatistics:
        """Return the statistics of all windows of several indexes."""
        windows, words, holding = 0, 0.0, Counter[Word]()
        for part in parts:
            windows += part.windows
            words += part.words
            holding.update(part.holding)
        return cls(windows, words, dict(holding))


@dataclass(frozen=True)
class Scorer:
    """Postings brought in line with the store, to score windows with.

    Attributes:
        saved: as they lie beside the store.
        recent: of the windows that are newer; None where there are none.
        ids: ``(windows,)`` of both, ascending.
        lengths: ``(windows,)`` of both, in words.
        norms: ``(windows,)`` see :func:`docqa.index.bm25.length_norms`.
    """

    saved: Postings
    recent: Postings | None
    ids: IdArray
    lengths: Vectors
    norms: Vectors

    @classmethod
    def load(cls, store: Store, always: bool = False) -> Scorer | None:
        """Return a scorer for what lies beside the store; None where that is of no use.

        Args:
            always: return one that asks the full text for every word, then.
        """
        saved = Postings.load(store)
        if saved is None:
            if not always:
                return None
            saved = Postings.without_words(store.db.conn, store.generation)
        recent = None
        if saved.generation != store.generation:
            recent = _recent(store, int(saved.ids[-1]))
        ids, lengths = saved.ids, saved.lengths
        if recent is not None:
            ids = np.concatenate([ids, recent.ids])
            lengths = np.concatenate([lengths, recent.lengths])
        mean = float(lengths.mean()) if len(lengths) else 0.0
        return cls(saved, recent, ids, lengths, bm25.length_norms(lengths, mean))

    def statistics(self, store: Store, words: Iterable[Word]) -> WordStatistics:
        """Return what BM25 has to know of this index's windows for some words."""
        _attach_vocabularies(store.db.conn)
        holding = {word: len(self._find_windows(store, word)[0]) for word in set(words)}
        return WordStatistics(len(self.ids), float(self.lengths.sum(dtype=np.float64)), holding)

    def for_mean(self, mean: float) -> Scorer:
        """Return a scorer of the same windows among others, which have so many words on average."""
        return replace(self, norms=bm25.length_norms(self.lengths, mean))

    def find_best(
        self,
        store: Store,
        words: Mapping[Word, int],
        limit: int,
        allowed: Allowed | None = None,
        statistics: WordStatistics | None = None,
    ) -> list[tuple[int, float]]:
        """Return the windows that score best, as FTS5's ``bm25`` scores them.

        What is gone since the postings were saved still counts in how rare a word is.

        Args:
            words: of a question, from :func:`split_words`.
            allowed: the windows that may be found; all if not given.
            statistics: of all windows that the search looks through, where these are more than
                this index's; the scorer is then one of :meth:`for_mean`.

        Returns:
            ``(window id, score)``, best first.
        """
        _attach_vocabularies(store.db.conn)
        scores = np.zeros(len(self.ids), np.float32)
        for word, times in words.items():
            slots, counts = self._find_windows(store, word)
            if statistics is None:
                idf = bm25.idf(len(self.ids), len(slots))
            else:
                idf = bm25.idf(statistics.windows, statistics.holding[word])
            weight = np.float32(times * idf)
            scores[slots] += weight * bm25.word_scores(counts, self.norms[slots])
        if allowed is not None:
            scores = self._only(allowed, scores)
        if allowed is not None or self.saved.generation == store.generation:
            best = _find_highest(scores, limit)
        else:
            best = _find_highest(scores, 2 * limit)
            best = best[np.isin(self.ids[best], store.present(self.ids[best]))][:limit]
        return list(zip(self.ids[best].tolist(), scores[best].tolist(), strict=True))

    def _only(self, allowed: Allowed, scores: Vectors) -> Vectors:
        """Return scores that are 0 for whatever is not allowed; what is allowed is there still."""
        slots = np.searchsorted(self.ids, allowed.ids)
        known = slots < len(self.ids)
        slots = slots[known]
        slots = slots[self.ids[slots] == allowed.ids[known]]
        kept = np.zeros_like(scores)
        kept[slots] = scores[slots]
        return kept

    def _find_windows(
        self, store: Store, word: Word
    ) -> tuple[npt.NDArray[Any], npt.NDArray[np.float32]]:
        """Return the slots of the windows that hold a word, and how often they do."""
        held = self.saved.find_windows(word[0]) if len(word) == 1 else None
        if held is not None:
            slots, counts = held
            more = self.recent.find_windows(word[0]) if self.recent is not None else None
            if more is not None:
                slots = np.concatenate([slots, more[0] + np.uint32(len(self.saved.ids))])
                counts = np.concatenate([counts, more[1]])
            return slots, counts.astype(np.float32)
        if len(word) == 1:
            ids, times = _instances(store.db.conn, word[0])
        else:  # parted by FTS5, as snake_case is: a phrase
            ids, times = _phrases(store.db.conn, word)
        return np.searchsorted(self.ids, ids), times.astype(np.float32)


def _recent(store: Store, after: int) -> Postings | None:
    """Return the postings of all words of the windows after one; None where there are none."""
    db = sqlite3.connect(":memory:")
    try:
        db.execute(f"create virtual table windows_fts using fts5(text, tokenize='{TOKENIZE}')")
        db.executemany(
            "insert into windows_fts(rowid, text) values (?, ?)",
            store.db.execute("select id, searched_text from windows where id > ?", [after]),
        )
        recent = Postings.collect(db, store.generation, least=1)
    finally:
        db.close()
    return recent if len(recent.ids) else None


def split_words(words: list[str]) -> Counter[Word]:
    """Return the words that FTS5 makes of runs of letters and digits, and how often each comes.

    A run may become one term, several, or none: then it is left out.
    """
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
    return Counter(tuple(terms) for terms in found.values())


def _find_highest(scores: Vectors, limit: int) -> npt.NDArray[np.intp]:
    """Return the places of the highest scores above 0, highest first, at most ``limit``.

    As many blocks reach the floor as there are places to fill, so what is below is not among them.
    """
    floor = 0.0
    blocks = scores[: len(scores) // _BLOCK * _BLOCK].reshape(-1, _BLOCK).max(axis=1)
    if len(blocks) > limit:
        floor = np.partition(blocks, -limit)[-limit]
    places = np.flatnonzero((scores >= floor) & (scores > 0))
    return places[np.argsort(-scores[places], kind="stable")][:limit]


def _attach_vocabularies(db: sqlite3.Connection) -> None:
    for name, kind in (("windows_terms", "row"), ("windows_instances", "instance")):
        db.execute(
            f"create virtual table if not exists temp.{name}"
            f" using fts5vocab(main, windows_fts, {kind})"
        )


def _instances(db: sqlite3.Connection, term: str) -> tuple[IdArray, IdArray]:
    """Return the windows that hold a term, ascending, and how often each does."""
    # One string is read faster than a row for each time that the term occurs.
    joined = db.execute(
        "select group_concat(doc) from temp.windows_instances where term = ?", [term]
    ).fetchone()[0]
    ids, counts = np.unique(np.fromstring(joined or "", np.int64, sep=","), return_counts=True)
    return ids, counts


def _phrases(db: sqlite3.Connection, word: Word) -> tuple[IdArray, IdArray]:
    """Return the windows that hold terms side by side, ascending, and how often each does.

    Where many do, each is taken to do so once: to count, FTS5 reads the windows' texts.
    """
    match = f'"{" ".join(word)}"'
    rows = db.execute("select rowid from windows_fts where windows_fts match ?", [match])
    ids = np.array([row[0] for row in rows], np.int64)
    if not 0 < len(ids) <= _COUNTED_PHRASES:
        return ids, np.ones(len(ids), np.int64)
    rows = db.execute(
        "select highlight(windows_fts, 0, char(1), ''), highlight(windows_fts, 0, '', '')"
        " from windows_fts where windows_fts match ? order by rowid",
        [match],
    )
    marked = [with_marks.count("\1") - without.count("\1") for with_marks, without in rows]
    return ids, np.maximum(np.array(marked, np.int64), 1)


def _varint(size: bytes) -> int:
    """Return a length as FTS5 keeps it: seven bits a byte, high ones first."""
    value = 0
    for byte in size:
        value = value << 7 | byte & 0x7F
    return value


def _prefix(store: Store) -> str:
    return f"words-{store.index_id[:12]}-"


def _files(store: Store) -> list[Path]:
    """Oldest first."""
    return sorted(store.folder.glob(f"{_prefix(store)}*.words"))


def _mapped(file: Path) -> list[Any]:
    """Return the arrays of a file, one after another as numpy writes them, mapped into memory."""
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
