"""A worker that a document took over may send anything; it costs the one file and never the run."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from docqa.ingest.document import Document, Failure, Heading
from docqa.ingest.errors import IngestError
from docqa.ingest.workers.protocol import (
    pack_document,
    pack_error,
    unpack_document,
    unpack_header,
)

DOCUMENT = Document(
    path="/a",
    format="pdf",
    text="one\ntwo é",
    page_starts=(0, 4),
    sha256="0" * 64,
    size=9,
    mtime_ns=-1,
    title="Title",
    outline=(Heading("one", 1, 0), Heading("two", 2, 4)),
    gaps=("page 3 is a picture",),
    lines=((0, 1), (4, 3)),
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


def unpack(line: bytes, body: bytes) -> Document | Failure | None:
    """What a reply says; None where it makes no sense."""
    try:
        return unpack_document("/a", unpack_header(line), body)
    except IngestError as error:
        return Failure("/a", str(error), error.passing)
    except ValueError:
        return None


def check(document: Document) -> None:
    """That a document is as one can be that was read."""
    length = len(document.text)
    assert list(document.page_starts) == sorted(document.page_starts)
    starts = [heading.start for heading in document.outline]
    assert starts == sorted(starts)
    for start in (*document.page_starts, *starts):
        assert type(start) is int
        assert 0 <= start <= length
    for words in (document.title or "", document.sha256, *document.gaps, document.text):
        words.encode("utf-8")
    assert 0 <= document.size < 2**63
    assert abs(document.mtime_ns) < 2**63


def test_documents_and_failures_arrive_as_they_were_sent() -> None:
    assert unpack(*pack_document(DOCUMENT, last=True)) == DOCUMENT
    assert unpack(*pack_error("no", True, passing=True)) == Failure("/a", "no", passing=True)
    assert unpack_header(pack_error("no", True)[0]).last


@pytest.mark.parametrize(
    "change",
    [
        {"page_starts": [0, 9999]},
        {"page_starts": [4, 0]},
        {"page_starts": [-1]},
        {"page_starts": [True]},
        {"page_starts": [0.0]},
        {"page_starts": ["0"]},
        {"page_starts": 7},
        {"page_starts": {"0": 1}},
        {"size": -1},
        {"size": 2**63},
        {"mtime_ns": 2**64},
        {"mtime_ns": None},
        {"bytes": -1},
        {"bytes": True},
        {"last": 1},
        {"outline": [["a", 1, 99]]},
        {"outline": [["a", 0, 0]]},
        {"outline": [["a", 1]]},
        {"outline": [["a", 1, 4], ["b", 1, 0]]},
        {"outline": [["\ud800", 1, 0]]},
        {"outline": [["a\n\x1b[2J", 1, 0]]},
        {"title": ["a"]},
        {"title": "a" * 10_000},
        {"gaps": [None]},
        {"lines": [[0, 0]]},
        {"lines": [[99, 1]]},
        {"lines": [[4, 1], [0, 2]]},
        {"lines": [[0, 1, 2]]},
        {"gaps": "words"},
        {"format": "exe"},
        {"format": ["pdf"]},
        {"sha256": "f" * 63},
        {"sha256": "F" * 64},
        {"error": {"a": 1}},
        {"error": "\ud800", "passing": False},
        {"error": "no", "passing": "no"},
    ],
)
def test_what_no_file_could_be_is_refused(change: dict[str, object]) -> None:
    header, body = pack_document(DOCUMENT, last=False)
    assert unpack(json.dumps(json.loads(header) | change).encode(), body) is None


@pytest.mark.parametrize(
    "line",
    [
        b"[" * 1_000_000,
        b'{"bytes":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"bytes": 1e999, "last": false}',
        b'{"bytes": 1.0, "last": false}',
        b'{"bytes": NaN, "last": false}',
        b'{"bytes": -Infinity, "last": false}',
        b'{"bytes": ' + b"9" * 5000 + b', "last": false}',
        b'{"bytes": 0}',
        b"\xff",
        b"",
        b"[]",
        b"null",
        b'"text"',
    ],
    ids=lambda line: str(line[:20]),
)
def test_a_line_that_is_no_header_is_refused(line: bytes) -> None:
    # arrays nested too deeply raised a RecursionError, 1e999 an OverflowError: the run's end
    assert unpack(line, b"") is None


@given(st.binary(max_size=200), st.binary(max_size=20))
def test_any_bytes_are_a_reply_or_refused(line: bytes, body: bytes) -> None:
    unpack(line, body)


@given(st.sampled_from(sorted(json.loads(pack_document(DOCUMENT, False)[0]))), JSON, st.binary())
@example("title", "a\u2028b", b"")
def test_any_value_in_a_reply_is_sound_or_refused(name: str, value: object, body: bytes) -> None:
    header = json.loads(pack_document(DOCUMENT, last=False)[0])
    line = json.dumps(header | {name: value}).encode()
    for text in (body, DOCUMENT.text.encode()):
        if isinstance(document := unpack(line, text), Document):
            check(document)


def test_a_nul_or_bad_utf8_in_the_text_is_refused() -> None:
    header, _ = pack_document(DOCUMENT, last=False)
    assert unpack(header, b"abcd\0efghi") is None
    assert unpack(header, b"abcd\xffefghi") is None
