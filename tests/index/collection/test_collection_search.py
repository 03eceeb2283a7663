"""A collection finds what one index finds, however the documents are shared out."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from docqa.index.collection.handle import CollectionHandle
from docqa.index.errors import FilterError
from docqa.index.handle import IndexHandle
from docqa.index.hit import Hit
from tests.index.collection.conftest import Corpora, Texts

WORDS = "lease rent tenant landlord notice month years signs Éclair snake_case 1999 the of".split()
QUESTIONS = ["Who signs the lease?", "rent 1999", "eclair of the month", "What is snake_case?", "?"]
ALIKE = 1e-4

texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=12).map(" ".join)
# Several documents share a text now and then: copies.
documents = st.lists(st.lists(texts, min_size=1, max_size=4), min_size=1, max_size=12)
numbers = count()


def search(
    handle: IndexHandle | CollectionHandle,
    corpora: Corpora,
    questions: Sequence[str],
    k: int = 10,
    within: tuple[str, ...] = (),
    offered: int = 200,
) -> list[list[Hit]]:
    vectors = corpora.embedder.questions(questions)
    if isinstance(handle, CollectionHandle):
        with handle.snapshot() as (shards, searches):
            return searches.search(shards, questions, vectors, k, within, offered)
    from docqa.index.search import search as search_index

    with handle.snapshot() as (store, of_index):
        return search_index(store, of_index, questions, vectors, k, within, offered)


def assert_same(one: list[Hit], other: list[Hit]) -> None:
    """Hits are the same and in the same order, but for windows that score alike."""
    assert [hit.score for hit in other] == pytest.approx([hit.score for hit in one], abs=ALIKE)
    assert [hit.prominence for hit in other] == pytest.approx(
        [hit.prominence for hit in one], abs=10 * ALIKE
    )
    last = one[-1].score if one else 0.0
    for hits, against in ((one, other), (other, one)):
        for hit in hits:
            if hit.score > last + ALIKE:  # at the end of the list a tie may be cut either way
                same = [h for h in against if abs(h.score - hit.score) < ALIKE]
                assert hit.text in [h.text for h in same]
    if one and len({round(hit.score, 3) for hit in one}) == len(one):
        places = [[(hit.document, hit.start, len(hit.copies)) for hit in h] for h in (one, other)]
        assert places[0] == places[1]


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), contents=documents)
def test_any_sharing_out_finds_what_one_index_finds(
    corpora: Corpora, data: st.DataObject, contents: list[list[str]]
) -> None:
    number = next(numbers)
    documents: list[Texts] = [
        (f"/docs/{n:02}/{'a' if n % 3 else 'b'}.txt", row) for n, row in enumerate(contents)
    ]
    shards = data.draw(st.integers(1, 4))
    places = data.draw(
        st.lists(st.integers(0, shards - 1), min_size=len(contents), max_size=len(contents))
    )
    offered = data.draw(st.sampled_from([3, 10, 200]))
    within = data.draw(st.sampled_from([(), ("**/a.txt",), ("/docs/03", "/docs/1?")]))
    one = corpora.index(f"one-{number}", documents)
    many = corpora.collection(f"many-{number}", documents, shards, places)
    with IndexHandle(one) as index, corpora.handle(many) as collection:
        try:
            expected = search(index, corpora, QUESTIONS, 5, within, offered)
        except FilterError:
            with pytest.raises(FilterError):
                search(collection, corpora, QUESTIONS, 5, within, offered)
            return
        found = search(collection, corpora, QUESTIONS, 5, within, offered)
        if offered >= 200:
            for n in range(len(QUESTIONS)):
                assert_same(expected[n], found[n])
        else:  # where pools are cut, equal windows at the cut may differ, and all scores with them
            assert [len(row) for row in found] == [len(row) for row in expected]
