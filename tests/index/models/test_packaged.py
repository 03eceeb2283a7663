"""Models that packages hold in pieces: joined, checked, unpacked once."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path

import pytest

from docqa.index.errors import ModelError
from docqa.index.models import packaged
from docqa.index.models.folders import model_folder

WEIGHTS = b"weights " * 1000
NAME = "someone/tiny"


@pytest.fixture
def pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Two installed packages, each with half of a zip file; the cache is the test's own."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("tiny/config.json", "{}")
        archive.writestr("tiny/model.safetensors", WEIGHTS)
    half = len(whole.getvalue()) // 2
    site = tmp_path / "site"
    files = []
    for number, part in ((1, whole.getvalue()[:half]), (2, whole.getvalue()[half:])):
        folder = site / f"tiny_part_{number:03}-1.0.dist-info"
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: tiny-part-{number:03}\nVersion: 1.0\n"
        )
        files.append(site / f"tiny_{number:03}" / f"tiny.zip.{number:03}")
        files[-1].parent.mkdir()
        files[-1].write_bytes(part)
    monkeypatch.syspath_prepend(site)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    one = packaged._Packaged(
        "tiny-part-{:03}",
        "tiny_{0:03}/tiny.zip.{0:03}",
        2,
        "tiny",
        hashlib.sha256(WEIGHTS).hexdigest(),
    )
    monkeypatch.setitem(packaged._PACKAGED, NAME, one)
    return files


def test_a_model_in_packages_is_had_by_its_name(pieces: list[Path]) -> None:
    folder = model_folder(NAME)
    assert (folder / "model.safetensors").read_bytes() == WEIGHTS
    for file in pieces:
        file.write_bytes(b"")  # unpacked already: not looked at again
    assert model_folder(NAME) == folder


def test_other_weights_than_the_published_are_refused(
    pieces: list[Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    files = packaged._PACKAGED[NAME]
    changed = packaged._Packaged(
        files.distribution, files.file, files.pieces, files.folder, "0" * 64
    )
    monkeypatch.setitem(packaged._PACKAGED, NAME, changed)
    with pytest.raises(ModelError, match="published weights"):
        model_folder(NAME)
    assert not list((tmp_path / "cache").rglob("model.safetensors"))


def test_a_piece_that_is_damaged_is_an_error(pieces: list[Path]) -> None:
    pieces[1].write_bytes(b"no zip")
    with pytest.raises(ModelError, match="tiny-part-001"):
        model_folder(NAME)


def test_one_package_that_is_missing_leaves_it_to_the_hub(
    pieces: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    files = packaged._PACKAGED[NAME]
    monkeypatch.setitem(
        packaged._PACKAGED,
        NAME,
        packaged._Packaged(files.distribution, files.file, 3, files.folder, files.sha256),
    )
    assert packaged.packaged_folder(NAME) is None
