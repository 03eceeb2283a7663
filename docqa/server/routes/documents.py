"""Documents to look at: the list, text, outline, pages as pictures, the files themselves."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import PurePath
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import FileResponse, Response

from docqa.index.protocols import Documents
from docqa.ingest.document import page_of
from docqa.server.documents import document_of, unchanged_file
from docqa.server.pictures import NARROWEST, WIDEST
from docqa.server.replies import Json, RefusedError
from docqa.server.routes.forms import (
    REFUSALS,
    DocumentsReply,
    OutlineReply,
    PageReply,
    TextReply,
)
from docqa.server.service import Service

_Result = TypeVar("_Result")

# SQLite's integers.
_MOST = 2**63 - 1
DocumentId = Annotated[int, Path(ge=0, le=_MOST, description="The document's number.")]
_Page = Annotated[int, Path(ge=1, le=1_000_000, description="Counted from 1.")]


def document_routes(service: Service) -> APIRouter:
    """Return the routes that show documents."""
    routes = APIRouter(prefix="/api/documents", tags=["documents"], responses=REFUSALS)
    limits = service.settings.limits
    pictures = service.pictures

    async def look(call: Callable[[Documents], _Result]) -> _Result:
        def in_thread() -> _Result:
            with service.qa.snapshot() as store:
                return call(store)

        return await service.threads.run(in_thread)

    @routes.get("", response_model=DocumentsReply, summary="List the documents")
    async def documents(
        offset: Annotated[int, Query(ge=0, le=_MOST)] = 0,
        limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
        q: Annotated[str, Query(max_length=200, description="Part of a path or title.")] = "",
    ) -> Response:
        """List the documents by path; also files that could not be read."""
        return Json(await look(lambda store: service.catalog.page(store, offset, limit, q)))

    @routes.get("/{document_id}/text", response_model=TextReply, summary="Read a stretch")
    async def text(
        document_id: DocumentId,
        start: Annotated[int, Query(ge=0, le=_MOST)] = 0,
        end: Annotated[int, Query(ge=0, le=_MOST)] = 20_000,
    ) -> Response:
        """Return a document's text from one offset to another, in code points."""
        if end - start > limits.text:
            raise RefusedError(422, f"at most {limits.text:,} characters at once")

        def stretch(store: Documents) -> dict[str, Any]:
            document = document_of(store, document_id)
            first = min(start, document.length)
            last = min(max(first, end), document.length)
            shown = document.slice(first, last)
            return {"text": shown, "start": first, "end": last, "length": document.length}

        return Json(await look(stretch))

    @routes.get("/{document_id}/outline", response_model=OutlineReply, summary="List headings")
    async def outline(document_id: DocumentId) -> Response:
        """Return a document's headings in the order of its text, and how many pages it has."""

        def headings(store: Documents) -> dict[str, Any]:
            document = document_of(store, document_id)
            starts = document.page_starts
            return {
                "outline": [
                    {
                        "text": heading.text,
                        "level": heading.level,
                        "start": heading.start,
                        "page": page[0] if (page := page_of(starts, heading.start)) else None,
                    }
                    for heading in document.outline
                ],
                "pages": len(starts) or None,
            }

        return Json(await look(headings))

    async def file_of(document_id: int) -> tuple[str, os.stat_result]:
        return await look(lambda store: unchanged_file(store, document_id))

    @routes.get(
        "/{document_id}/page/{page}.png",
        response_class=Response,
        responses={200: {"content": {"image/png": {}}}},
        summary="See a page",
    )
    async def picture(
        request: Request,
        document_id: DocumentId,
        page: _Page,
        width: Annotated[int, Query(ge=NARROWEST, le=WIDEST, description="In pixels.")] = 900,
    ) -> Response:
        """Return a page of a PDF as a picture."""
        path, status = await file_of(document_id)
        tag = f'"{status.st_size:x}-{status.st_mtime_ns:x}-{page}-{width}"'
        headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        drawn = await service.drawing.run(pictures.page, path, page, width)
        return Response(drawn, media_type="image/png", headers=headers)

    @routes.get("/{document_id}/page/{page}", response_model=PageReply, summary="Measure a page")
    async def page_size(document_id: DocumentId, page: _Page) -> Response:
        """Return the size of a page of a PDF in points, in which boxes are told."""
        path, _ = await file_of(document_id)
        width, height = await service.drawing.run(pictures.size, path, page)
        return Json({"width": width, "height": height})

    @routes.get(
        "/{document_id}/source",
        response_class=Response,
        responses={200: {"content": {"application/octet-stream": {}}}},
        summary="Get the file",
    )
    async def source(document_id: DocumentId) -> Response:
        """Return a document's file, to be saved: no browser shows it as a page."""
        path, status = await file_of(document_id)
        return FileResponse(
            path,
            stat_result=status,
            media_type="application/octet-stream",
            filename=_plain_name(path),
            headers={"Content-Security-Policy": "sandbox; default-src 'none'"},
        )

    return routes


def _plain_name(path: str) -> str:
    """Return a file's name without anything that a header or a file system could take amiss."""
    name = PurePath(path).name.encode("utf-8", "replace").decode()
    return "".join(char if char.isprintable() and char not in '"\\/' else "_" for char in name)
