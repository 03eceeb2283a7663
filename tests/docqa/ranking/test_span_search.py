"""Span search against brute force, on the CPU and on a GPU where there is one."""

from __future__ import annotations

import math
from itertools import islice

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from docqa.ranking.span_search import (
    NO_SPAN,
    Demotion,
    Logits,
    best_spans,
    length_penalties,
    log_normalizers,
    ranked_spans,
    top_spans,
)

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
VALUES = st.integers(-40, 40).map(lambda n: n / 8)  # exact in float32, and ties happen
LENGTH_WEIGHTS = st.sampled_from([0.0, 0.125, 2.0])


@st.composite
def readings(draw: st.DrawFn) -> tuple[Logits, list[int], list[np.ndarray], list[float]]:
    """Logits of up to four windows, with documents, token offsets and biases."""
    windows = draw(st.integers(1, 4))
    tokens = draw(st.integers(1, 9))
    grid = st.lists(
        st.lists(VALUES, min_size=tokens, max_size=tokens), min_size=windows, max_size=windows
    )
    start, end = (torch.tensor(draw(grid), dtype=torch.float32) for _ in range(2))
    allowed = torch.zeros(windows, tokens, dtype=torch.bool)
    offsets = []
    for w in range(windows):
        length = draw(st.integers(0, tokens))
        allowed[w, :length] = True
        widths = draw(st.lists(st.integers(1, 3), min_size=tokens, max_size=tokens))
        gaps = draw(st.lists(st.integers(0, 1), min_size=tokens, max_size=tokens))
        first = draw(st.integers(0, 6))
        ends = first + np.cumsum(widths) + np.cumsum(gaps)
        offsets.append(np.stack([ends - widths, ends], axis=1).astype(np.int32)[:length])
    null = torch.tensor(draw(st.lists(VALUES, min_size=2 * windows, max_size=2 * windows)))
    documents = draw(st.lists(st.integers(0, 1), min_size=windows, max_size=windows))
    biases = draw(st.lists(VALUES, min_size=windows, max_size=windows))
    return Logits(start, end, allowed, null[:windows], null[windows:]), documents, offsets, biases


def more_words(offsets: np.ndarray, first: int, last: int) -> int:
    """How many words begin in a span after its first token."""
    return sum(offsets[k, 0] > offsets[k - 1, 1] for k in range(first + 1, last + 1))


def all_spans(
    logits: Logits, offsets: list[np.ndarray], longest: int, weight: float = 0.0
) -> list[tuple[float, int, int, int]]:
    """Every allowed span as ``(value, window, first, last)``."""
    windows, tokens = logits.start.shape
    return [
        (
            float(logits.start[w, i] + logits.end[w, j]) - weight * more_words(offsets[w], i, j),
            w,
            i,
            j,
        )
        for w in range(windows)
        for i in range(tokens)
        for j in range(i, min(i + longest, tokens))
        if logits.allowed[w, i] and logits.allowed[w, j]
    ]


def on(logits: Logits, device: str) -> Logits:
    fields = (logits.start, logits.end, logits.allowed, logits.null_start, logits.null_end)
    return Logits(*(field.to(device) for field in fields))


@pytest.mark.parametrize("device", DEVICES)
@settings(deadline=None)
@given(readings(), st.integers(1, 12), LENGTH_WEIGHTS)
def test_best_spans_are_those_of_brute_force(
    device: str, reading: tuple, longest: int, weight: float
) -> None:
    logits, offsets = on(reading[0], device), reading[2]
    penalties = length_penalties(offsets, logits.start, weight)
    scores, firsts, lasts = best_spans(logits.start, logits.end, logits.allowed, longest, penalties)
    spans = all_spans(reading[0], offsets, longest, weight)
    for w in range(logits.start.shape[0]):
        of_window = [span for span in spans if span[1] == w]
        if not of_window:
            assert float(scores[w]) == NO_SPAN
            continue
        assert float(scores[w]) == max(of_window)[0]
        assert (float(scores[w]), w, int(firsts[w]), int(lasts[w])) in of_window


