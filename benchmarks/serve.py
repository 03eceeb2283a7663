"""A server under load: batched, one question at a time, behind a plain handler, and Haystack.

    python benchmarks/serve.py DATA.json.gz --clients 1 8 64 1000 --seconds 20
    python benchmarks/serve.py --index .docqa --clients 1 8 64 --seconds 20

Everything stays on this computer: the servers listen on 127.0.0.1 and are processes of their own,
the clients are connections of this one. Each client asks one question after the other and keeps its
connection; one that is turned away with a 503 waits as long as it is told.

- ``batched`` is docqa serve, ``one by one`` the same with batches of a single question.
- ``plain`` is what one writes in ten lines: ``def ask(...): return qa.ask(...)`` in FastAPI's
  threads.
- ``haystack`` is Haystack's pipeline over the same windows with the same models (see open_qa.py)
  behind such a handler, a question at a time: its tokenizers can't be shared by threads. It needs
  haystack-ai, transformers-haystack and sentence-transformers-haystack; where they are missing, a
  word says so.

With a SQuAD file, each of its articles is a document and its questions are asked; with an index,
the index's own sentences. Prints a line for each server and number of clients: questions answered a
second, seconds to an answer, answers of 503, other errors, processor time a question, and the
memory of the server with its processes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile

import psutil

from docqa.index.store import Store

SERVERS = ("batched", "one by one", "plain", "haystack")


@dataclass
class Load:
    """What clients saw.

    Attributes:
        seconds: of each question that was answered.
        statuses: how many answers there were of each status; 0 for a connection that failed.
    """

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)


def run_server(kind: str, index: str, port: int) -> None:
    """Serve an index until the process is ended."""
    if kind == "plain":
        _run_plain(docqa_answers(index), port)
        return
    if kind == "haystack":
        _run_plain(haystack_answers(index), port)
        return
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # as the command docqa does
    from docqa.server.run import listen, serve
    from docqa.server.settings import ServerLimits, ServerSettings

    limits = ServerLimits(batch=32 if kind == "batched" else 1)
    serve(ServerSettings(index=Path(index), limits=limits), listen("127.0.0.1", port))


def docqa_answers(index: str) -> Callable[[str], object]:
    """Return what answers a question, in any thread."""
    from docqa import DocQA

    qa = DocQA(index)
    qa.load()
    return lambda question: [answer.to_dict() for answer in qa.ask(question)]


def haystack_answers(index: str) -> Callable[[str], object]:
    """Return what answers a question with Haystack's pipeline, one after the other."""
    os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "False"
    from open_qa import haystack

    ask = haystack(Path(index), candidates=10)
    ask("Is everything ready?")
    turn = threading.Lock()

    def answer(question: str) -> object:
        with turn:
            return ask(question)

    return answer


def _run_plain(answer: Callable[[str], object], port: int) -> None:
    import uvicorn
    from fastapi import FastAPI
    from pydantic import BaseModel

    app = FastAPI()

    class Asked(BaseModel):
        question: str

    def ask(asked: Asked) -> object:
        return answer(asked.question)

    # The class is local, so FastAPI is given it, not its name.
    ask.__annotations__["asked"] = Asked
    app.post("/api/ask")(ask)
    app.get("/readyz")(lambda: {"ok": True})
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error")


def questions_of(index: str, count: int) -> list[str]:
    """Return sentences of an index's windows, to be asked."""
    with Store.open(Path(index)) as store, store.snapshot():
        texts = [row[0] for row in store.db.execute("select text from windows limit 2000")]
    sentences = {
        " ".join(sentence.split())
        for text in texts
        for sentence in text.split(". ")
        if 5 <= len(sentence.split()) <= 16
    }
    return random.Random(0).sample(sorted(sentences), min(count, len(sentences)))


