"""Running the server: the socket, signals, and the end."""

from __future__ import annotations

import resource
import signal
import socket
from contextlib import suppress

import uvicorn

from docqa.errors import DocQAError
from docqa.server.app import create_app
from docqa.server.protocol import bounded_protocol
from docqa.server.settings import ServerSettings

# Files that the process has open besides its connections.
_OTHER_FILES = 200


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Args:
        port: 0 for any that is free.

    Raises:
        DocQAError: it can't.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = found[0]
        return socket.create_server(address[:2], family=family, backlog=1_024)
    except OSError as error:
        raise DocQAError(
            f"the server can't listen on {host}, port {port}: {error.strerror or error}"
        ) from error


def address_of(listening: socket.socket) -> str:
    """Return the address under which a browser on this computer finds a listening socket."""
    host, port = listening.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def serve(settings: ServerSettings, listening: socket.socket) -> None:
    """Serve until the process is told to stop; requests that are being served are finished."""
    limits = settings.limits
    config = uvicorn.Config(
        create_app(settings),
        http=bounded_protocol(limits),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_connections(limits.connections),
        timeout_keep_alive=int(limits.idle_seconds),
        timeout_graceful_shutdown=int(limits.stop_seconds),
    )
    # uvicorn raises the signal that stopped it once more when all is done.
    signal.signal(signal.SIGTERM, lambda *_: None)
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listening])


def _connections(wanted: int) -> int:
    """Return how many connections there may be, after asking the system for that many files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + _OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        return max(16, min(wanted, soft - _OTHER_FILES))
    return wanted