@pytest.mark.parametrize("device", DEVICES)
@settings(deadline=None)
@given(readings(), st.integers(1, 12), st.integers(1, 30))
def test_top_spans_are_those_of_brute_force(
    device: str, reading: tuple, longest: int, k: int
) -> None:
    logits, offsets = on(reading[0], device), reading[2]
    scores, firsts, lasts = top_spans(logits.start, logits.end, logits.allowed, longest, k)
    spans = all_spans(reading[0], offsets, longest)
    for w in range(logits.start.shape[0]):
        of_window = sorted((span for span in spans if span[1] == w), reverse=True)[:k]
        found = [float(score) for score in scores[w] if score > NO_SPAN]
        assert found == [span[0] for span in of_window]
        for score, first, last in zip(found, firsts[w], lasts[w], strict=False):
            assert (score, w, int(first), int(last)) in spans


@pytest.mark.parametrize("device", DEVICES)
@settings(deadline=None)
@given(readings(), st.integers(1, 12), LENGTH_WEIGHTS)
def test_ranked_spans_are_the_greedy_choice_among_all_spans(
    device: str, reading: tuple, longest: int, weight: float
) -> None:
    logits, documents, offsets, biases = reading
    placed = on(logits, device)
    penalties = length_penalties(offsets, placed.start, weight)
    ranked = list(ranked_spans(placed, documents, offsets, biases, longest, penalties))
    everything = all_spans(logits, offsets, longest, weight)
    scores = all_spans(logits, offsets, longest)
    taken: list[tuple[int, int, int]] = []
    for span, place in ranked:
        words = more_words(offsets[span.window], span.first, span.last)
        rank = span.score + biases[span.window] - weight * words
        free = [
            value + biases[w]
            for value, w, i, j in everything
            if not any(
                d == documents[w] and offsets[w][i, 0] < high and low < offsets[w][j, 1]
                for d, low, high in taken
            )
        ]
        assert rank == pytest.approx(max(free))
        assert (span.score, span.window, span.first, span.last) in scores
        assert place.start == offsets[span.window][span.first, 0]
        assert place.end == offsets[span.window][span.last, 1]
        assert not any(
            d == place.document and place.start < high and low < place.end for d, low, high in taken
        )
        taken.append((place.document, place.start, place.end))
    for _, w, i, j in everything:  # nothing that is left would not overlap
        assert any(
            d == documents[w] and offsets[w][i, 0] < high and low < offsets[w][j, 1]
            for d, low, high in taken
        )


@settings(deadline=None)
@given(readings())
def test_confidences_of_all_spans_sum_to_at_most_one(reading: tuple) -> None:
    logits = reading[0]
    log_start, log_end = log_normalizers(logits)
    tokens = logits.start.shape[1]
    spans = all_spans(logits, reading[2], tokens)
    assert sum(math.exp(span[0] - log_start - log_end) for span in spans) <= 1 + 1e-5
    nulls = torch.exp(logits.null_start - log_start).sum()
    starts = torch.exp(logits.start[logits.allowed] - log_start).sum()
    assert float(nulls + starts) == pytest.approx(1, abs=1e-5)


def logits_of(start: list[list[float]], end: list[list[float]]) -> Logits:
    windows = len(start)
    return Logits(
        torch.tensor(start),
        torch.tensor(end),
        torch.ones(windows, len(start[0]), dtype=torch.bool),
        torch.zeros(windows),
        torch.zeros(windows),
    )


def test_the_maximum_is_global_and_not_of_each_window_s_softmax() -> None:
    # The second window is surer inside itself; the first has the greater logits.
    logits = logits_of([[9.0, 8.9], [2.0, -9.0]], [[9.0, 8.9], [2.0, -9.0]])
    offsets = [np.array([[0, 2], [3, 5]], np.int32)] * 2
    [(span, _)] = islice(ranked_spans(logits, [0, 1], offsets, [0.0, 0.0], 5), 1)
    assert (span.window, span.score) == (0, 18.0)


def test_an_end_never_comes_before_its_start() -> None:
    logits = logits_of([[0.0, 0.0, 9.0]], [[9.0, 0.0, 0.0]])
    _, firsts, lasts = best_spans(logits.start, logits.end, logits.allowed, 3)
    assert int(firsts[0]) <= int(lasts[0])


