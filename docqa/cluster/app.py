"""The application as Ray Serve runs it: groups of shards, readers, and the server in front."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from ray import serve
from ray.serve import Application

from docqa.cluster.qa import ClusterQA
from docqa.cluster.remote import Handle, pack
from docqa.cluster.settings import ClusterSettings
from docqa.cluster.shard_server import ShardServer
from docqa.model.span_model import SpanModel
from docqa.ranking.reading import Job
from docqa.server.app import create_app
from docqa.server.settings import ServerSettings, read_token
from docqa.settings import DEFAULT_READER

# Requests that a replica takes in; more than that wait where they come from.
_AT_A_SHARD = 64
_AT_A_READER = 32
_AT_THE_FRONT = 1_000
# Batches of questions that a front has under way: while one is read, others are searched for.
_BATCHES = 4
# So many requests at a reader are worth another one, up to the most.
_READER_LOAD = 4


class Readers:
    """Reads windows for all fronts, in common batches.

    Args:
        name, device, dtype: as for :class:`docqa.model.span_model.SpanModel`.
    """

    def __init__(self, name: str, device: str, dtype: str) -> None:
        self._model = SpanModel(name, device, dtype)

    # Nothing waits for a batch to fill: while one is read, the next gathers.
    @serve.batch(  # type: ignore  # Ray is not there for whoever checks types
        max_batch_size=_AT_A_READER, batch_wait_timeout_s=0.0
    )
    async def read(self, requests: list[list[Job]]) -> list[list[Any]]:
        """Return the packed logits of each request's jobs."""
        jobs = [job for request in requests for job in request]
        logits = iter(await asyncio.to_thread(self._model.logits, jobs))
        return [[pack(next(logits)) for _ in request] for request in requests]


@serve.ingress()
class Front:
    """The server's application, with shards and readers elsewhere."""

    def __init__(
        self,
        settings: ServerSettings,
        cluster: ClusterSettings,
        groups: Sequence[Handle],
        readers: Handle,
    ) -> None:
        self._settings = settings
        self._qa = ClusterQA(settings, cluster, groups, readers)

    def __serve_build_asgi_app__(self) -> FastAPI:
        return create_app(self._settings, self._qa)


def application(settings: ServerSettings, cluster: ClusterSettings) -> Application:
    """Return what Ray Serve is to run."""
    settings = replace(
        settings,
        index=settings.index.absolute(),
        reader=_whole(settings.reader),
        limits=replace(settings.limits, batches=_BATCHES),
    )
    processors = {"num_cpus": cluster.processors}
    groups = [
        serve.deployment(ShardServer)
        .options(
            name=f"shards-{group}",
            num_replicas=cluster.replicas,
            max_ongoing_requests=_AT_A_SHARD,
            ray_actor_options=processors,
        )
        .bind()
        for group in range(cluster.groups)
    ]
    on_gpus = {"num_gpus": cluster.reader_gpus} if cluster.reader_gpus else {}
    readers = (
        serve.deployment(Readers)
        .options(
            name="readers",
            max_ongoing_requests=_AT_A_READER,
            autoscaling_config={
                "min_replicas": 1,
                "max_replicas": cluster.readers,
                "target_ongoing_requests": _READER_LOAD,
            },
            ray_actor_options={**processors, **on_gpus},
        )
        .bind(settings.reader or DEFAULT_READER, settings.device, settings.dtype)
    )
    return (
        serve.deployment(Front)
        .options(
            name="front",
            num_replicas=cluster.fronts,
            max_ongoing_requests=_AT_THE_FRONT,
            ray_actor_options=processors,
        )
        .bind(settings, cluster, groups, readers)
    )


def _whole(reader: str | None) -> str | None:
    """Return a reader's folder from the root, since replicas run elsewhere; or its name."""
    return str(Path(reader).absolute()) if reader is not None and Path(reader).is_dir() else reader


def build(arguments: Mapping[str, Any]) -> Application:
    """Return what Ray Serve is to run, from the arguments in a configuration of Ray Serve.

    Args, Raises: as :func:`read_arguments`.
    """
    return application(*read_arguments(arguments))


def read_arguments(arguments: Mapping[str, Any]) -> tuple[ServerSettings, ClusterSettings]:
    """Return the settings that a configuration of Ray Serve gives.

    Args:
        arguments: ``index``, and whatever else is in :class:`ServerSettings` (with ``token_file``
            in place of ``token``) and in :class:`ClusterSettings`.

    Raises:
        ValueError: there is no such argument.
    """
    given = dict(arguments)
    given["index"] = Path(given["index"])
    if "token_file" in given:
        given["token"] = read_token(Path(given.pop("token_file")))
    for name in ("names", "origins"):
        given[name] = tuple(given.get(name, ()))
    of_cluster = {field.name for field in fields(ClusterSettings)}
    of_server = {field.name for field in fields(ServerSettings)}
    if unknown := given.keys() - of_cluster - of_server:
        raise ValueError(f"there are no such arguments: {', '.join(sorted(unknown))}")
    return (
        ServerSettings(**{name: given[name] for name in given.keys() & of_server}),
        ClusterSettings(**{name: given[name] for name in given.keys() & of_cluster}),
    )
