"""A collection served by a real Ray on this computer: asked over HTTP, with replicas that die."""

from __future__ import annotations

import os
import random
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import httpx
import psutil
import pytest

# A busy machine takes longer to start a process than Ray Serve waits for. Read when it is imported.
os.environ.setdefault("RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S", "60")
os.environ.setdefault("RAY_SERVE_PROXY_HEALTH_CHECK_TIMEOUT_S", "60")
os.environ.setdefault("RAY_worker_niceness", "0")  # workers give way to all others, else
pytest.importorskip("ray", reason="the extra cluster is not installed")

import ray
from ray import serve

from docqa import DocQA
from docqa.cluster.run import run
from docqa.cluster.settings import ClusterSettings
from docqa.server.settings import ServerSettings

_SHARDS = 4
_PEOPLE = [
    "Ada Lovelace",
    "Emil Post",
    "Alonzo Church",
    "Rosa Peter",
    "Haskell Curry",
    "Grace Hopper",
]
_THINGS = ["bridge", "lighthouse", "canal", "library"]
# Far more than a start takes on a busy machine; whoever waits so long fails.
_PATIENCE = 600.0


@dataclass
class _Served:
    """A collection that is served.

    Attributes:
        client: of the server.
        documents: the folder of its documents.
        questions: what can be asked.
    """

    client: httpx.Client
    documents: Path
    questions: list[str]

    def ask(self, *questions: str) -> httpx.Response:
        return self.client.post("/api/ask", json={"question": questions, "boxes": False})


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, tiny_reader: Path) -> Iterator[_Served]:
    documents = tmp_path_factory.mktemp("cluster") / "documents"
    documents.mkdir()
    questions = []
    for n, person in enumerate(_PEOPLE):
        for thing in _THINGS:
            (documents / f"{thing}-{n}.txt").write_text(
                f"The {thing} of {person}.\n\nIt was built by {person} in {1900 + n}.\n"
            )
            questions.append(f"Who built the {thing} of {person}?")
    index = documents / ".docqa"
    with DocQA(index, reader=str(tiny_reader)) as qa:
        qa.index([documents], shards=_SHARDS)
    ray.init(
        num_cpus=2,
        object_store_memory=100 << 20,
        include_dashboard=False,
        log_to_driver=False,
        configure_logging=False,
    )
    with socket.create_server(("127.0.0.1", 0)) as free:  # of Ray's processes, too
        port = free.getsockname()[1]
    try:
        run(
            ServerSettings(index=index, reader=str(tiny_reader), port=port),
            ClusterSettings(groups=2, processors=0.1, shard_seconds=120.0),
        )
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=_PATIENCE) as client:
            _wait(lambda: _is_ready(client))
            yield _Served(client, documents, questions)
    finally:
        serve.shutdown()
        ray.shutdown()


def _wait(done: Callable[[], bool]) -> None:
    until = monotonic() + _PATIENCE
    while not done():
        assert monotonic() < until, "this took too long"
        sleep(0.5)


def _is_ready(client: httpx.Client) -> bool:
    try:
        return client.get("/readyz").status_code == 200
    except httpx.ConnectError:
        return False


def _results(reply: httpx.Response) -> list[Any]:
    assert reply.status_code == 200, reply.text
    results: list[Any] = reply.json()["results"]
    return results


def _replicas(deployment: str) -> list[psutil.Process]:
    """Return the processes of a deployment's replicas, by the titles that Ray gives them."""
    found = []
    for process in psutil.Process().children(recursive=True):
        try:
            if f":{deployment}" in "".join(process.cmdline()):
                found.append(process)
        except psutil.NoSuchProcess:
            continue
    return found


def _answers(result: Any) -> Any:
    return [(a["document"], a["start"], a["end"], a["text"]) for a in result["answers"]]


def test_answers_are_those_of_the_same_collection_without_ray(
    served: _Served, tiny_reader: Path
) -> None:
    results = _results(served.ask(*served.questions))
    with DocQA(served.documents / ".docqa", reader=str(tiny_reader)) as qa:
        for result, answers in zip(results, qa.ask_many(served.questions), strict=True):
            assert result["searched"] == f"{_SHARDS}/{_SHARDS}"
            here = [(Path(a.document).name, a.start, a.end, a.text) for a in answers]
            assert _answers(result) == here


def test_the_page_and_the_documents_are_served(served: _Served) -> None:
    assert "<title>" in served.client.get("/").text
    listed = served.client.get("/api/documents").json()
    assert listed["total"] == len(_PEOPLE) * len(_THINGS)
    first = listed["documents"][0]
    text = served.client.get(f"/api/documents/{first['id']}/text").json()
    assert text["text"] == (served.documents / first["path"]).read_text()


@contextmanager
def _under_load(served: _Served, clients: int) -> Iterator[list[tuple[str, httpx.Response]]]:
    """Ask one question after the other while it lasts; yield what comes back."""
    stop = threading.Event()
    seen: list[tuple[str, httpx.Response]] = []

    def keep_asking() -> None:
        while not stop.is_set():
            question = random.choice(served.questions)
            seen.append((question, served.ask(question)))

    asking = [threading.Thread(target=keep_asking) for _ in range(clients)]
    for thread in asking:
        thread.start()
    try:
        yield seen
    finally:
        stop.set()
        for thread in asking:
            thread.join()


def test_a_new_generation_is_taken_up_without_a_pause(served: _Served, tiny_reader: Path) -> None:
    with (
        _under_load(served, 1) as seen,
        DocQA(served.documents / ".docqa", reader=str(tiny_reader)) as qa,
    ):
        for n in range(4):
            (served.documents / f"new-{n}.txt").write_text(f"The zeppelin {n} was new.\n")
            qa.index([served.documents])
    for _, reply in seen:
        assert [result["searched"] for result in _results(reply)] == [f"{_SHARDS}/{_SHARDS}"]
    [result] = _results(served.ask("Which zeppelin was new?"))
    assert sum("zeppelin" in hit["text"] for hit in result["hits"]) == 4


def test_replicas_that_are_killed_under_load_cost_no_question(served: _Served) -> None:
    """Every question is answered, and says truly how much was searched, or is refused cleanly."""
    before = dict(zip(served.questions, _results(served.ask(*served.questions)), strict=True))
    with _under_load(served, 2) as seen:
        for deployment in ("shards-0", "readers"):
            there = _replicas(deployment)
            assert there
            for process in there:  # all of them, so that there is nobody to ask instead
                process.kill()
            pids = {process.pid for process in there}
            _wait(
                lambda name=deployment, gone=pids: (
                    len([process for process in _replicas(name) if process.pid not in gone])
                    == len(gone)
                )
            )
    assert seen
    for question, reply in seen:
        assert reply.status_code in (200, 503), reply.text
        if reply.status_code == 503:
            assert reply.json()["error"]
            continue
        [result] = _results(reply)
        answered, shards = map(int, result["searched"].split("/"))
        assert shards == _SHARDS
        assert 0 < answered <= shards
        if answered == shards:
            assert _answers(result) == _answers(before[question])
    _wait(lambda: _results(served.ask(served.questions[0]))[0]["searched"] == "4/4")