def test_the_same_place_in_two_windows_is_one_answer_and_the_same_text_in_two_places_two() -> None:
    logits = logits_of([[5.0], [4.0], [3.0]], [[5.0], [4.0], [3.0]])
    offsets = [np.array([[4, 7]]), np.array([[4, 7]]), np.array([[20, 23]])]
    found = [place for _, place in ranked_spans(logits, [0, 0, 0], offsets, [0.0] * 3, 1)]
    assert [(place.start, place.end) for place in found] == [(4, 7), (20, 23)]


def test_a_span_beside_a_better_one_that_lies_between_two_tokens_is_not_lost() -> None:
    """Fault: the whole span that overlapped the better one was left out of the search."""
    start = torch.zeros(2, 3)
    end = torch.tensor([[5.0, 0.0, 0.0], [0.0, 0.0, 4.0]])
    allowed = torch.tensor([[True, False, False], [True, True, True]])
    logits = Logits(start, end, allowed, torch.zeros(2), torch.zeros(2))
    offsets = [np.array([[8, 9]]), np.array([[0, 3], [4, 7], [10, 12]])]
    found = [place for _, place in ranked_spans(logits, [0, 0], offsets, [0.0, 0.0], 3)]
    assert [(place.start, place.end) for place in found] == [(8, 9), (10, 12), (0, 3), (4, 7)]


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.sets(st.integers(1, 7)))
def test_no_span_goes_over_a_barrier_and_no_other_is_lost(seed: int, breaks: set[int]) -> None:
    torch.manual_seed(seed)
    start, end = torch.randn(1, 8), torch.randn(1, 8)
    logits = Logits(start, end, torch.ones(1, 8, dtype=torch.bool), torch.zeros(1), torch.zeros(1))
    offsets = [np.array([[3 * n, 3 * n + 2] for n in range(8)], np.int32)]

    def barrier(window: int, first: int, last: int) -> int | None:
        return min((n for n in breaks if first < n <= last), default=None)

    best, _ = next(ranked_spans(logits, [0], offsets, [0.0], 4, barrier=barrier))
    allowed = [
        (float(start[0, i] + end[0, j]), i, j)
        for i in range(8)
        for j in range(i, min(i + 4, 8))
        if barrier(0, i, j) is None
    ]
    assert (best.first, best.last) == max(allowed)[1:]


@settings(deadline=None)
@given(
    st.integers(0, 10_000), st.sets(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=30)
)
def test_demoted_spans_come_later_and_no_other_is_lost(
    seed: int, later: set[tuple[int, int]]
) -> None:
    torch.manual_seed(seed)
    start, end = torch.randn(1, 7), torch.randn(1, 7)
    logits = Logits(start, end, torch.ones(1, 7, dtype=torch.bool), torch.zeros(1), torch.zeros(1))
    offsets = [np.array([[3 * n, 3 * n + 2] for n in range(7)], np.int32)]
    demotion = Demotion(lambda _, first, last: (first, last) in later, 1.5)

    def value(first: int, last: int) -> float:
        return float(start[0, first] + end[0, last]) - 1.5 * ((first, last) in later)

    left = {(i, j) for i in range(7) for j in range(i, min(i + 4, 7))}
    for span, _ in ranked_spans(logits, [0], offsets, [0.0], 4, demotion=demotion):
        assert (span.first, span.last) == max(left, key=lambda one: value(*one))
        assert span.score == pytest.approx(float(start[0, span.first] + end[0, span.last]))
        left = {(i, j) for i, j in left if j < span.first or i > span.last}
    assert not left


def test_no_windows_give_no_spans() -> None:
    empty = torch.empty(0, 0)
    logits = Logits(empty, empty, empty.bool(), torch.empty(0), torch.empty(0))
    assert list(ranked_spans(logits, [], [], [], 5)) == []


def test_an_answer_needs_a_token() -> None:
    with pytest.raises(ValueError, match="at least one token"):
        best_spans(torch.zeros(1, 1), torch.zeros(1, 1), torch.ones(1, 1).bool(), 0)
