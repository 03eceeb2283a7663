"""What the server counts, for Prometheus; and a line in the log for each request.

Neither holds a question, a document's name or anything else that a client wrote.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_log = logging.getLogger("docqa")

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_QUESTIONS = (1, 2, 4, 8, 16, 32, 64)
# What most requests are: a line for each would hide the others.
_QUIET = frozenset(("/healthz", "/readyz", "/metrics"))


class Metrics:
    """Counts of one server."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "docqa_requests",
            "Requests that were answered.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._request_seconds = Histogram(
            "docqa_request_seconds",
            "Seconds from a request's headers to the end of its answer.",
            ("route",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._batch_questions = Histogram(
            "docqa_batch_questions",
            "Questions that were read together.",
            buckets=_QUESTIONS,
            registry=self._registry,
        )
        self._batch_seconds = Histogram(
            "docqa_batch_seconds",
            "Seconds to search, read and rank for a batch.",
            buckets=_SECONDS,
            registry=self._registry,
        )

    def watch(self, name: str, meaning: str, value: Callable[[], float]) -> None:
        """Show a value as it is when somebody looks."""
        Gauge(name, meaning, registry=self._registry).set_function(value)

    def on_batch(self, questions: int, seconds: float) -> None:
        """Count a batch."""
        self._batch_questions.observe(questions)
        self._batch_seconds.observe(seconds)

    def on_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request, and log it."""
        self._requests.labels(method, route, str(status)).inc()
        self._request_seconds.labels(route).observe(seconds)
        if route in _QUIET and status < 400:
            return
        fields = {"method": method, "route": route, "status": status, "seconds": round(seconds, 4)}
        _log.info("%s %s %d %.3f s", method, route, status, seconds, extra={"fields": fields})

    def text(self) -> bytes:
        """Return all counts in Prometheus' text format."""
        return generate_latest(self._registry)


class Counting:
    """Counts the requests of an application by their route, so that the labels are few."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = perf_counter()
        status = 500

        async def send_and_look(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_and_look)
        finally:
            method = scope["method"] if scope["method"] in _METHODS else "other"
            seconds = perf_counter() - began
            self._metrics.on_request(method, _route(scope), status, seconds)


_METHODS = frozenset(("DELETE", "GET", "HEAD", "OPTIONS", "POST"))
# Parts of the application that have no patterns of their own.
_FOLDERS = frozenset(("/mcp", "/static"))


def _route(scope: Scope) -> str:
    """Return the pattern that a request's path matched."""
    path: str | None = getattr(scope.get("route"), "path", None)
    if path is not None:
        return path
    folder = "/" + scope["path"][1:].partition("/")[0]
    return folder if folder in _FOLDERS else "none"
