"""Documents that come and go, where changes are allowed: upload, progress, removal."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi import Path as InPath
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.responses import Response, StreamingResponse

from docqa.server.replies import Json, RefusedError, not_found
from docqa.server.routes.documents import DocumentId
from docqa.server.routes.forms import REFUSALS, RemovedReply, TaskReply
from docqa.server.service import Service
from docqa.server.uploads import Uploads, clean_name
from docqa.server.work import for_client

# Uploads that arrive at the same time: each may take room for files that are thrown away.
_ARRIVING = 2

_FILES = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["files"],
                    "properties": {
                        "files": {"type": "array", "items": {"type": "string", "format": "binary"}}
                    },
                }
            }
        },
    }
}


def change_routes(service: Service) -> APIRouter:
    """Return the routes that change the index; they refuse where that is not allowed."""
    routes = APIRouter(prefix="/api", tags=["changes"], responses=REFUSALS)
    limits = service.settings.limits
    arriving = asyncio.Semaphore(_ARRIVING)

    def allowed() -> Uploads:
        if service.uploads is None:
            raise RefusedError(403, "this server does not take changes; see --allow-changes")
        return service.uploads

    @routes.post(
        "/documents",
        response_model=TaskReply,
        status_code=202,
        openapi_extra=_FILES,
        summary="Upload documents",
    )
    async def upload(request: Request) -> Response:
        """Take files and begin to index them; a file of a name that is there replaces that one."""
        uploads = allowed()
        if arriving.locked():
            raise RefusedError(503, "other uploads are arriving; try again later", 5)
        async with arriving:
            await run_in_threadpool(uploads.check_room)
            async with request.form(
                max_files=limits.upload_files, max_fields=0, max_part_size=1_024
            ) as form:
                task = uploads.take(await _kept(uploads, form, limits.upload_file))
        return Json({"task": task.id}, 202)

    @routes.get(
        "/tasks/{task_id}/events",
        response_class=StreamingResponse,
        responses={200: {"content": {"text/event-stream": {}}}},
        summary="Watch a task",
    )
    async def events(task_id: Annotated[str, InPath(max_length=40)]) -> Response:
        """Send `{"stage", "done", "total", "failures"}` at each change, until the task is over."""
        uploads = allowed()
        task = uploads.task(task_id)
        if task is None:
            raise not_found("task")

        async def lines() -> AsyncIterator[bytes]:
            async for event in uploads.events(task):
                yield f"data: {json.dumps(event)}\n\n".encode()

        return StreamingResponse(lines(), media_type="text/event-stream")

    @routes.delete(
        "/documents/{document_id}", response_model=RemovedReply, summary="Remove a document"
    )
    async def remove(request: Request, document_id: DocumentId) -> Response:
        """Forget a document. The file of an upload is deleted; other files are not touched."""
        uploads = allowed()
        path, names = await for_client(request, limits.answer_seconds, uploads.remove(document_id))
        return Json({"removed": names.shown(path)})

    return routes


async def _kept(uploads: Uploads, form: FormData, most: int) -> list[tuple[Path, str]]:
    """Return the files of a form, each written to where it waits to be taken, with its name.

    Raises:
        RefusedError: there is none, or one of them can't be taken.
    """
    sent = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
    if not sent:
        raise RefusedError(422, "there is no file in the request")
    named = [(file, clean_name(file.filename or "")) for file in sent]
    if len({name for _, name in named}) < len(named):
        raise RefusedError(422, "two files in the request have one name")
    if any((file.size or 0) > most for file in sent):
        raise RefusedError(413, f"a file may have {most:,} bytes")

    def write() -> list[tuple[Path, str]]:
        written = []
        for file, name in named:
            kept = uploads.new_file()
            with kept.open("xb") as copy:
                shutil.copyfileobj(file.file, copy)
            written.append((kept, name))
        return written

    return await run_in_threadpool(write)
