"""Requests to replicas: within their time, and sent a second time where the first one is late.

Ray Serve chooses the replica, which is that with the fewest requests; so the second request goes to
another one than that where the first one waits, if there is another.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any, TypeVar

import numpy as np
from ray.exceptions import RayError, RayTaskError
from ray.serve.exceptions import RayServeException

_Result = TypeVar("_Result")

# A second request is sent after this quantile of the times of the last requests of the kind.
_LATE = 0.95
_LAST = 500
_FEW = 50  # so many tell nothing yet
# Of second requests to replicas that are only late, there is one in so many requests: where all are
# late, because there is too much to do, more requests would make it worse.
_ONE_IN = 10
_SAVED = 5.0  # the most second requests at once, after a time without any


class LostError(Exception):
    """A replica that could not be reached, that died over its work, or that lacks what it needs."""


class Requests:
    """Sends requests from any thread and waits for their answers.

    Args:
        seconds: how long an answer may take, over both requests.
        again: whether there is another replica to send a request to once more.
    """

    def __init__(self, seconds: float, again: bool) -> None:
        self._seconds = seconds
        self._again = again
        self._taken: dict[str, deque[float]] = {}
        self._allowed = 0.0  # second requests to replicas that are late
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="docqa-ray", daemon=True).start()

    def ask(self, kind: str, send: Callable[[], Awaitable[_Result]]) -> _Result:
        """Return what a replica answers.

        Args:
            kind: of the request; requests of a kind take about as long as each other.
            send: sends the request; called in a thread of its own.

        Raises:
            TimeoutError: there is no answer in time.
            LostError: no replica could be reached.
        """
        future = asyncio.run_coroutine_threadsafe(self._ask(kind, send), self._loop)
        return future.result()

    def close(self) -> None:
        """Stop; whoever still waits for an answer gets none."""
        self._loop.call_soon_threadsafe(self._loop.stop)

    async def _ask(self, kind: str, send: Callable[[], Awaitable[_Result]]) -> _Result:
        began = monotonic()
        self._allowed = min(self._allowed + 1 / _ONE_IN, _SAVED)
        waiting = {asyncio.ensure_future(_answer(send))}
        patience = self._late_after(kind) if self._again else None
        sent_again = not self._again
        try:
            async with asyncio.timeout(self._seconds):
                while True:
                    done, waiting = await asyncio.wait(
                        waiting, timeout=patience, return_when=asyncio.FIRST_COMPLETED
                    )
                    patience = None
                    lost: Exception | None = None
                    for task in done:
                        error = task.exception()
                        if not isinstance(error, LostError):
                            self._note(kind, monotonic() - began)
                            return task.result()
                        lost = error
                    if not sent_again and (lost is not None or self._may_send_again()):
                        sent_again = True
                        waiting = waiting | {asyncio.ensure_future(_answer(send))}
                    elif lost is not None and not waiting:
                        raise lost
        finally:
            for task in waiting:
                task.cancel()

    def _late_after(self, kind: str) -> float | None:
        """Return after how many seconds a request is late; None where that is not known yet."""
        taken = self._taken.get(kind, ())
        return float(np.quantile(taken, _LATE)) if len(taken) >= _FEW else None

    def _may_send_again(self) -> bool:
        """Take one of the second requests that are allowed, if there is one."""
        if self._allowed < 1:
            return False
        self._allowed -= 1
        return True

    def _note(self, kind: str, seconds: float) -> None:
        self._taken.setdefault(kind, deque(maxlen=_LAST)).append(seconds)


async def _answer(send: Callable[[], Awaitable[_Result]]) -> _Result:
    """Return an answer, or raise what was raised where it was made; else a :class:`LostError`."""
    try:
        return await send()
    except RayTaskError as error:
        cause: Any = error.cause
        if isinstance(cause, Exception):
            raise cause from error
        raise
    except (RayError, RayServeException) as error:
        raise LostError(str(error).splitlines()[0]) from error
