"""docqa watch: the index follows the folder, waits for another writer, and ends whole."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from docqa.cli import run
from docqa.index.lock import writer_lock

pytestmark = pytest.mark.slow
pytest.importorskip("watchfiles")


@contextmanager
def watching(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "docqa", "watch", "--quiet-for", "0.2", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def line(stream: object) -> str:
    """The next line; a test that waits for ever is stopped by whoever runs it."""
    return str(stream.readline())  # type: ignore[attr-defined]


def test_the_index_follows_the_folder_that_it_lies_in(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("The rent is due in May.")
    index = tmp_path / ".docqa"  # what is written there must not start another run
    with watching(str(tmp_path), "--index", str(index)) as process:
        assert line(process.stdout) == "1 added; 1 windows\n"
        assert line(process.stderr).startswith("watching ")
        (tmp_path / "b.txt").write_text("The fee is due in June.")
        assert line(process.stdout) == "1 added; 2 windows\n"
        (tmp_path / "a.txt").write_text("The rent is due in October.")
        assert line(process.stdout) == "1 changed; 2 windows\n"
        (tmp_path / "b.txt").unlink()
        assert line(process.stdout) == "1 removed; 1 windows\n"
        process.send_signal(signal.SIGINT)
        assert process.wait() == 130
    assert run(["verify", "--index", str(index)]) == 0


def test_another_writer_is_waited_for(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("The rent is due in May.")
    index = tmp_path / "index"
    assert run(["index", str(tmp_path / "a.txt"), "--index", str(index)]) == 0
    (tmp_path / "b.txt").write_text("The fee is due in June.")
    with writer_lock(index):
        process = watching(str(tmp_path), "--index", str(index))
        watcher = process.__enter__()
        assert "trying again" in line(watcher.stderr)
    assert line(watcher.stdout) == "1 added; 2 windows\n"
    process.__exit__(None, None, None)


def test_what_is_not_there_can_t_be_watched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["watch", str(tmp_path / "nowhere")]) == 2
    assert "nowhere" in capsys.readouterr().err