@contextmanager
def server(kind: str, index: str) -> Iterator[tuple[int, psutil.Process]]:
    """Run a server of a kind; yield its port and its process when it is ready."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, __file__, "--index", index, "--serve", kind, "--port", str(port)]
    with TemporaryFile("w+") as said:
        process = subprocess.Popen(command, stderr=said)
        try:
            while _get(port, "/readyz") != 200:
                if process.poll() is not None:
                    said.seek(0)
                    reason = said.read().strip().rpartition("\n")[2]
                    raise RuntimeError(f"the server ended with {process.returncode}: {reason}")
                time.sleep(0.2)
            yield port, psutil.Process(process.pid)
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:  # it still answers those that have gone
                process.kill()
                process.wait()


def _get(port: int, path: str) -> int:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(
                f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
            )
            return int(connection.recv(64).split(b" ")[1])
    except (OSError, IndexError, ValueError):
        return 0


async def ask(
    connection: tuple[asyncio.StreamReader, asyncio.StreamWriter], question: str
) -> tuple[int, float]:
    """Ask on a connection; return the status and for how long to wait before the next question."""
    reader, writer = connection
    body = json.dumps({"question": question}).encode()
    head = (
        "POST /api/ask HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body)
    header = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    fields = dict(line.split(": ", 1) for line in header.split("\r\n")[1:] if ": " in line)
    await reader.readexactly(int(fields["content-length"]))
    return int(header.split(" ")[1]), float(fields.get("retry-after", 0))


async def client(port: int, questions: list[str], until: float, load: Load, turn: int) -> None:
    """Ask one question after the other until it is time to stop."""
    chosen = random.Random(turn)
    connection = None
    while (began := time.perf_counter()) < until:
        try:
            if connection is None:
                connection = await asyncio.open_connection("127.0.0.1", port)
            async with asyncio.timeout(until + 60 - began):
                status, wait = await ask(connection, chosen.choice(questions))
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            status, wait, connection = 0, 0.1, None
        load.statuses[status] += 1
        if status == 200:
            load.seconds.append(time.perf_counter() - began)
        else:
            await asyncio.sleep(min(wait, max(0.0, until - time.perf_counter())))
    if connection is not None:
        connection[1].close()
        with suppress(OSError):
            await connection[1].wait_closed()


async def press(
    port: int, questions: list[str], clients: int, seconds: float
) -> tuple[Load, float]:
    """Let clients ask for some seconds; return what they saw, and how long it took in the end."""
    load = Load()
    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for turn in range(clients):
            group.create_task(client(port, questions, began + seconds, load, turn))
    return load, time.perf_counter() - began


def memory_of(process: psutil.Process) -> float:
    """Return the memory of a process and of those that it started, in MB."""
    family = [process, *process.children(recursive=True)]
    return sum(one.memory_info().rss for one in family) / 2**20


def measure(kind: str, index: str, questions: list[str], clients: int, seconds: float) -> None:
    """Print a line."""
    with server(kind, index) as (port, process):
        before = process.cpu_times()
        load, took = asyncio.run(press(port, questions, clients, seconds))
        after = process.cpu_times()
        memory = memory_of(process)
    done = len(load.seconds)
    cpu = after.user + after.system - before.user - before.system
    cuts = statistics.quantiles(load.seconds, n=100) if done > 1 else [float("nan")] * 99
    refused = load.statuses[503]
    errors = sum(load.statuses.values()) - done - refused
    print(
        f"{kind:11} {clients:7} {done / took:8.2f} {cuts[49]:7.2f} {cuts[94]:7.2f} "
        f"{cuts[98]:7.2f} {refused:6} {errors:6} {1000 * cpu / max(done, 1):7.0f} {memory:6.0f}",
        flush=True,
    )


def index_of(data: str, folder: Path) -> tuple[str, list[str]]:
    """Index the articles of a SQuAD file; return the index and the questions to ask."""
    from docqa import DocQA
    from docqa.evaluate.evaluation import write_articles
    from docqa.evaluate.squad import load_squad, sampled

    articles = load_squad(data)
    write_articles(articles, folder / "articles")
    with DocQA(folder / "index") as qa:
        qa.index([folder / "articles"])
    return str(folder / "index"), [one.question.text for one in sampled(articles, 500)]


def main() -> None:
    """Print a table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("data", nargs="?", help="a SQuAD file")
    options.add_argument("--index", default=".docqa", help="without a file: this index")
    options.add_argument("--clients", type=int, nargs="+", default=[1, 8, 64, 1000])
    options.add_argument("--seconds", type=float, default=20)
    options.add_argument("--servers", nargs="+", choices=SERVERS, default=SERVERS)
    options.add_argument("--serve", choices=SERVERS, help=argparse.SUPPRESS)
    options.add_argument("--port", type=int, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.serve:
        run_server(given.serve, given.index, given.port)
        return
    with TemporaryDirectory() as folder:
        if given.data:
            index, questions = index_of(given.data, Path(folder))
        else:
            index, questions = given.index, questions_of(given.index, 200)
        print(
            f"{'server':11} {'clients':>7} {'a second':>8} {'p50 s':>7} {'p95 s':>7} {'p99 s':>7} "
            f"{'503':>6} {'errors':>6} {'CPU ms':>7} {'MB':>6}"
        )
        for kind in given.servers:
            try:
                for clients in given.clients:
                    measure(kind, index, questions, clients, given.seconds)
            except RuntimeError as error:
                print(f"{kind:11} {error}", flush=True)


if __name__ == "__main__":
    main()
