"""Questions of many clients, read together.

One thread has the model. While it reads, questions gather; when it is done it takes those that go
together (the same options, in the order they came), up to a batch. So a question that comes alone
waits for nothing, and the batches grow with the load. What waits is bounded, and what nobody waits
for any more leaves the queue at once.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from time import perf_counter
from typing import Generic, TypeVar

from docqa.server.replies import RefusedError

_log = logging.getLogger("docqa")

_Options = TypeVar("_Options", bound=Hashable)
_Result = TypeVar("_Result")

# The most that a client is sent away for, in seconds.
_LONGEST_RETRY = 60


@dataclass(eq=False, slots=True)
class _Waiting(Generic[_Options, _Result]):
    question: str
    options: _Options
    result: Future[_Result] = field(default_factory=Future)


class Batcher(Generic[_Options, _Result]):
    """Reads questions that wait together, in a thread of its own.

    Args:
        read: returns a result for each of some questions with the same options.
        room: the most questions that may wait.
        batch: the most questions that are read together.
        on_batch: is called after each batch with the number of its questions and its seconds.
        at_once: how many batches are read at the same time; more than one where the model is
            elsewhere.
    """

    def __init__(
        self,
        read: Callable[[Sequence[str], _Options], Sequence[_Result]],
        room: int,
        batch: int,
        on_batch: Callable[[int, float], None] = lambda _questions, _seconds: None,
        at_once: int = 1,
    ) -> None:
        self._read = read
        self._room = room
        self._batch = batch
        self._on_batch = on_batch
        self._waiting: list[_Waiting[_Options, _Result]] = []
        self._changed = threading.Condition()
        self._closed = False
        self._seconds_each = 0.1  # of a question, lately
        self._threads = [
            threading.Thread(target=self._run, name="docqa-reader", daemon=True)
            for _ in range(at_once)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def waiting(self) -> int:
        """How many questions wait."""
        return len(self._waiting)

    def submit(self, questions: Sequence[str], options: _Options) -> list[Future[_Result]]:
        """Put questions into the queue, all of them or none.

        Returns:
            What becomes of each; a future that is cancelled takes its question out of the queue.

        Raises:
            RefusedError: there is no room for them, or the server is stopping.
        """
        new = [_Waiting[_Options, _Result](question, options) for question in questions]
        with self._changed:
            if self._closed:
                raise RefusedError(503, "the server is stopping", 5)
            if len(self._waiting) + len(new) > self._room:
                raise RefusedError(
                    503, "too many questions are waiting; try again later", self._retry_after()
                )
            self._waiting.extend(new)
            self._changed.notify_all()
        for one in new:
            one.result.add_done_callback(self._leave)
        return [one.result for one in new]

    def close(self) -> None:
        """Stop: the batch that is being read is finished, what waits is refused."""
        with self._changed:
            self._closed = True
            left, self._waiting = self._waiting, []
            self._changed.notify_all()
        for one in left:
            if one.result.set_running_or_notify_cancel():
                one.result.set_exception(RefusedError(503, "the server is stopping", 5))
        for thread in self._threads:
            thread.join()

    def _leave(self, result: Future[_Result]) -> None:
        if result.cancelled():
            with self._changed:
                self._waiting = [one for one in self._waiting if one.result is not result]

    def _retry_after(self) -> int:
        seconds = math.ceil(len(self._waiting) * self._seconds_each)
        return min(max(1, seconds), _LONGEST_RETRY)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._closed:
                    self._changed.wait()
                if self._closed:
                    return
                together = self._take()
            if together:
                began = perf_counter()
                self._answer(together)
                seconds = perf_counter() - began
                self._seconds_each += 0.2 * (seconds / len(together) - self._seconds_each)
                self._on_batch(len(together), seconds)

    def _take(self) -> list[_Waiting[_Options, _Result]]:
        """Take the oldest question that waits, and what can be read together with it."""
        options = self._waiting[0].options
        fitting = [one for one in self._waiting if one.options == options][: self._batch]
        taken = set(map(id, fitting))
        self._waiting = [one for one in self._waiting if id(one) not in taken]
        return [one for one in fitting if one.result.set_running_or_notify_cancel()]

    def _answer(self, together: Sequence[_Waiting[_Options, _Result]]) -> None:
        try:
            results = self._read([one.question for one in together], together[0].options)
        except Exception as error:
            if len(together) == 1:
                together[0].result.set_exception(error)
                return
            for one in together:  # a question that can't be answered costs only itself
                self._answer([one])
            return
        for one, result in zip(together, results, strict=True):
            one.result.set_result(result)
