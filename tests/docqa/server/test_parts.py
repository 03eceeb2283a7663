"""A collection of which a shard can't be read: the server answers from the others, and says so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from docqa import DocQA
from docqa.index.collection.catalogue import Catalogue
from docqa.server.settings import ServerSettings
from tests.docqa.server.conftest import client_of


@pytest.fixture
def client(tmp_path: Path, tiny_reader: Path) -> Iterator[TestClient]:
    """A client of a server over four shards, the last of which was emptied."""
    documents = tmp_path / "documents"
    documents.mkdir()
    for n in range(12):
        (documents / f"{n}.txt").write_text(f"The lease {n} ends in month {n}.\n")
    index = documents / ".docqa"
    with DocQA(index, reader=str(tiny_reader)) as qa:
        qa.index([documents], shards=4)
    [*_, last] = Catalogue.read(index).folders(index)
    for file in last.iterdir():
        file.unlink()
    with client_of(ServerSettings(index=index, reader=str(tiny_reader))) as client:
        yield client


def test_a_reply_says_how_much_was_searched(client: TestClient) -> None:
    asked = {"question": "When does the lease end?"}
    for address in ("/api/ask", "/api/search"):
        [result] = client.post(address, json=asked).json()["results"]
        assert result["searched"] == "3/4"
        assert result["hits"]
