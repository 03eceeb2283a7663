"""What stands before every request: who may ask, from where, how much and for how long.

Plain ASGI, outermost first: :class:`Headers` puts safe headers on whatever goes out,
:class:`Doorkeeper` turns away who may not ask, :class:`BodyGuard` takes in the body of a request
that is let in, never more of it than allowed.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import re
from collections.abc import Collection
from contextlib import suppress
from urllib.parse import urlsplit

from starlette.datastructures import Headers as RequestHeaders
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from docqa.server.replies import RefusedError
from docqa.server.settings import ServerLimits, ServerSettings

_CONTENT_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": _CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
_HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?", re.ASCII | re.IGNORECASE)
_READING = frozenset(("GET", "HEAD", "OPTIONS"))
# What anybody may see: the page's own files hold nothing of the documents, and whoever watches
# over the server asks for its health.
_OPEN = frozenset(("/", "/healthz", "/readyz", "/favicon.ico"))
_OPEN_FOLDER = "/static/"
# Another page can't read what it gets from here, but it could make the server work.
_API = ("/api/", "/mcp")


class Headers:
    """Puts the security headers on every answer that does not have its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)


class Doorkeeper:
    """Turns away requests that come under a wrong name, from another page or without the token.

    A web page can make its own name mean this computer (DNS rebinding), so ``Host`` must be a name
    that was given, or an address in numbers. A page of another origin can send, though not read: a
    request that could change something must not come from one.
    """

    def __init__(self, app: ASGIApp, settings: ServerSettings) -> None:
        self._app = app
        self._names = {"localhost", *(name.lower().rstrip(".") for name in settings.names)}
        self._origins = frozenset(settings.origins)
        self._token = settings.token.encode() if settings.token is not None else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or refuse it."""
        if scope["type"] == "http":
            try:
                self._check(scope)
            except RefusedError as refused:
                response = refused.response()
                if refused.status == 401:
                    response.headers["WWW-Authenticate"] = "Bearer"
                await response(scope, receive, send)
                return
        elif scope["type"] != "lifespan":
            return
        await self._app(scope, receive, send)

    def _check(self, scope: Scope) -> None:
        headers = RequestHeaders(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not is_allowed_host(hosts[0], self._names):
            raise RefusedError(421, "the server does not go by this name; see --allow-host")
        path: str = scope["path"]
        if scope["method"] not in _READING or path.startswith(_API):
            self._check_origin(headers, hosts[0])
        if self._token is not None and path not in _OPEN and not path.startswith(_OPEN_FOLDER):
            self._check_token(headers)

    def _check_origin(self, headers: RequestHeaders, host: str) -> None:
        origins = headers.getlist("origin")
        site = headers.get("sec-fetch-site", "none")
        if not origins:
            allowed = site in ("none", "same-origin")
        else:
            allowed = len(origins) == 1 and (
                origins[0] in self._origins or _is_same(origins[0], host)
            )
        if not allowed:
            raise RefusedError(403, "requests from other web pages are not served")

    def _check_token(self, headers: RequestHeaders) -> None:
        given = headers.getlist("authorization")
        scheme, _, token = given[0].partition(" ") if len(given) == 1 else ("", "", "")
        # Both are compared in full, whatever the first wrong letter is.
        same = hmac.compare_digest(token.strip().encode("utf-8"), self._token or b"")
        if scheme.lower() != "bearer" or not same:
            raise RefusedError(401, "this server asks for a token: Authorization: Bearer TOKEN")


def is_allowed_host(host: str, names: Collection[str]) -> bool:
    """Return whether a request's ``Host`` is a name that was given, or an address in numbers."""
    found = _HOST.fullmatch(host)
    if found is None:
        return False
    name = found["name"].lower().rstrip(".")
    if name in names:
        return True
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def _is_same(origin: str, host: str) -> bool:
    """Return whether an origin is the server itself; a proxy may have taken off the encryption."""
    parts = urlsplit(origin)
    default = {"http": ":80", "https": ":443"}.get(parts.scheme)
    if default is None:
        return False
    return parts.netloc.lower().removesuffix(default) == host.lower().removesuffix(default)


