"""Verify finds what is wrong, and only that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from docqa.index.build import BuildOptions, build
from docqa.index.models.embedder import Embedder
from docqa.index.store import Store
from docqa.index.verify import Verification, verify


@pytest.fixture
def store(new_store: Store, embedder: Embedder, documents: Path) -> Iterator[Store]:
    build(new_store, embedder, [documents], BuildOptions(workers=1))
    new_store.close()
    with Store.open(new_store.folder) as store:
        yield store


def problems(store: Store) -> str:
    return "\n".join(problem.problem for problem in verify(store).problems)


def test_a_whole_index_has_no_problems(store: Store) -> None:
    assert verify(store) == Verification(checked=store.counts())


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        ("update windows set start = start + 1 where id = 1", "does not hold its document's text"),
        ("delete from windows where id = 2", "outside all windows"),
        ("update windows set embedding = zeroblob(64) where id = 1", "not of length 1"),
        ("update windows set token_ids = x'02' where id = 1", "0 tokens"),
        ("drop trigger windows_ad", None),
        ("insert into windows_fts(windows_fts) values ('delete-all')", "full text"),
    ],
)
def test_damage_is_found(store: Store, damage: str, found: str | None) -> None:
    with Store.open(store.folder, to_write=True) as writer:
        writer.db.execute(damage)
    assert (found or "") in problems(store)
    assert bool(problems(store)) == (found is not None)


def test_files_that_changed_or_went_are_found(store: Store, documents: Path) -> None:
    (documents / "lease.txt").write_text("other words")
    (documents / "rocket.md").unlink()
    assert "has changed since" in problems(store)
    assert "can't be read any more" in problems(store)


def test_a_cache_that_makes_itself_again_is_a_note_and_no_fault(store: Store) -> None:
    """Fault: after Ctrl-C, verify failed for want of a cache that the next question makes."""
    [file] = store.folder.glob("vectors-*")
    file.write_bytes(file.read_bytes()[:100])
    found = verify(store)
    assert (found.problems, len(found.notes)) == ([], 1)
    assert "could not be read" in found.notes[0]
    file.unlink()
    found = verify(store)
    assert found.problems == []
    assert "it was missing" in found.notes[0]
