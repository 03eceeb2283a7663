"""Builds of a collection's shards on a Ray cluster: a task a shard.

Where a task runs, and that it runs again where its process or its node has died, is Ray's. A shard
has one writer at any time, by its lock. Ray is imported here and nowhere else, when there is
something to do.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from docqa.index.build import BuildOptions, IndexReport, Progress
from docqa.index.collection.build import Collection, ShardWork, build_shard
from docqa.index.collection.catalogue import Catalogue
from docqa.index.errors import ClusterError, DiskFullError, StorageError
from docqa.index.handle import OwnEmbedder
from docqa.index.models.embedder import Embedder
from docqa.index.schema import IndexSettings
from docqa.ingest.discover import Discovery, find_files
from docqa.ingest.errors import DocQAError

# In place of an address: Ray is started on this machine, for this run alone.
LOCAL = "local"
# How often a shard's process, or its node, may die in a run.
_MOST_DEATHS = 100
# Where the cluster has GPUs, so many tasks share one: while one reads files, another embeds.
_TASKS_A_GPU = 4
# How long a task waits for another, whose node has just been given up, to let go of its shard.
_WAIT_FOR_LOCK = 120.0
_CONNECT_SECONDS = 10.0
_TELL_SECONDS = 0.5  # between two words on a shard's progress


def build_on_ray(
    collection: Collection,
    embedder: str | Embedder,
    device: str,
    paths: Sequence[str | os.PathLike[str]],
    options: BuildOptions,
    progress: Progress | None,
    address: str,
) -> IndexReport:
    """Bring the shards of a collection in line with the files, several at a time.

    All nodes have the same Python packages, and see the collection's folder and the documents
    under the same paths.

    Args:
        collection: from :func:`docqa.index.collection.build.writing`.
        embedder: that it was made with, or its name.
        device: of the embedder.
        paths, options, progress: as for :func:`docqa.index.collection.build.build_collection`.
        address: of the cluster: ``auto`` for that which this machine is a node of, or what
            ``ray.init`` takes; ``local`` to start one for this run.

    Raises:
        ClusterError: there is no Ray, or no such cluster.
        DiskFullError: there is no room left. What was written before is kept.
        StorageError: a shard could not be built, as the kind of error says.
        ModelError: the embedder can't be loaded.
    """
    found = find_files(paths, options.include, options.exclude)
    shares = collection.share_out(found)
    work = ShardWork(found, shares, progress)
    with connected(address) as ray:
        gpus = ray.cluster_resources().get("GPU", 0)
        build = ray.remote(
            num_cpus=1,
            num_gpus=1 / _TASKS_A_GPU if gpus else 0,
            max_retries=_MOST_DEATHS,
            scheduling_strategy="SPREAD",
        )(_build)
        tally = ray.remote(num_cpus=0, max_restarts=-1)(_Tally).remote()
        common = ray.put(
            _Common(
                collection.folder,
                collection.catalogue,
                collection.settings,
                embedder,
                device,
                replace(options, workers=options.workers or 1),
                [root for root in found.roots if os.path.lexists(root)],
            )
        )
        # The largest first, so that none of them is begun when all others are done.
        order = sorted(range(len(shares)), key=lambda number: -len(shares[number].files))
        running = {build.remote(common, n, shares[n], tally): n for n in order}
        try:
            while running:
                done, _ = ray.wait(list(running), timeout=_TELL_SECONDS)
                for one in done:
                    _take(ray, work, running.pop(one), one)
                _show(ray, work, tally)
        finally:
            for one in running:
                ray.cancel(one, force=True)
    return work.report()


class _Common:
    """What the builds of all shards have in common.

    Args:
        folder, catalogue, settings: of the collection.
        roots: the named paths that are there.
    """

    def __init__(
        self,
        folder: Path,
        catalogue: Catalogue,
        settings: IndexSettings,
        embedder: str | Embedder,
        device: str,
        options: BuildOptions,
        roots: list[str],
    ) -> None:
        self.folder = folder.absolute()
        self.catalogue = catalogue
        self.settings = settings
        self.embedder = embedder
        self.device = device
        self.options = options
        self.roots = roots

    def check_node(self) -> None:
        """Raise that this node does not see what the others see, before it does any harm."""
        missing = [root for root in self.roots if not os.path.lexists(root)]
        try:
            if Catalogue.read(self.folder) != self.catalogue:
                missing.append(str(self.folder))
        except StorageError:
            missing.append(str(self.folder))
        if missing:
            raise StorageError(
                f"the node {socket.gethostname()} does not see {', '.join(missing)}; documents and "
                "collection must lie on a file system that all nodes share"
            )


class _Tally:
    """How far each shard has come; an actor, since only actors can be asked."""

    def __init__(self) -> None:
        self._shards: dict[int, tuple[int, int, int]] = {}

    def tell(self, shard: int, files_done: int, files: int, windows_done: int) -> None:
        self._shards[shard] = (files_done, files, windows_done)

    def shards(self) -> dict[int, tuple[int, int, int]]:
        return self._shards


def _build(common: _Common, number: int, share: Discovery, tally: Any) -> IndexReport | DocQAError:
    """Build a shard; runs on some node, anew where it died. Errors are told, not raised."""
    told = 0.0

    def tell(files_done: int, files: int, windows_done: int) -> None:
        nonlocal told
        if time.monotonic() - told > _TELL_SECONDS or files_done == files:
            told = time.monotonic()
            tally.tell.remote(number, files_done, files, windows_done)

    try:
        common.check_node()
        return build_shard(
            common.catalogue.folders(common.folder)[number],
            common.settings,
            _embedder(common),
            share,
            common.options,
            tell,
            wait=_WAIT_FOR_LOCK,
        )
    except DocQAError as error:
        return error


def _embedder(common: _Common) -> Embedder:
    name = common.embedder
    own = _kept(name, common.device) if isinstance(name, str) else OwnEmbedder(name, common.device)
    return own.get(common.settings, common.folder)


@lru_cache(maxsize=1)
def _kept(name: str, device: str) -> OwnEmbedder:
    """Return an embedder that the next shard in this process takes, too."""
    return OwnEmbedder(name, device)


def _take(ray: Any, work: ShardWork, number: int, done: Any) -> None:
    """Take note of what came of a shard."""
    try:
        result = ray.get(done)
    except ray.exceptions.RayError as error:
        reason = str(error).strip().splitlines()[0]
        result = StorageError(
            f"its process died again and again, or could not be started ({reason}); what was "
            "written is kept, and the next run goes on from there"
        )
    if isinstance(result, IndexReport):
        work.done(result)
    elif isinstance(result, StorageError) and not isinstance(result, DiskFullError):
        work.fail(number, result)
    else:
        raise result


def _show(ray: Any, work: ShardWork, tally: Any) -> None:
    """Show how far the shards have come, if the tally answers: it may have died with its node."""
    try:
        shards = ray.get(tally.shards.remote(), timeout=5)
    except ray.exceptions.RayError:
        return
    for number, state in shards.items():
        work.tell(number, *state)


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """Yield the module, connected to a cluster: the one that the program uses already, if any.

    Raises:
        ClusterError: there is no Ray, or no such cluster.
    """
    if find_spec("ray") is None:
        raise ClusterError('--ray needs the extra "cluster": pip install "PATH-TO-DOCQA[cluster]"')
    # docqa sends nothing anywhere; Ray would report its use.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray

    if ray.is_initialized():
        yield ray
        return
    how: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if address == LOCAL:
        how["include_dashboard"] = False
    try:
        _check_address(address)
        ray.init(address, **how)
    except (OSError, ValueError, RuntimeError, ray.exceptions.RayError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ClusterError(f"no Ray cluster at {address}: {reason}") from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _check_address(address: str) -> None:
    """Raise an ``OSError`` where nobody listens; Ray would try for minutes before it said so."""
    host, _, port = address.rpartition(":")
    if host and port.isdecimal() and "://" not in address:
        socket.create_connection((host, int(port)), _CONNECT_SECONDS).close()
