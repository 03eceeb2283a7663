"""The application: routes, guards and what they share, put together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles

from docqa import __version__
from docqa.server.guards import BodyGuard, Doorkeeper, Headers
from docqa.server.metrics import Counting
from docqa.server.replies import handle_errors
from docqa.server.routes.asking import asking_routes
from docqa.server.routes.changes import change_routes
from docqa.server.routes.documents import document_routes
from docqa.server.routes.health import health_routes
from docqa.server.service import Service
from docqa.server.settings import ServerSettings

if TYPE_CHECKING:
    from docqa.qa import DocQA

_PAGE = Path(__file__).parent / "page"


def create_app(settings: ServerSettings, qa: DocQA | None = None) -> FastAPI:
    """Return the application that serves an index.

    Its models are loaded when it starts up; until then ``/readyz`` says that it is not ready.

    Args:
        qa: the index and its models; made by the settings if not given.

    Example:
        >>> app = create_app(ServerSettings(index=Path("contracts/.docqa")))
    """
    service = Service.of(settings, qa)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        if service.uploads is not None:
            service.uploads.start()
        loading = asyncio.create_task(service.load())
        try:
            yield
        finally:
            loading.cancel()
            with suppress(asyncio.CancelledError):
                await loading
            await service.close()

    app = FastAPI(
        title="docqa",
        version=__version__,
        summary="Answers questions about long documents in their own words.",
        docs_url=None,  # both pages load scripts from elsewhere
        redoc_url=None,
        openapi_url="/api/openapi.json",
        lifespan=lifespan,
    )
    handle_errors(app)
    app.include_router(asking_routes(service))
    app.include_router(document_routes(service))
    app.include_router(change_routes(service))
    app.include_router(health_routes(service))

    @app.get("/", include_in_schema=False)
    async def page() -> Response:
        return FileResponse(_PAGE / "index.html", headers={"Cache-Control": "no-cache"})

    app.mount("/static", StaticFiles(directory=_PAGE))
    _mount_agents(app, service)

    app.add_middleware(BodyGuard, limits=settings.limits, uploads="/api/documents")
    app.add_middleware(Doorkeeper, settings=settings)
    if settings.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.origins,
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["Authorization", "Content-Type"],
            expose_headers=["Retry-After"],
        )
    app.add_middleware(Headers)
    app.add_middleware(Counting, metrics=service.metrics)
    return app


def _mount_agents(app: FastAPI, service: Service) -> None:
    """Serve agents at ``/mcp``, where the extra for them is installed."""
    if find_spec("mcp") is None:
        return
    from docqa.server.agents import ServiceDesk, mount_mcp

    mount_mcp(app, ServiceDesk(service), service.settings.limits.answer_seconds)
