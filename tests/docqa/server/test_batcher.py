"""Questions that wait together are read together; the queue is bounded, and left by who is gone."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError

import pytest

from docqa.server.batcher import Batcher
from docqa.server.replies import RefusedError


class Reader:
    """Reads when it is let, and remembers what it read together."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.let = threading.Semaphore(0)
        self.began = threading.Semaphore(0)

    def read(self, questions: Sequence[str], options: int) -> list[str]:
        self.began.release()
        self.let.acquire()
        self.batches.append(list(questions))
        if "bad" in questions:
            raise ValueError("a bad question")
        return [f"{question} {options}" for question in questions]


@pytest.fixture
def reader() -> Reader:
    return Reader()


@pytest.fixture
def batcher(reader: Reader) -> Iterator[Batcher[int, str]]:
    batcher = Batcher(reader.read, room=4, batch=3)
    yield batcher
    reader.let.release(100)
    batcher.close()


def test_what_waits_is_read_together(reader: Reader, batcher: Batcher[int, str]) -> None:
    [first] = batcher.submit(["a"], 1)
    reader.began.acquire()
    others = [*batcher.submit(["b", "c"], 1), *batcher.submit(["d"], 2), *batcher.submit(["e"], 1)]
    reader.let.release(3)
    assert first.result() == "a 1"
    assert [one.result() for one in others] == ["b 1", "c 1", "d 2", "e 1"]
    assert reader.batches == [["a"], ["b", "c", "e"], ["d"]]


def test_a_full_queue_turns_away_and_says_for_how_long(
    reader: Reader, batcher: Batcher[int, str]
) -> None:
    batcher.submit(["a"], 1)
    reader.began.acquire()
    batcher.submit(["b", "c", "d"], 1)
    with pytest.raises(RefusedError) as refused:
        batcher.submit(["e", "f"], 1)
    assert refused.value.status == 503
    assert refused.value.retry_after is not None
    assert batcher.waiting == 3
    batcher.submit(["e"], 1)


def test_who_is_gone_leaves_the_queue_at_once(reader: Reader, batcher: Batcher[int, str]) -> None:
    batcher.submit(["a"], 1)
    reader.began.acquire()
    gone, stays = batcher.submit(["b", "c"], 1)
    assert gone.cancel()
    assert batcher.waiting == 1
    reader.let.release(2)
    assert stays.result() == "c 1"
    assert reader.batches == [["a"], ["c"]]
    with pytest.raises(CancelledError):
        gone.result()


def test_a_bad_question_costs_only_itself(reader: Reader, batcher: Batcher[int, str]) -> None:
    batcher.submit(["a"], 1)
    reader.began.acquire()
    good, bad = batcher.submit(["good", "bad"], 1)
    reader.let.release(4)
    assert good.result() == "good 1"
    with pytest.raises(ValueError, match="a bad question"):
        bad.result()


def test_the_end_refuses_what_waits(reader: Reader) -> None:
    batcher = Batcher(reader.read, room=4, batch=3)
    [reading] = batcher.submit(["a"], 1)
    reader.began.acquire()
    [waiting] = batcher.submit(["b"], 1)
    closing = threading.Thread(target=batcher.close)
    closing.start()
    with pytest.raises(RefusedError):
        waiting.result()
    reader.let.release()
    closing.join()
    assert reading.result() == "a 1"
    with pytest.raises(RefusedError):
        batcher.submit(["c"], 1)


def test_where_the_model_is_elsewhere_several_batches_are_read_at_once() -> None:
    reader = Reader()
    batcher = Batcher(reader.read, room=10, batch=1, at_once=2)
    results = batcher.submit(["one", "two"], 1)
    reader.began.acquire()
    reader.began.acquire()  # the second has begun although the first is not done
    reader.let.release(2)
    assert [result.result() for result in results] == ["one 1", "two 1"]
    batcher.close()
