"""Agents over HTTP: the tools at ``/mcp`` of the server, in the same queue as all other questions.

The server's guards stand before it. Here it gets what the other addresses have: a limit of time, an
end where nobody waits any more, and a 503 with ``Retry-After`` where there is no room.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from mcp.server.transport_security import TransportSecuritySettings
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from docqa.server.desk import Desk, ask_options, look_at
from docqa.server.documents import Catalog, Names
from docqa.server.mcp import REFUSALS, make_mcp
from docqa.server.replies import RefusedError
from docqa.server.routes.forms import checked_questions
from docqa.server.work import for_client

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from docqa.index.protocols import Documents
    from docqa.qa import DocQA
    from docqa.server.service import Service

_Result = TypeVar("_Result")

PATH = "/mcp"
_MOST_BODY = 64 * 1024  # bytes of a request; a quote has at most 5,000 characters
_REFUSED = -32_000  # JSON-RPC's first code for errors of a server


class ServiceDesk:
    """Works in the queue and the threads of a server; see :class:`docqa.server.desk.Desk`."""

    def __init__(self, service: Service) -> None:
        self._service = service

    @property
    def qa(self) -> DocQA:
        """The index and its models."""
        return self._service.qa

    @property
    def catalog(self) -> Catalog:
        """How the index's documents are listed and named."""
        return self._service.catalog

    async def ask(self, question: str, top_k: int, within: Sequence[str]) -> dict[str, Any]:
        """Return what comes of a question."""
        questions = checked_questions(question, self._service.settings.limits)
        [answered] = await self._service.ask(questions, ask_options(top_k, within))
        return answered.values

    async def look(self, call: Callable[[Documents, Names], _Result]) -> _Result:
        """Return what a call returns."""
        return await self._service.threads.run(look_at, self.qa, self.catalog, call)


def mount_mcp(app: Starlette, desk: Desk, seconds: float) -> None:
    """Serve tools at ``/mcp`` of an application that has not started yet.

    Who may ask, and under which name of the server, is for the application's own middleware to say
    (:class:`docqa.server.guards.Doorkeeper`). Each request stands alone: no sessions are kept.

    Args:
        app: a Starlette or FastAPI application.
        desk: does what the tools ask for.
        seconds: how long a request may take.
    """
    mcp = make_mcp(desk)
    served = mcp.streamable_http_app(
        streamable_http_path=PATH,
        stateless_http=True,
        json_response=True,
        max_request_body_size=_MOST_BODY,
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )
    app.router.routes.append(Route(PATH, endpoint=_Door(served, seconds)))
    others = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[Any]:
        async with others(app) as state, mcp.session_manager.run():
            yield state

    app.router.lifespan_context = lifespan


class _Door:
    """Makes a tool's refusal an answer of HTTP, and gives up what nobody waits for."""

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        refusals: list[RefusedError] = []
        REFUSALS.set(refusals)
        is_whole = asyncio.Event()
        has_begun = False

        async def receive_body() -> Message:
            if is_whole.is_set():
                await asyncio.Event().wait()  # whoever goes is noticed below
            message = await receive()
            if not message.get("more_body"):
                is_whole.set()
            return message

        async def receive_end() -> Message:
            await is_whole.wait()
            return await receive()

        async def send_unless_refused(message: Message) -> None:
            nonlocal has_begun
            if not refusals:
                has_begun = True
                await send(message)

        async def serve() -> bool:
            await self._app(scope, receive_body, send_unless_refused)
            return True

        try:
            await for_client(Request(scope, receive_end), self._seconds, serve())
        except RefusedError as refused:
            refusals.append(refused)
        if refusals and not has_begun:
            await _reply(refusals[0])(scope, receive, send)


def _reply(refused: RefusedError) -> Response:
    """Return a refusal as clients of the protocol read it."""
    response = refused.response()
    error = {"code": _REFUSED, "message": refused.reason}
    body = json.dumps({"jsonrpc": "2.0", "id": None, "error": error}).encode()
    return Response(
        body,
        refused.status,
        {name: value for name, value in response.headers.items() if name == "retry-after"},
        "application/json",
    )
