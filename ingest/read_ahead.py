"""An iterator that is worked off in a thread, a bounded stretch ahead of whoever takes from it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from threading import Condition, Thread
from typing import Generic, TypeVar

T = TypeVar("T")


def ahead(
    items: Iterable[T], weight: Callable[[T], int], most: int, stop: Callable[[], None]
) -> Generator[T, None, None]:
    """What ``items`` yields, in its order, made in a thread before it is asked for.

    Args:
        items: iterated over in the thread and nowhere else.
        weight: of an item.
        most: the next item is not begun while those that wait weigh so much or more.
        stop: called when the iterator is closed before its end; must bring ``items`` to an end
            soon, with an error or without.

    Raises:
        Exception: what ``items`` raised, after what it yielded before.
    """
    queue = _Queue(weight, most)
    thread = Thread(target=queue.fill, args=(items,), name="docqa-ahead", daemon=True)
    thread.start()
    try:
        yield from queue.taken()
    finally:
        if queue.abandon():
            stop()
        thread.join()


class _Queue(Generic[T]):
    def __init__(self, weight: Callable[[T], int], most: int) -> None:
        self._weight = weight
        self._most = most
        self._changed = Condition()  # over all below
        self._waiting: deque[T] = deque()
        self._waiting_weight = 0
        self._ended = False
        self._abandoned = False
        self._error: BaseException | None = None

    def fill(self, items: Iterable[T]) -> None:
        """The thread's side: put items until there are no more, or nobody wants them."""
        try:
            for item in items:
                with self._changed:
                    self._waiting.append(item)
                    self._waiting_weight += self._weight(item)
                    self._changed.notify_all()
                    self._changed.wait_for(self._has_room)
                    if self._abandoned:
                        return
                del item  # and with it the document, before waiting for the next
        except BaseException as error:  # raised again by whoever takes
            self._error = error
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def taken(self) -> Iterator[T]:
        """The other side: items until their end."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._ended)
                if not self._waiting:
                    break
                item = self._waiting.popleft()
                self._waiting_weight -= self._weight(item)
                self._changed.notify_all()
            yield item
            del item
        if self._error is not None:
            raise self._error

    def abandon(self) -> bool:
        """Say that no more is wanted; returns whether there was more to come."""
        with self._changed:
            self._abandoned = True
            self._changed.notify_all()
            return not self._ended

    def _has_room(self) -> bool:
        return self._abandoned or self._waiting_weight < self._most
