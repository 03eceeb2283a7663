"""JSON and JSON Lines: each value with the names that lead to it."""

from __future__ import annotations

import json
from collections.abc import Iterator

from docqa.ingest.errors import IngestError
from docqa.ingest.formats import Extracted
from docqa.ingest.formats.composer import Composer
from docqa.ingest.formats.encoding import decode


def extract_json(data: bytes) -> Extracted:
    """Read one value.

    Raises:
        IngestError: not JSON, or nothing in it.
    """
    text = decode(data)
    try:
        value = _parse(text)
    except ValueError as error:
        try:
            return _records(text)  # many files of lines are called .json
        except IngestError:
            raise IngestError(f"not JSON: {_place(error)}") from error
    composer = Composer()
    _write(value, composer)
    return composer.extracted()


def extract_json_lines(data: bytes) -> Extracted:
    """Read one value a line.

    Raises:
        IngestError: a line is not JSON, or there is nothing.
    """
    return _records(decode(data))


def _records(text: str) -> Extracted:
    composer = Composer()
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                value = _parse(line)
            except ValueError as error:
                raise IngestError(f"line {number:,} is not JSON") from error
            _write(value, composer)
    return composer.extracted()


def _parse(text: str) -> object:
    # Numbers stay the words that the file has.
    return json.loads(text, parse_int=str, parse_float=str, parse_constant=str)


def _place(error: ValueError) -> str:
    line = getattr(error, "lineno", None)
    return f"line {line:,} can't be read" if line else "it can't be read"


def _write(value: object, composer: Composer) -> None:
    """Write a value: the items of a list and objects as paragraphs, all else as lines."""
    if isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        for item in value:
            _write(item, composer)
        return
    lines = list(_lines("", value))
    if lines:
        composer.paragraph(lines[0])
    for line in lines[1:]:
        composer.line(line)


def _lines(name: str, value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _lines(f"{name} {_readable(key)}".strip(), inner)
    elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        for item in value:
            yield from _lines(name, item)
    else:
        words = ", ".join(map(_scalar, value)) if isinstance(value, list) else _scalar(value)
        if words.strip():
            yield f"{name}: {words}" if name else words


def _readable(key: str) -> str:
    return key.replace("_", " ").strip()


def _scalar(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case _:
            return str(value)
