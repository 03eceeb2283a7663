"""A server over two small documents with the tiny reader: in this process, and on a socket."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from time import sleep

import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient

from docqa import DocQA
from docqa.server.app import create_app
from docqa.server.protocol import bounded_protocol
from docqa.server.run import listen
from docqa.server.settings import ServerLimits, ServerSettings
from tests.conftest import write_documents

ADDRESS = "http://localhost:8080"
HTML = "<html><title>A page</title><script>alert(1)</script><p>The rent is 12.</p></html>"


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory, tiny_reader: Path) -> ServerSettings:
    """Settings of a server over three documents that no test changes."""
    documents = write_documents(tmp_path_factory.mktemp("served") / "contracts")
    (documents / "page.html").write_text(HTML)
    with DocQA(documents / ".docqa", reader=str(tiny_reader)) as qa:
        qa.index([documents])
    return ServerSettings(index=documents / ".docqa", reader=str(tiny_reader))


@contextmanager
def client_of(settings: ServerSettings) -> Iterator[TestClient]:
    """Yield a client of a server that is ready."""
    with TestClient(create_app(settings), base_url=ADDRESS) as client:
        while client.get("/readyz").status_code != 200:
            sleep(0.05)
        yield client


@pytest.fixture(scope="session")
def client(served: ServerSettings) -> Iterator[TestClient]:
    """A client of a server that takes no changes."""
    with client_of(replace(served, limits=ServerLimits(body=10_000, text=1_000))) as client:
        yield client


@contextmanager
def on_socket(app: FastAPI, limits: ServerLimits) -> Iterator[tuple[str, int]]:
    """Yield the address of an application that runs behind the server's own protocol."""
    listening = listen("127.0.0.1", 0)
    config = uvicorn.Config(
        app, http=bounded_protocol(limits), ws="none", log_config=None, access_log=False
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield listening.getsockname()[:2]
    finally:
        server.should_exit = True
        thread.join()
