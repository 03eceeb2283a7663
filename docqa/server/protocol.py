"""HTTP on a connection, with a limit to everything that a slow or endless client could hold.

uvicorn bounds neither how long the headers of a request take to come nor how long they are, nor
how long an answer waits for a client that does not take it. Here each has a limit.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from docqa.server.settings import ServerLimits


class _HeadersTooLongError(Exception):
    """The first line and the headers of a request are longer than allowed."""


class BoundedProtocol(HttpToolsProtocol):
    """A connection of a client; ``limits`` is set by :func:`bounded_protocol`."""

    limits: ServerLimits

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._header_bytes = 0
        self._in_header = True  # or between requests
        self._in_message = False
        self._has_ended = False  # whether a request ended in the piece that has just come
        self._header_timer: asyncio.TimerHandle | None = None
        self._send_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a new connection; its first request must come in time."""
        super().connection_made(transport)
        self._start_header_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of a connection."""
        self._stop_header_timer()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what the client sends, if it is not too much of a header."""
        if self._in_header and self._header_timer is None:
            self._start_header_timer()
        self._has_ended = False
        super().data_received(data)
        # A piece in which a request ended was its body: the network bounds it.
        if self._in_header and not self._has_ended and not self.transport.is_closing():
            self._header_bytes += len(data)
            if self._header_bytes > self.limits.header:
                self.send_400_response("The header is too long.")

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self._in_message = True

    def on_headers_complete(self) -> None:
        """Serve a request whose headers have come."""
        length = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if length > self.limits.header:
            raise _HeadersTooLongError  # the parser stops, and the client gets a 400
        self._in_header = False
        self._header_bytes = 0
        self._stop_header_timer()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """End a request."""
        self._in_header = self._has_ended = True
        self._in_message = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """End an answer; a client that still sends what nobody reads is let go."""
        super().on_response_complete()
        if self._in_message:
            self.transport.close()
        if self.transport.is_closing():
            self.loop.call_later(self.limits.send_seconds, self.transport.abort)

    def timeout_keep_alive_handler(self) -> None:
        """Let go of a connection that has been idle, also where the client takes nothing."""
        super().timeout_keep_alive_handler()
        self.loop.call_later(self.limits.send_seconds, self.transport.abort)

    def pause_writing(self) -> None:
        """Wait for a client that takes its answer slowly, but not for ever."""
        super().pause_writing()
        if self._send_timer is None:
            self._send_timer = self.loop.call_later(self.limits.send_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on: the client has taken what waited."""
        super().resume_writing()
        if self._send_timer is not None:
            self._send_timer.cancel()
            self._send_timer = None

    def _start_header_timer(self) -> None:
        self._header_timer = self.loop.call_later(self.limits.header_seconds, self.transport.abort)

    def _stop_header_timer(self) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None


def bounded_protocol(limits: ServerLimits) -> type[BoundedProtocol]:
    """Return the class of connections with some limits."""
    return type("BoundedProtocol", (BoundedProtocol,), {"limits": limits})
