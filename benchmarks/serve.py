"""A server under load: batched, one question at a time, and a plain FastAPI handler.

    python benchmarks/serve.py --index .docqa --clients 1 8 64 1000 --seconds 20

Everything stays on this computer: the servers listen on 127.0.0.1 and are processes of their own,
the clients are connections of this one. Each client asks one question after the other and keeps its
connection; one that is turned away with a 503 waits as long as it is told. ``plain`` is what one
writes in ten lines: ``def ask(...): return qa.ask(...)`` in FastAPI's threads. ``one by one`` is
docqa serve with batches of a single question. The questions are the index's own sentences.
Prints a line for each server and number of clients.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import socket
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from docqa.index.store import Store

SERVERS = ("batched", "one by one", "plain")


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
        _run_plain(index, port)
        return
    from docqa.server.run import listen, serve
    from docqa.server.settings import ServerLimits, ServerSettings

    limits = ServerLimits(batch=32 if kind == "batched" else 1)
    serve(ServerSettings(index=Path(index), limits=limits), listen("127.0.0.1", port))


def _run_plain(index: str, port: int) -> None:
    import uvicorn
    from fastapi import FastAPI
    from pydantic import BaseModel

    from docqa import DocQA

    qa = DocQA(index)
    qa.load()
    app = FastAPI()

    class Asked(BaseModel):
        question: str

    def ask(asked: Asked) -> list[dict[str, object]]:
        return [answer.to_dict() for answer in qa.ask(asked.question)]

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
    process = subprocess.Popen(
        [sys.executable, __file__, "--index", index, "--serve", kind, "--port", str(port)],
        stderr=subprocess.DEVNULL,
    )
    try:
        while _get(port, "/readyz") != 200:
            if process.poll() is not None:
                raise RuntimeError(f"the server {kind!r} ended with {process.returncode}")
            time.sleep(0.2)
        yield port, psutil.Process(process.pid)
    finally:
        process.terminate()
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


def main() -> None:
    """Print a table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--index", default=".docqa")
    options.add_argument("--clients", type=int, nargs="+", default=[1, 8, 64, 1000])
    options.add_argument("--seconds", type=float, default=20)
    options.add_argument("--servers", nargs="+", choices=SERVERS, default=SERVERS)
    options.add_argument("--serve", choices=SERVERS, help=argparse.SUPPRESS)
    options.add_argument("--port", type=int, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.serve:
        run_server(given.serve, given.index, given.port)
        return
    questions = questions_of(given.index, 200)
    print(
        f"{'server':11} {'clients':>7} {'a second':>8} {'p50 s':>7} {'p95 s':>7} {'p99 s':>7} "
        f"{'503':>6} {'errors':>6} {'CPU ms':>7} {'MB':>5}"
    )
    for kind in given.servers:
        for clients in given.clients:
            with server(kind, given.index) as (port, process):
                before = process.cpu_times()
                load, took = asyncio.run(press(port, questions, clients, given.seconds))
                after = process.cpu_times()
                memory = process.memory_info().rss / 2**20
            done = len(load.seconds)
            cpu = after.user + after.system - before.user - before.system
            cuts = statistics.quantiles(load.seconds, n=100) if done > 1 else [float("nan")] * 99
            refused = load.statuses[503]
            errors = sum(load.statuses.values()) - done - refused
            print(
                f"{kind:11} {clients:7} {done / took:8.2f} {cuts[49]:7.2f} {cuts[94]:7.2f} "
                f"{cuts[98]:7.2f} {refused:6} {errors:6} {1000 * cpu / max(done, 1):7.0f} "
                f"{memory:5.0f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
