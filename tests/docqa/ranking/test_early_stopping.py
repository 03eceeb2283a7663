"""Reading in growing groups: what is read, and that it comes to the same where all is read."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from docqa.index.hit import Hit
from docqa.ingest.windows import Window
from docqa.ranking.early_stopping import leads, read_gradually, windows_read
from docqa.ranking.reading import Job, Reading
from docqa.ranking.span_search import NO_SPAN, Logits
from docqa.settings import AnswerSettings

QUESTION = np.array([7, 8], np.int32)


def hit(start: int, tokens: int, prominence: float) -> Hit:
    offsets = np.array([(n, n + 1) for n in range(tokens)], np.int32)
    window = Window(start, start + tokens, np.full(tokens, start, np.int32), offsets)
    return Hit(start, 1, "/d/x.txt", None, window, "x" * tokens, 0.0, prominence)


class Scorer:
    """A reader in whose windows every token scores what the test says; keeps what it was given."""

    def __init__(self, scores: dict[int, float]) -> None:
        self.scores = scores
        self.groups: list[list[int]] = []

    def read(self, jobs: Sequence[Job]) -> list[Logits]:
        return [self._logits(job) for job in jobs]

    def _logits(self, job: Job) -> Logits:
        self.groups.append([window.start for window in job.windows])
        widest = max(len(window.token_ids) for window in job.windows)
        start = torch.full((len(job.windows), widest), NO_SPAN)
        for row, window in zip(start, job.windows, strict=True):
            row[: len(window.token_ids)] = self.scores[window.start] / 2
        null = torch.zeros(len(job.windows))
        return Logits(start, start.clone(), start > NO_SPAN, null, null)


def test_reading_stops_when_nothing_unread_can_win() -> None:
    hits = [hit(10 * n, 3 + n % 4, 2.0 - n) for n in range(10)]
    scorer = Scorer({10 * n: 5.0 if n == 4 else 0.0 for n in range(10)})
    settings = AnswerSettings(prior_weight=1.0, stop_margin=4.0)
    [(read, logits)] = read_gradually([QUESTION], [hits], scorer.read, settings)
    # 2 + 0 is no more than 4 above -1; 5 - 2 is more than 4 above -4.
    assert scorer.groups == [[0, 10, 20], [30, 40, 50]]
    assert [p.window.start for p in read] == [0, 10, 20, 30, 40, 50]
    assert logits.start.shape == (6, 6)
    assert logits.allowed.sum() == sum(3 + n % 4 for n in range(6))


def test_each_question_stops_for_itself() -> None:
    sure = [hit(10 * n, 3, -float(n)) for n in range(8)]
    unsure = [hit(100 + 10 * n, 3, 0.0) for n in range(8)]
    scorer = Scorer({p.window.start: 0.0 for p in (*sure, *unsure)} | {0: 9.0})
    settings = AnswerSettings(prior_weight=1.0, stop_margin=3.0)
    results = read_gradually([QUESTION, QUESTION], [sure, unsure], scorer.read, settings)
    assert [len(read) for read, _ in results] == [3, 8]


@given(
    st.lists(st.tuples(st.floats(-5, 5), st.floats(-3, 3)), min_size=1, max_size=14),
    st.sampled_from([-2.0, 0.0, 1.5, inf]),
)
def test_what_is_read_is_a_beginning_and_is_given_back_whole(
    windows: list[tuple[float, float]], margin: float
) -> None:
    hits = [hit(10 * n, 1 + n, z) for n, (_, z) in enumerate(windows)]
    scorer = Scorer({10 * n: score for n, (score, _) in enumerate(windows)})
    settings = AnswerSettings(stop_margin=margin)
    [(read, logits)] = read_gradually([QUESTION], [hits], scorer.read, settings)
    assert list(read) == hits[: len(read)]
    [everything] = Scorer(scorer.scores).read([Job(QUESTION, [one.window for one in hits])])
    whole = Reading("?", hits, everything, lambda _: pytest.fail("no text is needed"))
    assert windows_read(leads(whole, settings), margin) == len(read)
    assert len(logits.start) == len(read)
    if margin == inf:
        assert scorer.groups == [[10 * n for n in range(len(windows))]]
    best = [float(row[ok].max()) for row, ok in zip(logits.start, logits.allowed, strict=True)]
    assert best == pytest.approx([windows[n][0] / 2 for n in range(len(read))])