class BodyGuard:
    """Takes in a request's body before the request is looked at; uploads only count theirs.

    A body that is too long is refused before it is read where the client tells its length, else
    where the limit is passed; one that comes too slowly is given up.
    """

    def __init__(self, app: ASGIApp, limits: ServerLimits, uploads: str) -> None:
        self._app = app
        self._limits = limits
        self._uploads = uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or refuse it."""
        if scope["type"] != "http" or scope["method"] in _READING:
            await self._app(scope, receive, send)
            return
        headers = RequestHeaders(scope=scope)
        is_upload = scope["path"] == self._uploads and scope["method"] == "POST"
        try:
            self._check_type(scope["method"], headers, is_upload)
            most = self._limits.upload if is_upload else self._limits.body
            _check_length(headers, most)
            if is_upload:
                receive = _Counted(receive, most, self._limits.upload_seconds)
            else:
                receive = await self._taken_in(receive, most)
        except RefusedError as refused:
            response = refused.response()
            response.headers["Connection"] = "close"  # the rest of the body is not wanted
            await response(scope, receive, self._draining(receive, send))
            return
        await self._app(scope, receive, send)

    def _draining(self, receive: Receive, send: Send) -> Send:
        """Return a way to send an answer whose connection is closed a little later than it is sent.

        A connection that is closed while the client still sends is lost with the answer in it: so
        some more of the body is taken and thrown away.
        """

        async def send_and_drain(message: Message) -> None:
            if message["type"] != "http.response.body" or message.get("more_body"):
                await send(message)
                return
            await send({**message, "more_body": True})
            left, more = self._limits.drained, True
            with suppress(TimeoutError):
                async with asyncio.timeout(self._limits.drain_seconds):
                    while more and left > 0:
                        taken = await receive()
                        left -= len(taken.get("body", b""))
                        more = taken.get("more_body", False)
            await send({"type": "http.response.body", "body": b"", "more_body": False})

        return send_and_drain

    def _check_type(self, method: str, headers: RequestHeaders, is_upload: bool) -> None:
        """Refuse kinds of content that a page of another origin may send without asking."""
        if method != "POST":
            return
        kinds = headers.getlist("content-type")
        kind = kinds[0].partition(";")[0].strip().lower() if len(kinds) == 1 else ""
        wanted = "multipart/form-data" if is_upload else "application/json"
        if kind != wanted:
            raise RefusedError(415, f"the content type must be {wanted}")

    async def _taken_in(self, receive: Receive, most: int) -> Receive:
        """Return a way to receive the whole body, which has been read."""
        body = bytearray()
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                more = True
                while more:
                    message = await receive()
                    if message["type"] != "http.request":
                        raise RefusedError(400, "the request was not sent to its end")
                    body += message.get("body", b"")
                    more = message.get("more_body", False)
                    if len(body) > most:
                        raise _too_long(most)
        except TimeoutError:
            raise RefusedError(408, "the request took too long to come") from None
        if _depth(body) > self._limits.depth:
            raise RefusedError(422, "the JSON has too many brackets inside brackets")
        whole: Message = {"type": "http.request", "body": bytes(body), "more_body": False}
        waiting = [whole]

        async def receive_whole() -> Message:
            return waiting.pop() if waiting else await receive()

        return receive_whole


class _Counted:
    """The messages of an upload, of which no more and for no longer is taken than allowed."""

    def __init__(self, receive: Receive, most: int, seconds: float) -> None:
        self._receive = receive
        self._most = most
        self._left = most
        self._until = asyncio.get_running_loop().time() + seconds
        self._more = True

    async def __call__(self) -> Message:
        if not self._more:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._until):
                message = await self._receive()
        except TimeoutError:
            raise RefusedError(408, "the upload took too long to come") from None
        self._left -= len(message.get("body", b""))
        self._more = message.get("more_body", False)
        if self._left < 0:
            raise _too_long(self._most)
        return message


def _check_length(headers: RequestHeaders, most: int) -> None:
    length = headers.get("content-length", "0")
    if not length.isascii() or not length.isdecimal():
        raise RefusedError(400, "the length of the content is no number")
    if len(length) > 18 or int(length) > most:
        raise _too_long(most)


def _too_long(most: int) -> RefusedError:
    return RefusedError(413, f"the request is too long: it may have {most:,} bytes")


def _depth(body: bytes | bytearray) -> int:
    """Return how deep brackets are nested in JSON; those in strings do not count."""
    deepest = depth = 0
    in_string = False
    for sign in re.finditer(rb'\\.|["\[\]{}]', body, re.DOTALL):
        byte = sign[0]
        if byte == b'"':
            in_string = not in_string
        elif in_string or len(byte) > 1:
            continue
        elif byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        else:
            depth -= 1
    return deepest
