"""``docqa serve``."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from docqa.cli.asking import answer_settings
from docqa.cli.options import (
    answer_options,
    device_option,
    dtype_option,
    embedder_option,
    index_option,
    reader_option,
)
from docqa.cli.show import note
from docqa.cluster.settings import ClusterSettings
from docqa.errors import DocQAError
from docqa.printable import printable

if TYPE_CHECKING:
    from docqa.server.settings import ServerSettings


_Command = TypeVar("_Command", bound=Callable[..., Any])


def _count_on_ray(name: str, meaning: str) -> Callable[[_Command], _Command]:
    """Return an option for how many there are of something on a cluster; one by default."""
    return click.option(
        name,
        type=click.IntRange(min=1),
        default=1,
        show_default=True,
        metavar="N",
        help=f"With --ray: {meaning}",
    )


@click.command()
@index_option
@click.option(
    "--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="Where to listen."
)
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=8080,
    show_default=True,
    help="0 takes any that is free.",
)
@click.option(
    "--allow-host",
    "names",
    multiple=True,
    metavar="NAME",
    help="A name that clients call the server by, besides localhost and addresses in numbers; "
    "may be repeated.",
)
@click.option(
    "--allow-origin",
    "origins",
    multiple=True,
    metavar="ORIGIN",
    help="Let web pages of this origin (https://search.example) use the server; may be repeated.",
)
@click.option(
    "--token-file",
    type=click.Path(dir_okay=False),
    help="Ask clients for the token in this file.",
)
@click.option(
    "--allow-changes", is_flag=True, help="Let clients upload documents and remove documents."
)
@click.option(
    "--show-paths", is_flag=True, help="Show the documents' whole paths on this computer."
)
@click.option(
    "--queue",
    type=click.IntRange(min=1),
    default=256,
    show_default=True,
    metavar="N",
    help="The most questions that wait for the reader; more are turned away.",
)
@click.option(
    "--time-limit",
    type=click.FloatRange(min=0, min_open=True),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="The most time for a request.",
)
@click.option(
    "--ray",
    "ray_address",
    metavar="ADDRESS",
    help="Serve a collection on a cluster of Ray: auto, HOST:PORT, or local to start one here.",
)
@_count_on_ray("--groups", "into how many groups the shards are parted.")
@_count_on_ray("--replicas", "how many processes hold each group.")
@_count_on_ray("--readers", "the most processes that read.")
@click.option(
    "--reader-gpus",
    type=click.FloatRange(min=0),
    default=0.0,
    show_default=True,
    metavar="SHARE",
    help="With --ray: the share of a GPU for each of these.",
)
@_count_on_ray("--fronts", "how many processes take requests.")
@click.option(
    "--shard-limit",
    type=click.FloatRange(min=0, min_open=True),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="With --ray: the most time that a shard may take for a step of a search.",
)
@click.option("--log-json", is_flag=True, help="Write the log as one JSON object a line.")
@reader_option
@embedder_option
@device_option
@dtype_option
@answer_options()
def serve(
    folder: str,
    host: str,
    port: int,
    names: tuple[str, ...],
    origins: tuple[str, ...],
    token_file: str | None,
    allow_changes: bool,
    show_paths: bool,
    queue: int,
    time_limit: float,
    ray_address: str | None,
    groups: int,
    replicas: int,
    readers: int,
    reader_gpus: float,
    fronts: int,
    shard_limit: float,
    log_json: bool,
    reader: str | None,
    embedder: str | None,
    device: str,
    dtype: str,
    asked: dict[str, Any],
) -> None:
    """Serve the indexed documents over HTTP, with a page to ask them in a browser.

    Listens on this computer alone unless --host says otherwise. Needs docqa's extra "serve"; see
    docs/server.md. Ctrl-C stops it.

    \b
    Example:
      docqa serve --port 8080
    """
    if find_spec("fastapi") is None or find_spec("uvicorn") is None:
        raise DocQAError('docqa serve needs the extra "serve": pip install "PATH-TO-DOCQA[serve]"')
    from docqa.index.opened import open_documents
    from docqa.server.logs import log_to_stderr
    from docqa.server.run import address_of, listen
    from docqa.server.run import serve as run
    from docqa.server.settings import ServerLimits, ServerSettings, read_token

    settings = ServerSettings(
        index=Path(folder),
        reader=reader,
        embedder=embedder,
        device=device,
        dtype=dtype,
        answers=answer_settings(reader, asked),
        host=host,
        port=port,
        names=names,
        origins=origins,
        token=read_token(Path(token_file)) if token_file is not None else None,
        allow_changes=allow_changes,
        show_paths=show_paths,
        limits=ServerLimits(waiting=queue, answer_seconds=time_limit),
    )
    if not allow_changes:
        with open_documents(Path(folder)):
            pass  # tells now, not with the first question, what is wrong
    if settings.token is None and not settings.is_local:
        note("everybody who can reach this computer can read the documents; see --token-file")
    log_to_stderr(log_json)
    if ray_address is not None:
        cluster = ClusterSettings(
            groups=groups,
            replicas=replicas,
            shard_seconds=shard_limit,
            readers=readers,
            reader_seconds=time_limit,
            reader_gpus=reader_gpus,
            fronts=fronts,
        )
        _serve_on_ray(ray_address, settings, cluster)
        return
    listening = listen(host, port)
    click.echo(f"{printable(folder)} is served at {address_of(listening)} (Ctrl-C stops it)")
    run(settings, listening)


def _serve_on_ray(address: str, settings: ServerSettings, cluster: ClusterSettings) -> None:
    """Serve a collection on a cluster until somebody stops it."""
    from docqa.index.paths import is_collection

    if find_spec("ray") is None:
        raise DocQAError('--ray needs the extra "cluster": pip install "PATH-TO-DOCQA[cluster]"')
    if not is_collection(settings.index):
        raise DocQAError(
            f"{settings.index} is no collection; make one with: "
            "docqa index PATH... --index DIR --shards N"
        )
    if settings.allow_changes:
        raise DocQAError("--allow-changes does not go with --ray; use docqa index")
    if settings.port == 0:
        raise DocQAError("--ray needs a --port other than 0")
    from docqa.cluster.run import serve_on_ray

    shown = f"http://{settings.host}:{settings.port}/"
    serve_on_ray(
        address,
        settings,
        cluster,
        lambda: click.echo(f"{printable(str(settings.index))} is served at {shown} on Ray"),
    )
