"""Work for one request: in a thread, bounded in number and time, given up where nobody waits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from starlette.requests import Request

from docqa.server.replies import RefusedError

_Result = TypeVar("_Result")


class Threads:
    """Threads for what would hold up all other requests.

    Args:
        name: of the threads.
        threads: how many work at the same time.
        room: the most requests that wait for one of them.
    """

    def __init__(self, name: str, threads: int, room: int) -> None:
        self._most = threads + room
        self._at_work = 0  # running and waiting; only the event loop's thread counts
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)

    async def run(self, call: Callable[..., _Result], *arguments: Any) -> _Result:
        """Return what a call returns; a call that has not begun is taken back with the request.

        Raises:
            RefusedError: too many wait.
        """
        if self._at_work >= self._most:
            raise RefusedError(503, "the server is busy; try again later", 2)
        loop = asyncio.get_running_loop()
        self._at_work += 1
        future: Future[_Result] = self._pool.submit(call, *arguments)
        future.add_done_callback(lambda _: _soon(loop, self._count_down))
        return await asyncio.wrap_future(future)

    def _count_down(self) -> None:
        self._at_work -= 1

    def close(self) -> None:
        """Stop: what runs is finished, what waits is not begun."""
        self._pool.shutdown(cancel_futures=True)


def _soon(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(call)


async def for_client(
    request: Request, seconds: float, work: Coroutine[Any, Any, _Result]
) -> _Result:
    """Return what work returns, unless its client goes away or it takes too long.

    Raises:
        RefusedError: it takes too long, or nobody is there any more.
    """
    async with asyncio.TaskGroup() as tasks:
        gone = tasks.create_task(_disconnected(request))
        done = tasks.create_task(_outcome(_in_time(seconds, work)))
        await asyncio.wait((gone, done), return_when=asyncio.FIRST_COMPLETED)
        gone.cancel()
        done.cancel()
    if done.cancelled():
        raise RefusedError(400, "the client has gone")
    result, error = done.result()
    if error is not None:
        raise error
    assert result is not None
    return result


async def _in_time(seconds: float, work: Coroutine[Any, Any, _Result]) -> _Result:
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError:
        raise RefusedError(503, "this took too long; try again later", 5) from None


async def _outcome(work: Awaitable[_Result]) -> tuple[_Result | None, Exception | None]:
    """Return what work returns or raises, as values: a group of tasks would wrap the error."""
    try:
        return await work, None
    except Exception as error:
        return None, error


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
