"""A server under mixed bad load for some minutes: every answer is a good one, a 4xx or a 503.

    python benchmarks/serve_soak.py docs --minutes 60

Makes an index of the named documents in a temporary folder, serves it with uploads allowed, and
lets these come at once, over and over: questions; questions that are broken off; headers and bodies
that come byte by byte; bodies beyond the limit; JSON that is none; uploads and removals; the index
written to by another process; and one of the server's worker processes killed. Prints a line a
minute with the statuses seen and the server's memory, and exits with 1 if any answer was neither
2xx, 4xx nor 503. Nothing leaves this computer.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
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

Statuses = Counter[str]


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


def request(method: str, path: str, body: bytes = b"", kind: str = "application/json") -> bytes:
    """Return a request as it is sent."""
    return (
        f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
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

    async def ask(self) -> None:
        """Ask."""
        self.statuses[await exchange(self._port, self._question(), 120)] += 1

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
        self.statuses[
            await exchange(self._port, request("POST", "/api/ask", b"x" * 5_000_000))
        ] += 1

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
        sent = request("POST", "/api/ask", random.choice(bodies))
        self.statuses[await exchange(self._port, sent)] += 1

    async def look(self) -> None:
        """Look at documents that may or may not be there."""
        number = random.randrange(40)
        path = random.choice(("", f"/{number}/text", f"/{number}/outline", f"/{number}/source"))
        self.statuses[await exchange(self._port, request("GET", f"/api/documents{path}"))] += 1

    async def upload_and_remove(self) -> None:
        """Upload a small document, and remove one."""
        body = (
            b'--x\r\nContent-Disposition: form-data; name="files"; filename="soak%d.txt"\r\n\r\n'
            b"The rent of flat %d is 1,250 euros.\r\n--x--\r\n"
        ) % (random.randrange(20), random.randrange(10_000))
        sent = request("POST", "/api/documents", body, "multipart/form-data; boundary=x")
        self.statuses[await exchange(self._port, sent)] += 1
        number = random.randrange(1, 400)
        sent = request("DELETE", f"/api/documents/{number}")
        self.statuses[await exchange(self._port, sent, 120)] += 1
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


async def soak(bad: Soak, server: psutil.Process, minutes: float) -> bool:
    """Let all kinds of clients come; return whether every answer was a clean one."""
    began = time.monotonic()
    until = began + 60 * minutes
    kinds = (bad.ask, bad.ask, bad.ask, bad.ask_and_leave, bad.drip, bad.drip, bad.huge)
    kinds += (bad.bad_json, bad.look, bad.upload_and_remove, bad.rewrite)
    tasks = [asyncio.create_task(repeat(kind, until)) for kind in kinds]
    while time.monotonic() < until:
        await asyncio.sleep(min(60, max(0.1, until - time.monotonic())))
        workers = server.children(recursive=True)
        if workers:
            random.choice(workers).kill()
        memory = server.memory_info().rss / 2**20
        minute = (time.monotonic() - began) / 60
        print(
            f"{minute:6.1f} min {memory:7.0f} MB {dict(sorted(bad.statuses.items()))}", flush=True
        )
    await asyncio.gather(*tasks)
    return not any(status[0] == "5" and status != "503" for status in bad.statuses)


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
            clean = asyncio.run(soak(bad, psutil.Process(serving.pid), given.minutes))
        finally:
            serving.terminate()
            code = serving.wait()
    print(f"the server ended with {code}; {'clean' if clean else 'NOT CLEAN'}")
    return 0 if clean and code == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
