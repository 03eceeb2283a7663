"""What goes back to clients: JSON, and errors as a sentence that holds nothing of the server."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException
from starlette.responses import Response

from docqa.errors import (
    DocQAError,
    FilterError,
    IngestError,
    ModelError,
    QuestionError,
    StorageError,
)

if TYPE_CHECKING:  # agents on stdin and stdout are served without FastAPI
    from fastapi import FastAPI, Request

_log = logging.getLogger("docqa")


class Json(Response):
    """JSON in ASCII, so that paths with bytes that are no UTF-8 can be told, too."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Return the body."""
        return json.dumps(content, separators=(",", ":"), allow_nan=False).encode("ascii")


class RefusedError(Exception):
    """A request that is not served.

    Args:
        status: of HTTP.
        reason: a sentence for the client.
        retry_after: seconds after which the client may try again.
    """

    def __init__(self, status: int, reason: str, retry_after: int | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.retry_after = retry_after

    def response(self) -> Response:
        """Return the answer to the client."""
        headers = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        return Json({"error": self.reason}, self.status, headers)


def not_found(what: str) -> RefusedError:
    """Return the refusal of something that is not there."""
    return RefusedError(404, f"there is no such {what}")


def refusal(error: Exception) -> RefusedError:
    """Return what a client is told of an error; what it holds of the server is only logged."""
    if isinstance(error, RefusedError):
        return error
    if isinstance(error, (QuestionError, IngestError)):  # their messages hold no path
        return RefusedError(422, str(error))
    if isinstance(error, StorageError):
        _log.error("the index can't be used: %s", error)
        return RefusedError(503, "the index can't be used at the moment", 5)
    if isinstance(error, ModelError):
        _log.error("a model can't be used: %s", error)
        return RefusedError(503, "the models can't be used at the moment", 30)
    if isinstance(error, FilterError):
        return RefusedError(422, "within: no document of the index lies there")
    _log.error("a request failed", exc_info=error)
    return RefusedError(500, "something went wrong in the server; its log says what")


def handle_errors(app: FastAPI) -> None:
    """Make every error of an application an answer of the form ``{"error": sentence}``."""
    from fastapi.exceptions import RequestValidationError

    async def refused(_request: Request, error: Exception) -> Response:
        return refusal(error).response()

    async def invalid(_request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"][1:3] if not _is_long(part))
        reason = first["msg"].lower() if first["type"] != "json_invalid" else "this is no JSON"
        return RefusedError(422, f"{where}: {reason}" if where else reason).response()

    async def failed(_request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        reason = error.detail[:1].lower() + error.detail[1:]
        response = RefusedError(error.status_code, reason).response()
        response.headers.update(error.headers or {})
        return response

    for kind in (RefusedError, DocQAError, Exception):
        app.add_exception_handler(kind, refused)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, failed)


def _is_long(part: int | str) -> bool:
    """Return whether a place in a request is of the client's making, as names of fields are."""
    return isinstance(part, str) and len(part) > 40
