"""A server under mixed bad load for some minutes: every answer is a good one, a 4xx or a 503.

    python benchmarks/serve_soak.py docs --minutes 60

Makes an index of the named documents in a temporary folder, serves it with uploads allowed, and
lets these come at once, over and over: questions of people and agents; questions that are broken
off; headers and bodies that come byte by byte; answers that are not taken; bodies beyond the limit;
JSON that is none; pages of documents; uploads and removals; the index written to by another
process; and, every minute, one of the server's worker processes killed.

Prints a line a minute: the server's memory, that of its workers, and how often each client saw
which status. Exits with 1 if an answer was neither 2xx, 4xx nor 503, if a connection was closed
without one where nothing was wrong with the request, or if the memory at the end (the median of the
last quarter) is more than a tenth above that of the second quarter. Nothing leaves this computer.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
from serve import questions_of

# What each kind of client saw: (client, status).
Statuses = Counter[tuple[str, str]]
# Clients with whose requests nothing is wrong: they get answers, or are sent away for a while.
_GOOD = frozenset(("agent", "ask"))
# Clients whose connection may be closed before they have read an answer: they send what no server
# has to read to its end.
_RUDE = frozenset(("huge",))
_FLAT = 1.1


async def exchange(port: int, sent: bytes, wait: float = 30) -> str:
    """Send bytes on a new connection; return the status of the answer, or what became of it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(sent)
        with suppress(ConnectionError):
            await writer.drain()
        async with asyncio.timeout(wait):
            first = await reader.readline()
            while await reader.read(65_536):
                pass
        return first.split(b" ")[1].decode() if first else "closed"
    except (ConnectionError, asyncio.IncompleteReadError):
        return "closed"
    except TimeoutError:
        return "slow"
    finally:
        writer.close()


def request(
    method: str,
    path: str,
    body: bytes = b"",
    kind: str = "application/json",
    keep: bool = False,
) -> bytes:
    """Return a request as it is sent.

    Args:
        keep: whether the connection stays open for another request.
    """
    return (
        f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n"
        f"Connection: {'keep-alive' if keep else 'close'}\r\n"
        "Accept: application/json, text/event-stream\r\n"
        f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


class Soak:
    """The kinds of clients, each a coroutine that does its thing once.

    Args:
        port: of the server on this computer.
        questions: to be asked.
        index: the index's folder.
        documents: a folder that another process indexes again and again.
    """

    def __init__(self, port: int, questions: list[str], index: Path, documents: Path) -> None:
        self._port = port
        self._questions = questions
        self._index = index
        self._documents = documents
        self.statuses: Statuses = Counter()

    def _question(self) -> bytes:
        body = json.dumps({"question": random.choice(self._questions)}).encode()
        return request("POST", "/api/ask", body)

    async def _count(self, client: str, sent: bytes, wait: float = 30) -> None:
        self.statuses[client, await exchange(self._port, sent, wait)] += 1

    async def ask(self) -> None:
        """Ask."""
        await self._count("ask", self._question(), 120)

    async def ask_as_agent(self) -> None:
        """Call the tool of an agent."""
        called = {"name": "ask", "arguments": {"question": random.choice(self._questions)}}
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": called}
        await self._count("agent", request("POST", "/mcp", json.dumps(body).encode()), 120)

    async def ask_and_leave(self) -> None:
        """Ask, and break off before the answer."""
        _, writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(self._question())
        await asyncio.sleep(random.random() / 10)
        writer.transport.abort()

    async def drip(self) -> None:
        """Send a request byte by byte until the server has enough of it."""
        _, writer = await asyncio.open_connection("127.0.0.1", self._port)
        sent = self._question()
        sent = sent[: random.randrange(20, len(sent) - 5)]
        with suppress(ConnectionError):
            for byte in sent:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(0.2)
        writer.close()

    async def huge(self) -> None:
        """Send a body far beyond the limit, its length told or not."""
        await self._count("huge", request("POST", "/api/ask", b"x" * 5_000_000))

    async def bad_json(self) -> None:
        """Send what is no JSON, or not the right one."""
        bodies = (
            b"{",
            b"[" * 50_000,
            b"\xff\xfe",
            b'{"question": 3}',
            b'{"question": ""}',
            b"null",
        )
        await self._count("bad JSON", request("POST", "/api/ask", random.choice(bodies)))

    async def look(self) -> None:
        """Look at documents that may or may not be there."""
        number = random.randrange(40)
        kinds = (
            "text",
            "outline",
            "source",
            "page/1",
            "page/2.png?width=900",
            "boxes?start=0&end=9",
        )
        path = random.choice(("", *(f"/{number}/{kind}" for kind in kinds)))
        await self._count("look", request("GET", f"/api/documents{path}"), 120)

    async def take_nothing(self) -> None:
        """Ask for much, and take nothing of it for a while."""
        number = random.randrange(40)
        _, writer = await asyncio.open_connection("127.0.0.1", self._port, limit=1_024)
        for _ in range(50):
            writer.write(request("GET", f"/api/documents/{number}/text?end=200000", keep=True))
        await asyncio.sleep(30)
        writer.transport.abort()

    async def upload_and_remove(self) -> None:
        """Upload a small document, and remove one."""
        body = (
            b'--x\r\nContent-Disposition: form-data; name="files"; filename="soak%d.txt"\r\n\r\n'
            b"The rent of flat %d is 1,250 euros.\r\n--x--\r\n"
        ) % (random.randrange(20), random.randrange(10_000))
        sent = request("POST", "/api/documents", body, "multipart/form-data; boundary=x")
        await self._count("upload", sent)
        number = random.randrange(1, 400)
        await self._count("remove", request("DELETE", f"/api/documents/{number}"), 120)
        await asyncio.sleep(5)

    async def rewrite(self) -> None:
        """Let another process bring the index in line with its folder, which has changed."""
        (self._documents / "changing.txt").write_text(f"The notice is {time.time_ns()} days.")
        other = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "docqa", "index", str(self._documents)),
            *("--index", str(self._index)),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        await other.wait()
        await asyncio.sleep(20)


