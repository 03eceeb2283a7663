"""What is drawn for a question: the same again from the same seed, and never a false negative."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from docqa.evaluate.squad import load_squad
from docqa.ingest.windows import plain_tokenizer, tokenize
from docqa.model.rows import PairEncoder
from docqa.training.batch import make_batches
from docqa.training.examples import Examples, TokenRange, make_examples
from docqa.training.sampling import Drawer, Drawn
from docqa.training.settings import Normalize, TrainSettings

SETTINGS = TrainSettings(
    batch_questions=4, window_size=16, overlap=4, negatives=2, unanswerable=0.3
)


@pytest.fixture(scope="module")
def data(ten_questions: Path, tiny_tokenizer_json: str) -> Examples:
    tokenizer = plain_tokenizer(Tokenizer.from_str(tiny_tokenizer_json))
    return make_examples(load_squad(ten_questions), tokenizer)


@pytest.fixture(scope="module")
def encoder(tiny_reader: Path) -> PairEncoder:
    from transformers import AutoModelForQuestionAnswering

    return PairEncoder(tiny_reader, AutoModelForQuestionAnswering.from_pretrained(tiny_reader))


def drawer(data: Examples, settings: TrainSettings) -> Drawer:
    return Drawer(data, settings, [[] for _ in data.examples], special=3, max_tokens=128)


def drawn(data: Examples, settings: TrainSettings, epoch: int = 0) -> list[Drawn]:
    return [one for step in drawer(data, settings).epoch(epoch) for one in step]


def test_every_question_once_an_epoch_in_another_order(data: Examples) -> None:
    first, second = ([d.example.number for d in drawn(data, SETTINGS, e)] for e in (0, 1))
    assert sorted(first) == sorted(second) == list(range(10))
    assert first != second
    assert drawer(data, SETTINGS).steps == 3


def test_an_epoch_goes_on_where_it_stopped(data: Examples) -> None:
    whole = list(drawer(data, SETTINGS).epoch(2))
    assert list(drawer(data, SETTINGS).epoch(2, first=1)) == whole[1:]


def test_negatives_hold_no_answer(data: Examples) -> None:
    for epoch in range(20):
        for one in drawn(data, SETTINGS, epoch):
            holding = [w for w in one.windows if one.example.gold and w.holds(one.example.gold)]
            assert len(holding) <= 1
            for window in one.windows:
                if window not in holding:
                    assert not any(answer in data.text(window) for answer in one.example.answers)


def test_unanswerable_questions_are_drawn_as_often_as_asked(data: Examples) -> None:
    without = [
        not any(one.example.gold and w.holds(one.example.gold) for w in one.windows)
        for epoch in range(60)
        for one in drawn(data, SETTINGS, epoch)
    ]
    assert 0.22 < np.mean(without) < 0.38


def test_without_negatives_unanswerable_questions_still_get_a_window(data: Examples) -> None:
    settings = replace(SETTINGS, negatives=0, unanswerable=0.5)
    windows = [one.windows for epoch in range(30) for one in drawn(data, settings, epoch)]
    assert all(len(each) == 1 for each in windows)


def test_a_part_of_a_negative_is_drawn_for_a_part_of_the_questions(data: Examples) -> None:
    settings = replace(SETTINGS, negatives=1.25, unanswerable=0.0)
    windows = [len(one.windows) for epoch in range(60) for one in drawn(data, settings, epoch)]
    assert set(windows) <= {1, 2, 3}
    assert 0.15 < np.mean([count == 3 for count in windows]) < 0.35


def test_windows_keep_to_their_size(data: Examples) -> None:
    for one in drawn(data, SETTINGS):
        assert all(0 < window.last - window.first <= 16 for window in one.windows)


def test_the_retrievers_mistakes_come_first(data: Examples) -> None:
    hard = [[TokenRange(1, 0, 5)] for _ in data.examples]
    settings = replace(SETTINGS, unanswerable=0.0)
    maker = Drawer(data, settings, hard, special=3, max_tokens=128)
    questions = [one for epoch in range(30) for step in maker.epoch(epoch) for one in step]
    share = np.mean([TokenRange(1, 0, 5) in one.windows for one in questions])
    assert 0.75 < share < 0.98  # two negatives, each of them hard with a chance of 0.6 or more


def test_window_normalisation_reads_the_paragraph_whole(data: Examples) -> None:
    for one in drawn(data, replace(SETTINGS, normalize="window")):
        assert one.windows[0].first == one.example.paragraph.first
        assert one.windows[-1].last == one.example.paragraph.last


@pytest.mark.parametrize("headings", [0.0, 1.0])
def test_targets_are_the_answers_tokens(
    data: Examples, encoder: PairEncoder, headings: float
) -> None:
    questions = drawn(data, replace(SETTINGS, unanswerable=0.0, headings=headings))
    batches = make_batches(questions, data, encoder, "question", 80)
    assert len(batches) > 1
    for batch in batches:
        assert batch.tokens <= 80 or batch.groups == 1
        for n, (one, window) in enumerate(batch.windows):
            gold = one.example.gold
            assert gold is not None
            marked = np.flatnonzero(batch.targets.starts[n].numpy())
            line = encoder.heading_ids(data.titles[window.article])[: 99 * bool(headings)]
            before = batch.rows[n].ids[: batch.first_tokens[n]]
            assert before.tolist()[2 + len(one.example.ids) :] == line.tolist()
            assert batch.targets.counted[n].sum() == 1 + window.last - window.first
            if window.holds(gold):
                ids = data.tokens[gold.article].ids
                assert batch.rows[n].ids[marked[0]] == ids[gold.first]
                last = np.flatnonzero(batch.targets.ends[n].numpy())
                assert batch.rows[n].ids[last[0]] == ids[gold.last - 1]
            else:
                assert len(marked) == 0


def test_no_answer_is_cls(data: Examples, encoder: PairEncoder) -> None:
    questions = drawn(data, replace(SETTINGS, unanswerable=1.0))
    for batch in make_batches(questions, data, encoder, "question", 1000):
        assert batch.targets.starts[:, 0].all()
        assert batch.targets.ends[:, 0].all()
        assert int(batch.targets.starts.sum()) == len(batch.rows)


def test_an_answer_cut_by_a_window_belongs_only_to_windows_that_hold_it_whole(
    data: Examples, encoder: PairEncoder
) -> None:
    example = data.examples[0]
    at = example.paragraph
    gold = TokenRange(at.article, at.first + 3, at.first + 6)
    cut = Drawn(
        replace(example, gold=gold),
        (
            TokenRange(at.article, at.first, at.first + 5),
            TokenRange(at.article, at.first + 2, at.first + 9),
        ),
    )
    [batch] = make_batches([cut], data, encoder, "window", 1000)
    first = len(example.ids) + 2
    assert np.flatnonzero(batch.targets.starts[0].numpy()).tolist() == [0]
    assert np.flatnonzero(batch.targets.starts[1].numpy()).tolist() == [first + 1]
    assert np.flatnonzero(batch.targets.ends[1].numpy()).tolist() == [first + 3]


@pytest.mark.parametrize("normalize", ["question", "window"])
def test_typed_questions_have_ids_of_their_own_and_the_same_windows(
    data: Examples, normalize: Normalize
) -> None:
    settings = replace(SETTINGS, normalize=normalize)
    for epoch in range(3):
        plain = drawn(data, settings, epoch)
        typed = drawn(data, replace(settings, typed=1.0), epoch)
        again = drawn(data, replace(settings, typed=1.0), epoch)
        assert [one.example.text for one in typed] == [one.example.text for one in again]
        assert [one.example.number for one in typed] == [one.example.number for one in plain]
        changed = 0
        for before, after in zip(plain, typed, strict=True):
            ids = tokenize(after.example.text, data.tokenizer).ids[:64]
            assert after.example.ids.tolist() == ids.tolist()
            assert after.windows == before.windows
            changed += after.example.text != before.example.text
        assert changed >= 5, "a kind may leave a question as it is"
        half = drawn(data, replace(settings, typed=0.5), epoch)
        assert 0 < sum(a.example is b.example for a, b in zip(half, plain, strict=True)) < 10
