"""docqa open, docqa highlight, links: the document itself, at the answer."""

from __future__ import annotations

import io
import json
import os
import pty
import stat
import subprocess
import sys
from pathlib import Path

import pypdf
import pytest

from docqa.cli import run
from tests.conftest import write_documents
from tests.pdfs import drawn, written


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "docqa" / "last.json"


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("showing")
    documents = write_documents(folder / "documents")
    (documents / "late fees.pdf").write_bytes(
        drawn(written("Fees of Harbour Estates"), written("The late fee is 25 euros a month."))
    )
    assert run(["index", str(documents), "--index", str(folder / "index")]) == 0
    return folder / "index"


FEE = "What is the late fee?"


def test_open_prints_the_address_of_an_answer(
    index: Path, state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["ask", FEE, "--index", str(index), "--in", "*.pdf"]) == 0
    assert stat.S_IMODE(state.stat().st_mode) == 0o600
    assert "fee" not in state.read_text().replace("late fees.pdf", ""), "no question, no text"
    capsys.readouterr()
    assert run(["open", "1", "--print"]) == 0
    wanted = (index.parent / "documents" / "late fees.pdf").as_uri() + "#page=2"
    assert capsys.readouterr().out == wanted + "\n"


def test_open_starts_a_browser_at_the_page_of_a_pdf(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened = tmp_path / "opened"
    os.mkfifo(opened)
    for name in ("firefox", "xdg-open"):
        script = tmp_path / "bin" / name
        script.parent.mkdir(exist_ok=True)
        script.write_text(f'#!/bin/sh\necho {name} "$@" > "{opened}"\n')
        script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("DISPLAY", ":7")
    documents = index.parent / "documents"
    for question, only, expected in (
        (FEE, "*.pdf", f"firefox {(documents / 'late fees.pdf').as_uri()}#page=2"),
        ("Who is the landlord?", "*.txt", f"xdg-open {documents / 'lease.txt'}"),
    ):
        run(["ask", question, "--index", str(index), "--in", only])
        capsys.readouterr()
        assert run(["open"]) == 0
        assert opened.read_text() == expected + "\n"


def test_open_says_what_is_missing(
    index: Path, state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["open"]) == 2
    assert "nothing was asked yet" in capsys.readouterr().err
    state.parent.mkdir(parents=True)
    for content in ("nonsense", '{"a": 1}', "[7]"):
        state.write_text(content)
        assert run(["open"]) == 2
    state.write_text(json.dumps([{"document": "/nowhere/a.txt", "page": None, "line": 1}]))
    capsys.readouterr()
    assert run(["open", "2"]) == 2
    assert "has no answer 2: it has 1 answer" in capsys.readouterr().err
    assert run(["open"]) == 1
    assert "/nowhere/a.txt is not there any more" in capsys.readouterr().err
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    state.write_text(json.dumps([{"document": str(state), "page": None, "line": 1}]))
    assert run(["open"]) == 1
    assert "open it yourself: file:///" in capsys.readouterr().err


def test_a_question_is_answered_where_nothing_can_be_kept(
    index: Path, state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state.parent.parent.write_text("a file where the folder should be")
    assert run(["ask", FEE, "--index", str(index)]) == 0
    assert "25 euros" in capsys.readouterr().out


def test_highlight_writes_a_marked_copy(
    index: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "fee.pdf"
    arguments = ["highlight", FEE, "--index", str(index), "--in", "*.pdf", "--out", str(out)]
    assert run(arguments) == 0
    assert "25 euros" in capsys.readouterr().out
    pages = pypdf.PdfReader(io.BytesIO(out.read_bytes())).pages
    [mark] = pages[1]["/Annots"]  # type: ignore[misc]
    assert mark.get_object()["/Contents"] == FEE
    assert run([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["out"] == str(out)


def test_highlight_never_writes_over_the_document(
    index: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = index.parent / "documents" / "late fees.pdf"
    before = document.read_bytes()
    arguments = ["highlight", FEE, "--index", str(index), "--out", str(document)]
    assert run([*arguments, "--document", str(document)]) == 2
    assert document.read_bytes() == before


def test_highlight_needs_a_document_with_pages(
    index: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.pdf"
    arguments = ["highlight", "Who is the landlord?", "--index", str(index), "--out", str(out)]
    assert run([*arguments, "--in", "*.txt"]) == 1
    assert '--in "*.pdf"' in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize(("terminal", "linked"), [("xterm-256color", True), ("dumb", False)])
def test_terminals_that_know_links_get_them(index: Path, terminal: str, linked: bool) -> None:
    controller, terminal_side = pty.openpty()
    asking = subprocess.Popen(
        [sys.executable, "-m", "docqa", "ask", FEE, "--index", str(index), "--in", "*.pdf"],
        stdout=terminal_side,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "TERM": terminal},
    )
    os.close(terminal_side)
    shown = b""
    while True:
        try:
            part = os.read(controller, 4096)
        except OSError:  # Linux says so at the end
            break
        if not part:
            break
        shown += part
    os.close(controller)
    assert asking.wait() == 0
    uri = (index.parent / "documents" / "late fees.pdf").as_uri().encode()
    assert (b"\033]8;;" + uri + b"#page=2\033\\" in shown) == linked
