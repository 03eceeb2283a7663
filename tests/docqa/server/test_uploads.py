"""Documents that clients bring and take away."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from docqa.server.documents import uploads_of
from docqa.server.replies import RefusedError
from docqa.server.settings import ServerLimits, ServerSettings
from docqa.server.uploads import clean_name
from tests.conftest import LEASE
from tests.docqa.server.conftest import client_of


@pytest.fixture
def open_to_change(tmp_path: Path, tiny_reader: Path) -> ServerSettings:
    """Settings of a server that takes changes; its index is made by the first upload."""
    limits = ServerLimits(upload_file=10_000, upload=50_000, upload_files=3, uploaded_files=4)
    return ServerSettings(
        index=tmp_path / "home" / ".docqa",
        reader=str(tiny_reader),
        allow_changes=True,
        limits=limits,
    )


@pytest.fixture
def client(open_to_change: ServerSettings) -> Iterator[TestClient]:
    with client_of(open_to_change) as client:
        yield client


def upload(client: TestClient, *files: tuple[str, bytes]) -> list[dict[str, Any]]:
    """Upload files and return the events of their task."""
    reply = client.post("/api/documents", files=[("files", file) for file in files])
    assert reply.status_code == 202, reply.text
    with client.stream("GET", f"/api/tasks/{reply.json()['task']}/events") as events:
        lines = [line for line in events.iter_lines() if line]
    return [json.loads(line.removeprefix("data: ")) for line in lines]


def listed(client: TestClient) -> dict[str, int]:
    found = client.get("/api/documents").json()["documents"]
    return {one["path"]: one["id"] for one in found}


def test_an_upload_is_indexed_found_and_removed(
    client: TestClient, open_to_change: ServerSettings
) -> None:
    events = upload(client, ("lease.txt", LEASE.encode()), ("broken.pdf", b"no PDF"))
    assert events[-1]["stage"] == "done"
    assert events[-1]["done"] == events[-1]["total"] == 2
    assert [one["document"] for one in events[-1]["failures"]] == ["broken.pdf"]
    assert listed(client).keys() == {"uploads/lease.txt", "uploads/broken.pdf"}
    within = {"question": "What is the rent?"}
    answer = client.post("/api/ask", json=within).json()["results"][0]["hits"][0]
    assert answer["document"] == "uploads/lease.txt"

    file = uploads_of(open_to_change.index) / "lease.txt"
    assert file.read_bytes() == LEASE.encode()
    removed = client.delete(f"/api/documents/{answer['document_id']}")
    assert removed.json() == {"removed": "uploads/lease.txt"}
    assert not file.exists()
    assert listed(client).keys() == {"uploads/broken.pdf"}
    assert client.delete(f"/api/documents/{answer['document_id']}").status_code == 404


def test_a_document_that_was_not_uploaded_is_only_forgotten(
    tmp_path: Path, documents: Path, open_to_change: ServerSettings
) -> None:
    from docqa import DocQA

    index = documents / ".docqa"
    with DocQA(index, reader=open_to_change.reader) as qa:
        qa.index([documents])
    with client_of(replace(open_to_change, index=index)) as client:
        upload(client, ("more.txt", b"The notice is long."))
        assert client.delete(f"/api/documents/{listed(client)['lease.txt']}").status_code == 200
        assert listed(client).keys() == {"rocket.md", "uploads/more.txt"}
    assert (documents / "lease.txt").exists()
    # The owner brings the index in line with the folder that it lies in: uploads stay.
    with DocQA(index, reader=open_to_change.reader) as qa:
        assert qa.index([documents]).removed == []


def test_what_was_not_finished_is_finished_at_the_next_start(
    open_to_change: ServerSettings,
) -> None:
    with client_of(open_to_change) as client:
        upload(client, ("a.txt", b"The rent is 12."), ("b.txt", b"The rent is 30."))
    # As a kill leaves it: one file taken but not indexed, one deleted but not forgotten, one that
    # had not come to its end.
    (uploads_of(open_to_change.index) / "c.txt").write_text("The notice is long.")
    (uploads_of(open_to_change.index) / "b.txt").unlink()
    (uploads_of(open_to_change.index).with_name("arriving") / "0f").write_text("The no")
    with client_of(open_to_change) as client:
        upload(client, ("d.txt", b"The page is 12."))
        assert listed(client).keys() == {f"uploads/{name}.txt" for name in "acd"}
    assert list(uploads_of(open_to_change.index).with_name("arriving").iterdir()) == []


@pytest.mark.parametrize(
    ("files", "status"),
    [
        ([("a.txt", b"x" * 10_001)], 413),
        ([("a.txt", b"x" * 9_000)] * 6, 413),
        ([(f"{n}.txt", b"x") for n in range(4)], 400),
        ([("a.txt", b"x"), ("../a.txt", b"y")], 422),
        ([("a.exe", b"x")], 422),
        ([("noname", b"x")], 422),
        ([("..", b"x")], 422),
    ],
)
def test_uploads_beyond_the_limits_are_refused_and_leave_nothing(
    client: TestClient,
    open_to_change: ServerSettings,
    files: list[tuple[str, bytes]],
    status: int,
) -> None:
    reply = client.post("/api/documents", files=[("files", file) for file in files])
    assert reply.status_code == status, reply.text
    assert reply.json()["error"]
    assert list(uploads_of(open_to_change.index).iterdir()) == []


_PART = b'--x\r\nContent-Disposition: form-data; name="files"'


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", _PART + b'; filename="a.txt"\r\n\r\nx\r\n--x--\r\n'),
        ("multipart/form-data; boundary=x", b"no form"),
        ("multipart/form-data; boundary=x", _PART + b'; filename="a.txt"\r\n\r\nwithout an end'),
        ("multipart/form-data; boundary=x", _PART + b"\r\n\r\nno file\r\n--x--\r\n"),
        (
            "multipart/form-data; boundary=x",
            b"--x\r\nX: " + b"x" * 40_000 + b"\r\n\r\nx\r\n--x--\r\n",
        ),
        (
            "multipart/form-data; boundary=x",
            _PART + b"; filename*=utf-8''..%2f..%2fpasswd\r\n\r\nx\r\n--x--\r\n",
        ),
        ("multipart/form-data; boundary=" + "x" * 9_000, b"--" + b"x" * 9_000),
    ],
)
def test_forms_that_are_none_are_refused_and_leave_nothing(
    client: TestClient, open_to_change: ServerSettings, kind: str, body: bytes
) -> None:
    reply = client.post("/api/documents", content=body, headers={"Content-Type": kind})
    assert 400 <= reply.status_code < 500, reply.text
    assert reply.json()["error"]
    for folder in ("uploads", "arriving"):
        assert list((open_to_change.index / folder).iterdir()) == []


def test_a_full_folder_takes_no_more(client: TestClient) -> None:
    upload(client, *((f"{n}.txt", b"rent") for n in range(3)))
    upload(client, ("3.txt", b"rent"))
    reply = client.post("/api/documents", files={"files": ("4.txt", b"rent")})
    assert reply.status_code == 507


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/cron.d/job.txt", "job.txt"),
        ("C:\\Users\\mira\\lease.txt", "lease.txt"),
        (".hidden.txt", "hidden.txt"),
        ("a\0b\n.txt", "a_b_.txt"),
        ("<img src=x onerror=alert(1)>.txt", "_img src_x onerror_alert(1)_.txt"),
        ("con.txt", "_con.txt"),
        ("  two   spaces  .txt", "two spaces.txt"),
        ("Mie\u0301tvertrag.pdf", "Mi\u00e9tvertrag.pdf"),
        ("~$lease.docx", "__lease.docx"),
        ("\u202efdp.txt", "_fdp.txt"),
    ],
)
def test_names_are_cleaned(name: str, kept: str) -> None:
    assert clean_name(name) == kept


def test_a_long_name_is_cut() -> None:
    assert len(clean_name("x" * 5_000 + ".txt")) <= 120


@pytest.mark.parametrize(
    "name", ["", ".", "..", "/", ".txt", "a.", "a.exe", "a", "..\\..", "%.txt"]
)
def test_names_of_which_nothing_is_left_are_refused(name: str) -> None:
    with pytest.raises(RefusedError):
        clean_name(name)
