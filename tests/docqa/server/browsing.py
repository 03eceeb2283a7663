"""A real browser on a real server, for tests of the page.

Needs Debian's chromium and the Python packages playwright and fastapi; where one of them is
missing, the tests that import this module are skipped.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the server's packages are missing: pip install '.[serve]'")
pytest.importorskip("playwright", reason="playwright is missing: pip install playwright")

from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    Request,
    Route,
    expect,
    sync_playwright,
)

_CHROMIUM = shutil.which("chromium") or shutil.which("chromium-headless-shell")
needs_chromium = pytest.mark.skipif(
    _CHROMIUM is None, reason="Debian's chromium is missing: apt-get install chromium"
)

# A busy machine takes its time: these are limits for what hangs, nothing measures against them.
PATIENCE_S = 600
expect.set_options(timeout=PATIENCE_S * 1000)

WIDE = {"width": 1440, "height": 1500}  # a whole page of a PDF can be seen
_COMMAND = [sys.executable, "-m", "docqa"]
_ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1"}


@dataclass
class Served:
    """A running server.

    Attributes:
        address: of the page.
        documents: the folder that was indexed.
    """

    address: str
    documents: Path


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def _wait_until_ready(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    give_up = time.monotonic() + PATIENCE_S
    while time.monotonic() < give_up:
        assert process.poll() is None, log.read_text(errors="replace")
        try:
            with urllib.request.urlopen(address + "readyz"):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise AssertionError(log.read_text(errors="replace"))


Serve = Callable[..., Served]


@contextmanager
def serving(documents: Path, index: Path) -> Iterator[Serve]:
    """Index documents, and yield what starts servers on the index, each with the options given."""
    subprocess.run(
        [*_COMMAND, "index", documents, "--index", index],
        check=True,
        capture_output=True,
        env=_ENVIRONMENT,
    )
    running: list[subprocess.Popen[bytes]] = []

    def start(*options: str) -> Served:
        port, log = _free_port(), index.with_name(f"server-{len(running)}.log")
        with log.open("wb") as written:
            process = subprocess.Popen(
                [*_COMMAND, "serve", "--index", index, "--port", str(port), *options],
                stdout=written,
                stderr=subprocess.STDOUT,
                env=_ENVIRONMENT,
            )
        running.append(process)
        address = f"http://127.0.0.1:{port}/"
        _wait_until_ready(process, address, log)
        return Served(address, documents)

    try:
        yield start
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Yield a browser."""
    with sync_playwright() as playwright:
        # Chromium's own sandbox does not work for root.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(
            executable_path=_CHROMIUM, args=arguments, timeout=PATIENCE_S * 1000
        )
        yield browser
        browser.close()


@dataclass
class Visit:
    """A page, and what it did.

    Attributes:
        complaints: what the console and uncaught errors said, refused scripts and styles included.
        requests: the addresses that it wanted.
    """

    page: Page
    served: Served
    complaints: list[str]
    requests: list[str]

    def open(self, query: str = "") -> Page:
        self.page.goto(self.served.address + query)
        return self.page

    def ask(self, question: str) -> Page:
        self.open()
        self.page.get_by_label("Question", exact=True).fill(question)
        self.page.keyboard.press("Enter")
        expect(cards(self.page).first).to_be_visible()
        return self.page


def cards(page: Page) -> Any:
    return page.locator("#answers .answer-open:visible")


def visiting(context: BrowserContext, served: Served) -> Visit:
    context.set_default_timeout(PATIENCE_S * 1000)
    page = context.new_page()
    visit = Visit(page, served, [], [])
    page.on(
        "console",
        lambda said: (
            visit.complaints.append(f"{said.text} {said.location}")
            if said.type == "error"
            else None
        ),
    )
    page.on("pageerror", lambda error: visit.complaints.append(str(error)))
    page.on("request", lambda request: visit.requests.append(_address(request)))
    return visit


def _address(request: Request) -> str:
    return str(request.url)
