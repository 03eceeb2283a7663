"""What a clumsy user or a failing disk leaves behind is a clear error, never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from docqa import DocQA, IndexDamagedError
from docqa.cli import run


def test_an_index_where_none_can_be(
    documents: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.touch()
    assert run(["index", str(documents), "--index", str(file / "index")]) == 3
    assert "no index can be kept" in capsys.readouterr().err


@pytest.mark.slow
def test_a_database_with_broken_pages(
    documents: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index = tmp_path / "index"
    for n in range(30):
        (documents / f"{n}.txt").write_text(f"The lease number {n} ends in May. " * 40)
    qa = DocQA(index)
    qa.index([documents])
    qa.close()
    database = index / "docqa.db"
    raw = bytearray(database.read_bytes())
    raw[8192:-4096] = b"\xa5" * (len(raw) - 8192 - 4096)
    database.write_bytes(raw)
    with pytest.raises(IndexDamagedError, match="run docqa index again"):
        DocQA(index).ask("When does the lease end?")
    assert run(["verify", "--index", str(index)]) in (1, 3)
    captured = capsys.readouterr()
    assert "docqa index again" in captured.out + captured.err


def test_an_empty_index_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    index = str(tmp_path / "index")
    assert run(["index", str(tmp_path / "nowhere"), "--index", index]) == 1
    assert run(["ask", "Who?", "--index", index]) == 0
    assert "holds no documents yet" in capsys.readouterr().out
    assert run(["search", "Who?", "--index", index]) == 0
    assert "holds no documents yet" in capsys.readouterr().out
