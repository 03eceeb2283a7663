"""Requests to replicas: in time, and a second time where the first is late or lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import pytest

pytest.importorskip("ray", reason="the extra cluster is not installed")

from docqa.cluster.requests import LostError, Requests

_LONG = 600.0


@pytest.fixture
def requests() -> Iterator[Requests]:
    made = Requests(_LONG, again=True)
    yield made
    made.close()


class _Replica:
    """Answers as it is told, call by call."""

    def __init__(self, *answers: Callable[[], Awaitable[str]]) -> None:
        self._answers = list(answers)
        self.calls = 0

    def send(self) -> Awaitable[str]:
        self.calls += 1
        return self._answers[min(self.calls, len(self._answers)) - 1]()


async def _at_once() -> str:
    return "answer"


async def _never() -> str:
    await asyncio.Event().wait()
    return "never"


async def _dead() -> str:
    raise LostError("the replica died")


def _accustomed(requests: Requests) -> None:
    """Let it see what requests of the kind usually take."""
    for _ in range(60):
        requests.ask("find", _Replica(_at_once).send)


def test_a_request_that_is_late_is_sent_to_another_replica(requests: Requests) -> None:
    _accustomed(requests)
    replica = _Replica(_never, _at_once)
    assert requests.ask("find", replica.send) == "answer"
    assert replica.calls == 2


def test_a_request_whose_replica_died_is_sent_again_at_once(requests: Requests) -> None:
    replica = _Replica(_dead, _at_once)
    assert requests.ask("find", replica.send) == "answer"
    assert replica.calls == 2


def test_two_replicas_that_die_are_not_followed_by_a_third(requests: Requests) -> None:
    replica = _Replica(_dead)
    with pytest.raises(LostError, match="died"):
        requests.ask("find", replica.send)
    assert replica.calls == 2


def test_where_there_is_no_other_replica_nothing_is_sent_twice() -> None:
    requests = Requests(_LONG, again=False)
    replica = _Replica(_dead, _at_once)
    with pytest.raises(LostError):
        requests.ask("find", replica.send)
    assert replica.calls == 1
    requests.close()


def test_who_does_not_answer_in_time_is_given_up() -> None:
    requests = Requests(0.05, again=True)
    with pytest.raises(TimeoutError):
        requests.ask("find", _Replica(_never).send)
    requests.close()


def test_what_a_replica_raises_is_raised_and_not_asked_for_again(requests: Requests) -> None:
    async def broken() -> str:
        raise ValueError("a fault of the request")

    replica = _Replica(broken, _at_once)
    with pytest.raises(ValueError, match="a fault of the request"):
        requests.ask("find", replica.send)
    assert replica.calls == 1


def test_where_all_requests_are_late_few_are_sent_twice(requests: Requests) -> None:
    """Twice as many requests would make it worse: at first, every late one was sent twice."""
    _accustomed(requests)

    async def late() -> str:
        await asyncio.sleep(0.02)
        return "late"

    replica = _Replica(late)
    for _ in range(40):
        requests.ask("find", replica.send)
    assert 40 < replica.calls <= 40 + 5 + 4
