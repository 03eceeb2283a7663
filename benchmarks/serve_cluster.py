"""A collection served by Ray on this computer: kills under load, and latency against shards.

    python benchmarks/serve_cluster.py kills --kills 20
    python benchmarks/serve_cluster.py latency --shards 1 4 16 64
    python benchmarks/serve_cluster.py calls

The first two make collections of the manual (docs/, or the files given with --documents) and serve
them with a Ray of their own. ``kills`` lets clients ask while replicas of shards and readers are
killed at random (SIGKILL), one after the other, each when Ray has started the last one again. It
counts what came back: whole answers, answers that say that a part was searched, clean refusals, and
whatever else there was, which must be nothing; it checks that whole answers are those from before
the kills.

``latency`` asks one question after the other for windows (nothing is read) and prints the times
beside those that the simulation gives (fan_out.py). All shards share this computer's processors, so
what is simulated are as many servers as there are processors, each with its share of the shards;
what Ray adds to a request is taken from the run with one shard.

``calls`` prints how much of a processor a request to a replica takes from the process that sends
it: what a merger pays for each shard and step besides merging (``scale.py simulate --call-ms``).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import socket
import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import numpy as np
import psutil
import ray
from fan_out import Cluster, Round, simulate
from ray import serve
from serve import questions_of
from shard_times import measure_steps, rounds_of

from docqa import DocQA
from docqa.cluster.run import run
from docqa.cluster.settings import ClusterSettings
from docqa.server.settings import ServerSettings

os.environ.setdefault("RAY_worker_niceness", "0")  # workers give way to all others, else
DOCS = Path(__file__).parent.parent / "docs"


@contextmanager
def served(index: Path, cluster: ClusterSettings) -> Iterator[httpx.Client]:
    """Serve a collection, and yield a client of it when it is ready."""
    ray.init(
        num_cpus=os.cpu_count(),
        object_store_memory=100 << 20,
        include_dashboard=False,
        log_to_driver=False,
    )
    with socket.create_server(("127.0.0.1", 0)) as free:  # of Ray's processes, too
        port = free.getsockname()[1]
    try:
        run(ServerSettings(index=index, port=port), cluster)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as client:
            while client.get("/readyz").status_code != 200:
                time.sleep(0.2)
            yield client
    finally:
        serve.shutdown()
        ray.shutdown()


def replicas() -> list[psutil.Process]:
    """Return the processes of the replicas of shards and readers."""
    found = []
    for process in psutil.Process().children(recursive=True):
        title = _title(process)
        if ":shards-" in title or ":readers" in title:
            found.append(process)
    return found


def _title(process: psutil.Process) -> str:
    try:
        return "".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def kills(args: argparse.Namespace, folder: Path) -> None:
    index = _collection(args.documents, folder, args.shards[0])
    questions = _questions(index, 40)
    cluster = ClusterSettings(groups=2, replicas=2, readers=1, processors=0.1)
    chosen = random.Random(args.seed)
    with served(index, cluster) as client:
        before = {question: _ask(client, question) for question in questions}
        stop = threading.Event()
        seen: Counter[str] = Counter()
        seconds: list[float] = []

        def keep_asking(turn: int) -> None:
            own = random.Random(turn)
            with httpx.Client(base_url=client.base_url, timeout=120) as mine:
                while not stop.is_set():
                    question = own.choice(questions)
                    began = time.perf_counter()
                    seen[_kind(_ask(mine, question), before[question], args.shards[0])] += 1
                    seconds.append(time.perf_counter() - began)

        threads = [
            threading.Thread(target=keep_asking, args=(turn,)) for turn in range(args.clients)
        ]
        for thread in threads:
            thread.start()
        for n in range(args.kills):
            there = {process.pid: _title(process) for process in replicas()}
            pid = chosen.choice(sorted(there))
            psutil.Process(pid).kill()
            print(f"kill {n + 1}: {there[pid]}", flush=True)
            while len([p for p in replicas() if p.pid != pid]) < len(there):
                time.sleep(0.2)
            time.sleep(args.pause * chosen.random())
        stop.set()
        for thread in threads:
            thread.join()
    cuts = statistics.quantiles(seconds, n=100)
    print(json.dumps({"kills": args.kills, "questions": len(seconds), **seen}))
    print(f"p50 {cuts[49]:.2f} s, p99 {cuts[98]:.2f} s, longest {max(seconds):.2f} s")


def _ask(client: httpx.Client, question: str) -> tuple[int, Any]:
    try:
        reply = client.post("/api/ask", json={"question": question, "boxes": False})
        return reply.status_code, reply.json()
    except (httpx.HTTPError, ValueError) as error:
        return 0, {"error": str(error)}


def _kind(found: tuple[int, Any], before: tuple[int, Any], shards: int) -> str:
    status, value = found
    if status == 503:
        return "refused" if value.get("error") else "refused without a reason"
    if status != 200:
        return f"status {status}: {value.get('error')}"
    result, whole = value["results"][0], before[1]["results"][0]
    if result["searched"] != f"{shards}/{shards}":
        return "of a part"
    same = [a["text"] for a in result["answers"]] == [a["text"] for a in whole["answers"]]
    return "whole" if same else "whole, but other answers"


def latency(args: argparse.Namespace, folder: Path) -> None:
    print(f"{'shards':>6} {'p50 ms':>8} {'p99 ms':>8} {'simulated p50':>14} {'p99':>8}")
    added: float | None = None
    for shards in args.shards:
        index = _collection(args.documents, folder, shards)
        questions = _questions(index, args.questions)
        groups = min(shards, os.cpu_count() or 1)
        with served(index, ClusterSettings(groups=groups, processors=0.1)) as client:
            taken = [_search_seconds(client, question) for question in questions * 2]
        measured = taken[len(questions) :]  # in the first turn, what is on disk is read
        steps = _steps_of(index, questions)
        if added is None:
            added = (statistics.median(measured) - _simulated(steps, shards, 0.0)[0]) / 4
        p50, p99 = _simulated(steps, shards, max(added, 0.0))
        print(
            f"{shards:6} {1000 * np.percentile(measured, 50):8.1f} "
            f"{1000 * np.percentile(measured, 99):8.1f} {1000 * p50:14.1f} {1000 * p99:8.1f}",
            flush=True,
        )


def calls(args: argparse.Namespace, _folder: Path) -> None:
    reply = np.zeros(2_000, np.float32)  # as large as what a shard offers for a question

    class Shard:
        def find(self, _vector: Any) -> Any:
            return reply

    ray.init(num_cpus=2, object_store_memory=100 << 20, include_dashboard=False)
    try:
        handle = serve.run(serve.deployment(Shard).bind(), name="calls", route_prefix=None)
        vector = np.zeros(384, np.float32)
        for count in (100, args.questions * 20):  # the first ones are for warmth
            began, worked = time.perf_counter(), time.process_time()
            done = 0
            while done < count:
                for response in [handle.find.remote(vector) for _ in range(16)]:
                    response.result()
                    done += 1
            took, worked = time.perf_counter() - began, time.process_time() - worked
        print(f"{1000 * worked / done:.2f} ms of a processor, {1000 * took / done:.2f} ms in all")
    finally:
        serve.shutdown()
        ray.shutdown()


def _search_seconds(client: httpx.Client, question: str) -> float:
    began = time.perf_counter()
    reply = client.post("/api/search", json={"question": question})
    reply.raise_for_status()
    return time.perf_counter() - began


def _simulated(steps: dict[str, Any], shards: int, added: float) -> tuple[float, float]:
    """Return p50 and p99 of a question that is asked alone.

    Args:
        added: seconds that a request takes besides its service.
    """
    servers = min(shards, os.cpu_count() or 1)

    def shared(one: Round) -> Round:
        """Return a round in which each server does the work of its shards, one after the other."""
        asked = min(shards, one.most or shards)
        each = -(-asked // servers)

        def service(rng: np.random.Generator, question: int, requests: int) -> Any:
            work = one.service(rng, question, requests * each).reshape(requests, each)
            return (work + added).sum(axis=1)

        return Round(service, min(servers, asked))

    rounds = [shared(one) for one in rounds_of(steps, shards)]
    outcome = simulate(Cluster(servers), 0.01, rounds, 1000)
    return outcome.percentile(50), outcome.percentile(99)


def _steps_of(index: Path, questions: list[str]) -> dict[str, Any]:
    """Return the service times of a collection's first shard."""
    from docqa.index.collection.catalogue import Catalogue

    [shard, *_] = Catalogue.read(index).folders(index)
    with DocQA(index) as qa, qa._opened.snapshot() as (documents, _):
        vectors = qa._opened.embedder(documents).questions(questions)
    return measure_steps(shard, questions, vectors, 3)


def _collection(documents: Path, folder: Path, shards: int) -> Path:
    """Return a collection of documents, made in a folder if it isn't there."""
    index = folder / f"{shards}" / ".docqa"
    if not index.exists():
        with DocQA(index) as qa:
            qa.index([documents], shards=shards)
    return index


def _questions(index: Path, count: int) -> list[str]:
    from docqa.index.opened import open_documents

    with open_documents(index) as documents:
        folders = [store.folder for _, store in documents.parts]
    found = [question for shard in folders for question in questions_of(str(shard), count)]
    return random.Random(0).sample(found, min(count, len(found)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["kills", "latency", "calls"])
    parser.add_argument("--documents", type=Path, default=DOCS)
    parser.add_argument("--folder", type=Path, help="where collections are kept")
    parser.add_argument("--shards", type=int, nargs="+", default=[4])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--pause", type=float, default=2.0, help="the most seconds between kills")
    parser.add_argument("--questions", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    with TemporaryDirectory() as temporary:
        folder = args.folder or Path(temporary)
        {"kills": kills, "latency": latency, "calls": calls}[args.what](args, folder)


if __name__ == "__main__":
    main()
