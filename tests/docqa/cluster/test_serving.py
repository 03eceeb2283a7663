"""A collection served by a real Ray on this computer: asked over HTTP, with replicas that die."""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import httpx
import psutil
import pytest

pytest.importorskip("ray", reason="the extra cluster is not installed")

import ray
from ray import serve

from docqa import DocQA
from docqa.cluster.app import application
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
_PATIENCE = 150.0


@dataclass
class _Served:
    """A collection that is served.

    Attributes:
        client: of the server.
        documents: the folder of its documents.
        questions: what can be asked, and what came of it when all was well.
    """

    client: httpx.Client
    documents: Path
    questions: dict[str, Any]

    def ask(self, question: str) -> httpx.Response:
        return self.client.post("/api/ask", json={"question": question, "boxes": False})


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
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    ray.init(
        num_cpus=2,
        object_store_memory=100 << 20,
        include_dashboard=False,
        log_to_driver=False,
        configure_logging=False,
    )
    try:
        serve.start(http_options={"host": "127.0.0.1", "port": port})
        serve.run(
            application(
                ServerSettings(index=index, reader=str(tiny_reader)),
                ClusterSettings(groups=2, replicas=2, processors=0.1, shard_seconds=30.0),
            ),
            name="docqa",
        )
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=_PATIENCE) as client:
            made = _Served(client, documents, {})
            _wait(lambda: client.get("/readyz").status_code == 200)
            for question in questions:
                made.questions[question] = _result(made.ask(question))
            yield made
    finally:
        serve.shutdown()
        ray.shutdown()


def _wait(done: Any) -> None:
    until = monotonic() + _PATIENCE
    while not done():
        assert monotonic() < until, "this took too long"
        sleep(0.1)


def _result(reply: httpx.Response) -> Any:
    assert reply.status_code == 200, reply.text
    return reply.json()["results"][0]


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


def _same(result: Any, other: Any) -> bool:
    def answers(one: Any) -> Any:
        return [(a["document"], a["start"], a["end"], a["text"]) for a in one["answers"]]

    return bool(answers(result) == answers(other))


def test_answers_are_those_of_the_same_collection_without_ray(
    served: _Served, tiny_reader: Path
) -> None:
    with DocQA(served.documents / ".docqa", reader=str(tiny_reader)) as qa:
        for question, result in served.questions.items():
            assert result["searched"] == f"{_SHARDS}/{_SHARDS}"
            here = [(Path(a.document).name, a.start, a.text) for a in qa.ask(question)]
            there = [(a["document"], a["start"], a["text"]) for a in result["answers"]]
            assert here == there


def test_the_page_and_the_documents_are_served(served: _Served) -> None:
    assert "<title>" in served.client.get("/").text
    listed = served.client.get("/api/documents").json()
    assert listed["total"] == len(_PEOPLE) * len(_THINGS)
    first = listed["documents"][0]
    text = served.client.get(f"/api/documents/{first['id']}/text").json()
    assert text["text"] == (served.documents / first["path"]).read_text()


def test_a_new_generation_is_taken_up_without_a_pause(served: _Served, tiny_reader: Path) -> None:
    stop = threading.Event()
    seen: list[httpx.Response] = []

    def keep_asking() -> None:
        while not stop.is_set():
            seen.append(served.ask(random.choice(list(served.questions))))

    asking = threading.Thread(target=keep_asking)
    asking.start()
    try:
        with DocQA(served.documents / ".docqa", reader=str(tiny_reader)) as qa:
            for n in range(4):
                (served.documents / f"new-{n}.txt").write_text(f"The zeppelin {n} was new.\n")
                qa.index([served.documents])
    finally:
        stop.set()
        asking.join()
    assert {_result(reply)["searched"] for reply in seen} == {f"{_SHARDS}/{_SHARDS}"}
    hits = _result(served.ask("Which zeppelin was new?"))["hits"]
    assert sum("zeppelin" in hit["text"] for hit in hits) == 4


def test_replicas_that_are_killed_under_load_cost_no_question(served: _Served) -> None:
    """Every question is answered, and says truly how much was searched, or is refused cleanly."""
    stop = threading.Event()
    seen: list[tuple[str, httpx.Response]] = []

    def keep_asking() -> None:
        while not stop.is_set():
            question = random.choice(list(served.questions))
            seen.append((question, served.ask(question)))

    asking = [threading.Thread(target=keep_asking) for _ in range(3)]
    for thread in asking:
        thread.start()
    try:
        for deployment in ("shards-0", "shards-1", "readers"):
            before = {process.pid for process in _replicas(deployment)}
            assert before
            psutil.Process(min(before)).kill()
            _wait(
                lambda d=deployment, b=before: (
                    len({process.pid for process in _replicas(d)} - {min(b)}) >= len(b)
                )
            )
    finally:
        stop.set()
        for thread in asking:
            thread.join()
    assert seen
    for question, reply in seen:
        assert reply.status_code in (200, 503), reply.text
        if reply.status_code == 503:
            assert reply.json()["error"]
            continue
        result = _result(reply)
        answered, shards = map(int, result["searched"].split("/"))
        assert shards == _SHARDS
        assert 0 < answered <= shards
        if answered == shards:
            assert _same(result, served.questions[question])
    _wait(lambda: _result(served.ask(next(iter(served.questions))))["searched"] == "4/4")
