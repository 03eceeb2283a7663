"""Fusion of both searches: scores, prominences, and what a hit holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import pytest

from docqa.index.dense import DenseIndex
from docqa.index.full_text import FullText
from docqa.index.search import Searches, search, z_scores
from docqa.index.store import Store, Vectors
from docqa.ingest.document import Document
from docqa.ingest.windows import Window

TEXT = "red lease. blue rent. green notice."
STARTS = (0, 11, 22)


class Found:
    """A search that finds what the test says."""

    def __init__(self, rows: dict[int, float]) -> None:
        self.rows = rows

    def dense(self) -> DenseIndex:
        return cast(DenseIndex, self)

    def search(self, questions: Vectors, k: int, allowed: object = None) -> tuple[Any, Any]:
        ids = [*self.rows, *[-1] * (k - len(self.rows))]
        scores = [*self.rows.values(), *[0.0] * (k - len(self.rows))]
        return np.array([scores] * len(questions)), np.array([ids] * len(questions))


class Words(Found):
    def search(self, store: Any, question: Any, k: Any, allowed: Any = None) -> Any:  # type: ignore[override]
        return list(self.rows.items())


@pytest.fixture
def store(new_store: Store) -> Store:
    """A document of three windows, whose vectors are the first three unit vectors."""
    windows = [
        Window(start, start + 10, np.array([5, 6], np.int32), np.array([[0, 3], [4, 9]], np.int32))
        for start in STARTS
    ]
    vectors = np.eye(new_store.settings.dimension, dtype=np.float32)[:3]
    new_store.put(Document("/d/a.pdf", "pdf", TEXT, (0, 11), "", 1, 1), windows, vectors)
    return new_store


def found(store: Store, dense: dict[int, float], words: dict[int, float], k: int = 10) -> Sequence:
    searches = Searches(Found(dense).dense(), cast(FullText, Words(words)))
    question = np.zeros((1, store.settings.dimension), np.float32)
    question[0, 2] = 0.5
    [hits] = search(store, searches, ["?"], question, k)
    return hits


def test_z_scores_have_mean_0_and_deviation_1() -> None:
    z = z_scores(np.array([1.0, 2.0, 6.0], np.float32))
    assert z.mean() == pytest.approx(0, abs=1e-6)
    assert z.std() == pytest.approx(1)
    assert z_scores(np.array([3.0, 3.0], np.float32)).tolist() == [0, 0], "they do not differ"
    assert z_scores(np.empty(0, np.float32)).tolist() == []


def test_scores_are_sums_of_z_scores_and_prominences_z_scores_of_those(store: Store) -> None:
    one, two, three = store.window_ids().tolist()
    hits = found(store, {one: 0.9, two: 0.1, three: 0.2}, {one: 3.0, two: 8.0, three: 1.0})
    cosines = z_scores(np.array([0.9, 0.1, 0.2], np.float32))
    words = z_scores(np.array([3.0, 8.0, 1.0], np.float32))
    wanted = dict(zip((one, two, three), (cosines + words).tolist(), strict=True))
    assert [hit.id for hit in hits] == sorted(wanted, key=lambda id_: -wanted[id_])
    assert [hit.score for hit in hits] == pytest.approx(sorted(wanted.values(), reverse=True))
    scores = np.array([hit.score for hit in hits], np.float32)
    assert [hit.prominence for hit in hits] == pytest.approx(z_scores(scores).tolist())


def test_a_window_found_by_its_words_alone_gets_its_own_cosine(store: Store) -> None:
    one, two, three = store.window_ids().tolist()
    hits = found(store, {one: 0.9, two: 0.1}, {three: 4.0})
    cosines = z_scores(np.array([0.9, 0.1, 0.5], np.float32))
    words = z_scores(np.array([0.0, 0.0, 4.0], np.float32))
    assert {hit.id: hit.score for hit in hits} == pytest.approx(
        dict(zip((one, two, three), (cosines + words).tolist(), strict=True)), abs=1e-3
    )


def test_prominence_is_among_the_hits_and_not_among_all_that_was_found(store: Store) -> None:
    one, two, three = store.window_ids().tolist()
    hits = found(store, {one: 0.9, two: 0.5, three: -0.9}, {}, k=2)
    assert [hit.id for hit in hits] == [one, two]
    assert [hit.prominence for hit in hits] == pytest.approx([1, -1])


def test_a_hit_has_all_that_reading_it_takes(store: Store) -> None:
    _, two, _ = store.window_ids().tolist()
    [hit] = found(store, {two: 0.5}, {})
    assert (hit.document, hit.start, hit.end, hit.page) == ("/d/a.pdf", 11, 21, 2)
    assert (hit.document_id, hit.text) == (store.document_ids()[0], TEXT[11:21])
    assert hit.window.token_ids.tolist() == [5, 6]
    assert hit.to_dict().keys() == {
        "document", "start", "end", "page", "score", "prominence", "copies", "text"
    }  # fmt: skip


def put_copies(store: Store, text: str, count: int) -> None:
    """Put documents of one window each, with the same text."""
    window = Window(0, len(text), np.array([7], np.int32), np.array([[0, 3]], np.int32))
    vectors = np.eye(store.settings.dimension, dtype=np.float32)[3:4]
    for number in range(count):
        store.put(Document(f"/d/c{number}", "text", text, (), "", 1, 1), [window], vectors)


def test_copies_of_a_window_are_one_hit_and_push_no_other_out(store: Store) -> None:
    """Fault: ten copies of a file took all ten places, and nothing else was read."""
    other = store.window_ids().tolist()[0]
    put_copies(store, "the fee is nine euros", 12)
    copies = store.window_ids().tolist()[3:]
    hits = found(store, dict.fromkeys(copies, 0.9) | {other: 0.2}, {}, k=2)
    assert [hit.id for hit in hits] == [copies[0], other]
    assert [hit.prominence for hit in hits] == pytest.approx([1, -1])
    assert [copy.document_id for copy in hits[0].copies] == store.document_ids()[2:]
    assert hits[1].copies == ()


def test_copies_in_the_thousands_push_no_other_out(store: Store) -> None:
    put_copies(store, "the fee is nine euros", 500)
    first, *copies = store.window_ids().tolist()
    scores = dict.fromkeys(copies[2:], 0.9) | {first: 0.2}

    class Offers(Found):
        def search(self, questions: Vectors, k: int, allowed: Any = None) -> tuple[Any, Any]:
            self.rows = dict(list(scores.items())[:k])
            return super().search(questions, k, allowed)

    searches = Searches(Offers({}).dense(), cast(FullText, Words({})))
    question = np.zeros((1, store.settings.dimension), np.float32)
    [hits] = search(store, searches, ["?"], question, 2)
    assert [hit.id for hit in hits] == [copies[2], first]
    assert len(hits[0].copies) == 499


def test_at_least_one_hit_must_be_wanted(store: Store) -> None:
    with pytest.raises(ValueError, match="at least one"):
        found(store, {}, {}, k=0)


def test_more_hits_than_sqlite_takes_variables_are_fetched(store: Store) -> None:
    """Fault: each id was a variable of its own, and SQLite takes no more than 32,766."""
    [one, *_] = store.window_ids().tolist()
    many = 40_000
    assert len(store.hits([one] * many, [0.0] * many, [0.0] * many)) == many