async def repeat(what: Callable[[], Awaitable[None]], until: float) -> None:
    """Do something over and over until it is time to stop."""
    while time.monotonic() < until:
        try:
            await what()
        except OSError:
            await asyncio.sleep(0.5)


async def soak(bad: Soak, server: psutil.Process, minutes: float) -> list[str]:
    """Let all kinds of clients come; return what was wrong."""
    began = time.monotonic()
    until = began + 60 * minutes
    kinds = (bad.ask, bad.ask, bad.ask, bad.ask_as_agent, bad.ask_and_leave, bad.drip, bad.drip)
    kinds += (bad.take_nothing, bad.huge, bad.bad_json, bad.look, bad.look)
    kinds += (bad.upload_and_remove, bad.rewrite)
    tasks = [asyncio.create_task(repeat(kind, until)) for kind in kinds]
    memory = []
    while time.monotonic() < until:
        await asyncio.sleep(min(60, max(0.1, until - time.monotonic())))
        workers = server.children(recursive=True)
        held = 0.0
        for worker in workers:
            with suppress(psutil.NoSuchProcess):
                held += worker.memory_info().rss / 2**20
        if workers:
            with suppress(psutil.NoSuchProcess):
                random.choice(workers).kill()
        memory.append(server.memory_info().rss / 2**20)
        minute = (time.monotonic() - began) / 60
        print(
            f"{minute:6.1f} min {memory[-1]:7.0f} MB {held:7.0f} MB {told(bad.statuses)}",
            flush=True,
        )
    await asyncio.gather(*tasks)
    print(f"in all: {told(bad.statuses)}")
    return faults(bad.statuses, memory)


def told(statuses: Statuses) -> str:
    """Return counts on a line."""
    return ", ".join(f"{client} {status}: {n}" for (client, status), n in sorted(statuses.items()))


def faults(statuses: Statuses, memory: list[float]) -> list[str]:
    """Return what was wrong: statuses, and memory that grew.

    Args:
        memory: of the server, in MB, at equal distances of time.
    """
    wrong = [
        f"{client} saw {status}"
        for client, status in sorted(statuses)
        if not (
            status in ("200", "503")
            or (status[0] in "24" and client not in _GOOD)
            or (status == "closed" and client in _RUDE)
        )
    ]
    quarter = len(memory) // 4
    if quarter:
        before = statistics.median(memory[quarter : 2 * quarter])
        after = statistics.median(memory[-quarter:])
        print(f"memory: {before:.0f} MB in the second quarter, {after:.0f} MB in the last")
        if after > _FLAT * before:
            wrong.append("the memory grew")
    return wrong


def main() -> int:
    """Soak a server, and return the exit code."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("documents", type=Path)
    options.add_argument("--minutes", type=float, default=60)
    given = options.parse_args()
    with TemporaryDirectory() as folder:
        index, changing = Path(folder) / "index", Path(folder) / "changing"
        changing.mkdir()
        docqa = (sys.executable, "-m", "docqa")
        told = ("--index", str(index))
        subprocess.run([*docqa, "index", str(given.documents), *told], check=True)
        serving = subprocess.Popen(
            [*docqa, "serve", *told, "--port", "0", "--allow-changes"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            assert serving.stdout is not None
            port = int(serving.stdout.readline().split("http://127.0.0.1:")[1].split("/")[0])
            bad = Soak(port, questions_of(str(index), 100), index, changing)
            wrong = asyncio.run(soak(bad, psutil.Process(serving.pid), given.minutes))
        finally:
            serving.terminate()
            code = serving.wait()
    print(f"the server ended with {code}; {'; '.join(wrong) or 'all clean'}")
    return 1 if wrong or code else 0


if __name__ == "__main__":
    sys.exit(main())
