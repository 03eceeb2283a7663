"""Running the application on Ray, until the process is told to stop."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress

from ray import serve

from docqa.cluster.app import application
from docqa.cluster.settings import ClusterSettings
from docqa.index.collection.on_ray import LOCAL, connected
from docqa.index.errors import ClusterError
from docqa.server.settings import ServerSettings

_NAME = "docqa"


def serve_on_ray(
    address: str, settings: ServerSettings, cluster: ClusterSettings, on_ready: Callable[[], None]
) -> None:
    """Serve on a cluster until the process gets SIGINT or SIGTERM.

    Args:
        address: of the cluster: ``auto`` for that which this computer is a node of, or what
            ``ray.init`` takes; ``local`` to start one for as long as this lasts.
        on_ready: called when all replicas run.

    Raises:
        ClusterError: there is no such cluster, or the application can't be started in it.
    """
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    if address == LOCAL:  # else its workers give way to all other programs on this computer
        os.environ.setdefault("RAY_worker_niceness", "0")
    with connected(address):
        try:
            try:
                run(settings, cluster)
            except RuntimeError as error:
                raise ClusterError(f"Ray Serve can't run docqa: {error}") from error
            on_ready()
            stopped.wait()
            serve.delete(_NAME)
        finally:
            if address == LOCAL:
                serve.shutdown()


def run(settings: ServerSettings, cluster: ClusterSettings) -> None:
    """Have Ray Serve run the application, and return when all of it runs."""
    # Ray Serve waits a minute for its proxy, which goes on starting; that can take longer.
    with suppress(TimeoutError):
        serve.start(
            proxy_location="HeadOnly",
            http_options={
                "host": settings.host,
                "port": settings.port,
                "keep_alive_timeout_s": int(settings.limits.idle_seconds),
            },
        )
    serve.run(application(settings, cluster), name=_NAME, route_prefix="/")
