from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from docqa.ingest.discover import find_files


def fill(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")


def found(root: Path, **globs: list[str]) -> list[str]:
    return [os.path.relpath(path, root) for path in find_files([root], **globs).files]


def test_folders_are_searched_for_known_suffixes(tmp_path: Path) -> None:
    fill(tmp_path, "a.txt", "b.PDF", "c.py", ".hidden.txt", ".git/d.txt", "sub/e.md")
    fill(tmp_path, "index/docqa.db", "index/f.txt")
    assert found(tmp_path) == ["a.txt", "b.PDF", "sub/e.md"]


@pytest.mark.parametrize(
    ("include", "exclude", "files"),
    [
        (["*.log"], [], ["a.log", "s/b.log", "s/t/c.log"]),
        (["s/*.log"], [], ["s/b.log"]),
        (["s/**/*.log"], [], ["s/b.log", "s/t/c.log"]),
        (["*.log"], ["s"], ["a.log"]),
        (["*.log"], ["s/**"], ["a.log"]),
        (["[!a].log"], ["t/"], ["s/b.log"]),
        ([], ["*.txt"], []),
        (["[z-a].log"], [], []),
    ],
)
def test_globs(tmp_path: Path, include: list[str], exclude: list[str], files: list[str]) -> None:
    fill(tmp_path, "a.log", "s/b.log", "s/t/c.log", "d.txt")
    assert found(tmp_path, include=include, exclude=exclude) == files


def test_a_named_file_is_always_taken_and_once(tmp_path: Path) -> None:
    fill(tmp_path, ".hidden.xyz", "a.txt")
    paths = [tmp_path / ".hidden.xyz", tmp_path, tmp_path / "a.txt"]
    assert len(find_files(paths, exclude=["*.xyz"]).files) == 2


def test_links_are_not_followed_and_dead_ones_listed(tmp_path: Path) -> None:
    fill(tmp_path, "a.txt")
    (tmp_path / "same.txt").symlink_to("a.txt")
    (tmp_path / "here").symlink_to(".")
    (tmp_path / "dead.txt").symlink_to("nothing")
    (tmp_path / "self.txt").symlink_to("self.txt")
    discovery = find_files([tmp_path])
    assert [Path(path).name for path in discovery.files] == ["a.txt"]
    assert {Path(f.path).name: f.error for f in discovery.failures} == {
        "dead.txt": "a symbolic link to something that is not there",
        "self.txt": "a symbolic link that leads back to itself",
    }


def test_what_is_not_there_is_a_failure(tmp_path: Path) -> None:
    discovery = find_files([tmp_path / "none"])
    assert [f.error for f in discovery.failures] == ["no such file or folder"]
    assert discovery.roots == [str(tmp_path / "none")]


def test_pipes_are_listed_and_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.txt")
    assert [f.error for f in find_files([tmp_path]).failures] == ["not a regular file"]
    assert [f.error for f in find_files([tmp_path / "x.txt"]).failures] == ["not a regular file"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_forbidden_folder_does_not_stop_the_rest(tmp_path: Path) -> None:
    fill(tmp_path, "a.txt", "closed/b.txt")
    (tmp_path / "closed").chmod(0)
    assert len(find_files([tmp_path]).failures) == 1
    (tmp_path / "closed").chmod(0o700)


def test_what_is_left_out_for_its_kind_is_counted(tmp_path: Path) -> None:
    fill(tmp_path, "a.py", "s/b.PY", "s/Makefile", "s/d.so.gz", "e.txt", ".hidden.py", "x/no.py")
    discovery = find_files([tmp_path, tmp_path / "s"], exclude=["x"])
    assert list(discovery.skipped.items()) == [(".py", 2), ("", 1), (".so.gz", 1)]
    assert find_files([tmp_path], include=["*.txt"]).skipped == {}


def test_folders_with_nothing_to_read_are_listed(tmp_path: Path) -> None:
    fill(tmp_path, "full/a.txt", "other/b.py")
    (tmp_path / "none/below").mkdir(parents=True)
    named = [tmp_path / name for name in ("full", "other", "none", "gone")]
    assert [Path(path).name for path in find_files(named).empty] == ["other", "none"]


def test_what_programs_leave_beside_documents_is_no_document(tmp_path: Path) -> None:
    # Word's note of who has a file open was listed as failed as long as it was
    fill(tmp_path, "report.docx", "~$report.docx", "s/~$b.xlsx", "Thumbs.db", "__MACOSX/a.txt")
    discovery = find_files([tmp_path, *tmp_path.iterdir()])
    assert [Path(path).name for path in discovery.files] == ["a.txt", "report.docx"]
    assert (discovery.failures, discovery.skipped) == ([], {})
    assert found(tmp_path, include=["*.docx", "*.txt"]) == ["report.docx"]


def test_a_folder_that_the_system_refuses_for_now_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(folder: str) -> None:
        raise OSError(errno.EIO, "in the system's words")

    monkeypatch.setattr("docqa.ingest.discover.os.scandir", fail)
    assert [failure.passing for failure in find_files([tmp_path]).failures] == [True]
    assert [failure.passing for failure in find_files([tmp_path / "gone"]).failures] == [False]


def test_names_of_any_bytes(tmp_path: Path) -> None:
    names = sorted(["a\nb.txt", os.fsdecode(b"\xff\xfe.txt")])
    fill(tmp_path, *names)
    assert found(tmp_path) == names


def test_bins_and_folders_of_thumbnails_are_left_out(tmp_path: Path) -> None:
    fill(tmp_path, "a.txt", "$RECYCLE.BIN/b.txt", "@eaDir/c.txt", "System Volume Information/d.txt")
    discovery = find_files([tmp_path])
    assert [Path(path).name for path in discovery.files] == ["a.txt"]
    assert discovery.skipped == {}
