"""Work done ahead in a thread: all of it, in order, never too far, and stopped when abandoned."""

from __future__ import annotations

import time
from collections.abc import Iterator
from threading import Event

import pytest

from docqa.ingest.read_ahead import ahead


def nothing() -> None:
    """What stops an iterator that ends by itself."""


def test_everything_comes_in_order() -> None:
    assert list(ahead(range(1000), lambda _: 1, 3, nothing)) == list(range(1000))
    assert list(ahead([], lambda _: 1, 3, nothing)) == []


def test_it_never_gets_further_ahead_than_asked() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for n in range(20):
            made.append(n)
            yield n

    for taken, _ in enumerate(ahead(items(), lambda _: 2, 6, nothing), 1):
        time.sleep(0.002)
        assert len(made) - taken <= 3


def test_an_error_comes_after_what_was_made_before_it() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise OSError("broken")

    results = ahead(items(), lambda _: 1, 5, nothing)
    assert next(results) == 1
    with pytest.raises(OSError, match="broken"):
        next(results)


def test_closing_it_stops_what_goes_on() -> None:
    stopped = Event()

    def items() -> Iterator[int]:
        yield 1
        assert stopped.wait(10)
        raise RuntimeError("stopped")

    results = ahead(items(), lambda _: 1, 5, stopped.set)
    assert next(results) == 1
    results.close()
    assert stopped.is_set()


def test_what_has_ended_is_not_stopped() -> None:
    stopped = Event()
    assert list(ahead([1, 2], lambda _: 1, 5, stopped.set)) == [1, 2]
    assert not stopped.is_set()
