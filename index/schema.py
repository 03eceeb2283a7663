"""How an index is kept in SQLite: the tables, what the index was made with, the form of values."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from sqlite_utils import Database

from docqa.index.errors import IndexMismatchError
from docqa.index.paths import DocumentPaths
from docqa.ingest.windows import IntArray, WindowSettings

DATABASE = "docqa.db"
SCHEMA_VERSION = 3
TOKENIZE = "porter unicode61 remove_diacritics 2"  # of the full text

_TABLES = """
create table settings (
    key text primary key,
    value text not null
) strict;

create table documents (
    id integer primary key autoincrement,
    path any not null unique,       -- see docqa.index.paths; bytes where it is not UTF-8
    format text,
    sha256 text,
    size integer not null,          -- bytes
    mtime_ns integer not null,
    length integer,                 -- of the text, in code points
    page_starts text,               -- JSON list of offsets into the text
    title text,
    outline text,                   -- JSON list of [text, level, start]
    gaps text,                      -- JSON list of sentences
    file_lines text,                -- JSON list of [offset, line of the file], where they differ
    error text,                     -- why it could not be read; then there is no text
    stale text                      -- why it could not be read again; the text is the older one
) strict;

create table pieces (               -- the documents' texts, see docqa.index.documents
    id integer primary key,
    document_id integer not null references documents(id),
    number integer not null,
    text text not null,
    lines integer not null,         -- ends of lines before it
    unique (document_id, number)
) strict;

create table windows (
    id integer primary key autoincrement,
    document_id integer not null references documents(id),
    start integer not null,         -- offsets into the document's text, in code points
    "end" integer not null,
    text text not null,
    heading_line text not null,     -- title and headings above it, see docqa.ingest.outline
    token_ids blob not null,        -- little-endian unsigned integers, see pack
    token_offsets blob not null,    -- start, end of each token, counted from the window's start
    embedding blob not null,        -- float16, length 1
    -- what is searched: the line, and docqa.ingest.reading_text of the text
    searched_text text generated always as
        (heading_line || char(10) ||
         replace(replace(text, char(173) || char(10), ''), char(173), '')) virtual
) strict;

create index windows_document on windows(document_id);
"""


@dataclass(frozen=True, slots=True)
class IndexSettings:
    """What an index was made with; all its windows share it.

    Attributes:
        embedder: its name, as given.
        embedder_sha256: of its weights.
        dimension: of the vectors.
        window: size and overlap.
        tokenizer: the JSON of the tokenizer that made the windows.
    """

    embedder: str
    embedder_sha256: str
    dimension: int
    window: WindowSettings
    tokenizer: str


def create_tables(db: Database, settings: IndexSettings, folder: Path) -> None:
    """Make the tables of an empty index, all or none of them."""
    values = {
        "schema_version": SCHEMA_VERSION,
        "index_id": uuid4().hex,
        "generation": 0,
        "home": DocumentPaths.of_folder(folder).home,
        "embedder": settings.embedder,
        "embedder_sha256": settings.embedder_sha256,
        "dimension": settings.dimension,
        "window_size": settings.window.size,
        "window_overlap": settings.window.overlap,
        "tokenizer": settings.tokenizer,
    }
    with db.atomic():
        for statement in _TABLES.split(";\n"):
            db.execute(statement)
        db.table("windows").enable_fts(["searched_text"], tokenize=TOKENIZE, create_triggers=True)
        db.table("settings").insert_all(
            {"key": key, "value": json.dumps(value)} for key, value in values.items()
        )


def read_settings(db: Database, folder: Path) -> IndexSettings:
    """Return what an index was made with.

    Raises:
        KeyError: one of the settings is missing.
        IndexMismatchError: the index has another schema.
    """
    version = setting(db, "schema_version")
    if version != SCHEMA_VERSION:
        raise IndexMismatchError(
            f"the index in {folder} has schema {version}, this docqa reads {SCHEMA_VERSION}; "
            "make it anew in another folder"
        )
    return IndexSettings(
        embedder=setting(db, "embedder"),
        embedder_sha256=setting(db, "embedder_sha256"),
        dimension=setting(db, "dimension"),
        window=WindowSettings(setting(db, "window_size"), setting(db, "window_overlap")),
        tokenizer=setting(db, "tokenizer"),
    )


def setting(db: Database, key: str) -> Any:
    """Return a setting's value.

    Raises:
        KeyError: there is none.
    """
    row = db.execute("select value from settings where key = ?", [key]).fetchone()
    if row is None:
        raise KeyError(f"the setting {key} is missing")
    return json.loads(row[0])


def pack(values: IntArray) -> bytes:
    """Return non-negative integers as one byte that tells their width (2 or 4), then themselves."""
    width = 2 if values.max(initial=0) < 1 << 16 else 4
    return bytes([width]) + values.astype(f"<u{width}").tobytes()


def unpack(packed: bytes) -> IntArray:
    """Return the integers that :func:`pack` was given."""
    return np.frombuffer(packed, f"<u{packed[0]}", offset=1).astype(np.int32)
