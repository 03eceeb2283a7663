"""The catalogue of a collection: which shards there are, and what all of them are made with.

It is one small file, replaced whole. A collection has the shards that its catalogue names, and no
others: what else lies in the folder was left by a run that was killed.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from docqa.index.errors import IndexDamagedError, IndexMismatchError, IndexMissingError
from docqa.index.files import replaced
from docqa.index.paths import CATALOGUE, SHARDS_PREFIX, is_collection, whole_folder
from docqa.index.schema import DATABASE, IndexSettings
from docqa.index.system_errors import file_errors
from docqa.ingest.windows import WindowSettings

_VERSION = 1
# How documents are shared out: see docqa.index.collection.sharing.
_SHARING = "blake2b-64 of the path, modulo shards"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What a collection consists of.

    Attributes:
        collection_id: the same for as long as there is the collection.
        generation: how often the documents were shared out; from 1, raised by ``docqa reshard``.
        shards: the folders of the shards, from the collection's folder, in the order of their
            numbers.
        embedder, embedder_sha256, dimension, window: of all shards, as in
            :class:`docqa.index.schema.IndexSettings`.
        tokenizer_sha256: of the JSON of the tokenizer that made the windows.
    """

    collection_id: str
    generation: int
    shards: tuple[str, ...]
    embedder: str
    embedder_sha256: str
    dimension: int
    window: WindowSettings
    tokenizer_sha256: str

    @classmethod
    def new(cls, settings: IndexSettings, shards: int) -> Catalogue:
        """Return the catalogue of a collection that is made now."""
        return cls(
            uuid4().hex,
            1,
            shard_names(1, shards),
            settings.embedder,
            settings.embedder_sha256,
            settings.dimension,
            settings.window,
            _sha256(settings.tokenizer),
        )

    @classmethod
    def read(cls, folder: Path) -> Catalogue:
        """Return the catalogue of the collection in a folder.

        Raises:
            IndexMissingError: there is none.
            IndexDamagedError: it can't be understood.
            IndexMismatchError: it is of another version of docqa.
            StorageError: it can't be read.
        """
        file = folder / CATALOGUE
        if not is_collection(folder):
            raise IndexMissingError(
                f"no collection in {folder}; make one with: "
                f"docqa index PATH... --index {folder} --shards N"
            )
        with file_errors(folder):
            text = file.read_text(encoding="utf-8")
        try:
            values: dict[str, Any] = json.loads(text)
            version = values.pop("version")
            if (version, values.pop("sharing")) != (_VERSION, _SHARING):
                raise IndexMismatchError(
                    f"the collection in {folder} has version {version}, this docqa reads "
                    f"{_VERSION}; make it anew in another folder"
                )
            window = WindowSettings(**values.pop("window"))
            shards = tuple(values.pop("shards"))
            found = cls(**values, window=window, shards=shards)
            if not shards or shards != shard_names(found.generation, len(shards)):
                raise ValueError("its shards are not those of its generation")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise IndexDamagedError(
                f"the catalogue {file} can't be understood ({error}); put back a copy of it"
            ) from error
        return found

    def write(self, folder: Path) -> None:
        """Write the catalogue, in place of the one that is there; the caller holds the lock.

        Raises:
            StorageError: it can't be written.
        """
        values = {"version": _VERSION, "sharing": _SHARING, **asdict(self)}
        with file_errors(folder), replaced(folder / CATALOGUE) as part:
            part.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")

    def folders(self, folder: Path) -> list[Path]:
        """Return the folders of the shards, in the order of their numbers."""
        return [folder / shard for shard in self.shards]

    def is_made_with(self, settings: IndexSettings) -> bool:
        """Return whether an index has the settings of the collection's shards."""
        made_with = (
            settings.embedder_sha256,
            settings.dimension,
            settings.window,
            _sha256(settings.tokenizer),
        )
        ours = (self.embedder_sha256, self.dimension, self.window, self.tokenizer_sha256)
        return made_with == ours


def shard_names(generation: int, shards: int) -> tuple[str, ...]:
    """Return the folders of the shards of a generation, from the collection's folder."""
    return tuple(f"{SHARDS_PREFIX}{generation:04}/{number:04}" for number in range(shards))


def remove_leftovers(folder: Path, catalogue: Catalogue | None) -> None:
    """Remove shards of other generations and half-written files that killed runs have left.

    So is the database of an index that has become the collection. The caller holds the
    collection's writer lock.

    Args:
        catalogue: None where the collection has not come into being yet.
    """
    present = None if catalogue is None else Path(catalogue.shards[0]).parts[0]
    with file_errors(folder):
        for part in folder.glob("*.part"):
            part.unlink(missing_ok=True)
        if catalogue is not None:  # it was one index before
            for pattern in (f"{DATABASE}*", "vectors-*", "words-*"):
                for file in folder.glob(pattern):
                    file.unlink(missing_ok=True)
        for found in folder.glob(f"{SHARDS_PREFIX}*"):
            if found.name != present and whole_folder(found / "0") == folder.absolute():
                shutil.rmtree(found)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
