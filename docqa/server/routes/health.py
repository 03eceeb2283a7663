"""How the server is: ``/healthz``, ``/readyz``, ``/metrics``, ``/api/status``."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from docqa import __version__
from docqa.server.replies import Json, RefusedError
from docqa.server.routes.forms import REFUSALS, StatusReply
from docqa.server.service import Service
from docqa.settings import DEFAULT_READER


def health_routes(service: Service) -> APIRouter:
    """Return the routes that say how the server is."""
    routes = APIRouter(tags=["server"])

    @routes.get("/healthz", summary="Whether the server runs")
    async def healthz() -> Response:
        """Answer at once, whatever else goes on."""
        return Json({"ok": True})

    @routes.get("/readyz", responses=REFUSALS, summary="Whether questions can be answered")
    async def readyz() -> Response:
        """Say whether the models are loaded."""
        if not service.is_ready:
            raise RefusedError(503, "the models are being loaded", 2)
        return Json({"ok": True})

    @routes.get(
        "/metrics",
        response_class=Response,
        responses={200: {"content": {"text/plain": {}}}},
        summary="Counts for Prometheus",
    )
    async def metrics() -> Response:
        """Return counts in Prometheus' text format."""
        return Response(service.metrics.text(), media_type=service.metrics.content_type)

    @routes.get(
        "/api/status", response_model=StatusReply, responses=REFUSALS, summary="What is served"
    )
    async def status() -> Response:
        """Say how much the index holds, and what may be done with it."""
        reader = service.settings.reader or DEFAULT_READER

        def counts() -> dict[str, Any]:
            with service.qa.snapshot() as store:
                return store.counts()

        held = await service.threads.run(counts)
        return Json(
            {
                "documents": held["documents"],
                "windows": held["windows"],
                "allow_changes": service.settings.allow_changes,
                "reader": reader.rstrip("/").rpartition("/")[2],
                "version": __version__,
            }
        )

    return routes
