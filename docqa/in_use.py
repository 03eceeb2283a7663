"""Who uses a thing at the moment, so that it is taken away only when nobody does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class InUse:
    """Counts the users of a shared thing; :meth:`alone` waits until there are none."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._users: dict[int, int] = {}  # how often each thread uses it
        self._closing = False

    @contextmanager
    def using(self) -> Iterator[None]:
        """Use the thing; a thread that uses it already may use it again."""
        me = threading.get_ident()
        with self._changed:
            # Who is in already must not wait for the one that waits for it to leave.
            self._changed.wait_for(lambda: not self._closing or me in self._users)
            self._users[me] = self._users.get(me, 0) + 1
        try:
            yield
        finally:
            with self._changed:
                self._users[me] -= 1
                if not self._users[me]:
                    del self._users[me]
                self._changed.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait for all users to leave, and keep others out.

        Raises:
            RuntimeError: this thread uses the thing itself, and would wait for ever.
        """
        with self._changed:
            if threading.get_ident() in self._users:
                raise RuntimeError("it can't be closed from inside what uses it")
            self._changed.wait_for(lambda: not self._closing)
            self._closing = True
            self._changed.wait_for(lambda: not self._users)
        try:
            yield
        finally:
            with self._changed:
                self._closing = False
                self._changed.notify_all()
