"""What a worker and its parent say to each other: a line of JSON, then the text in UTF-8.

No pickles: whatever a document does to the worker that reads it, all that reaches the parent is
numbers and text. Paths with undecodable bytes survive, as JSON escapes lone surrogates.
"""

from __future__ import annotations

import json
from dataclasses import asdict

from docqa.ingest.document import Document, Heading, LoadLimits


def pack_limits(limits: LoadLimits) -> str:
    """Limits as a worker takes them on its command line."""
    return json.dumps(asdict(limits))


def unpack_limits(packed: str) -> LoadLimits:
    """The limits on a worker's command line."""
    return LoadLimits(**json.loads(packed))


def pack_request(path: str) -> bytes:
    """A request to read one file."""
    return json.dumps(path).encode("ascii") + b"\n"


def unpack_request(line: bytes) -> str:
    """The path of the file to read."""
    return str(json.loads(line))


def pack_document(document: Document, last: bool) -> tuple[bytes, bytes]:
    """A reply: its header and its body. After its last one a worker leaves."""
    body = document.text.encode("utf-8")
    header = {
        "bytes": len(body),
        "last": last,
        "format": document.format,
        "page_starts": document.page_starts,
        "sha256": document.sha256,
        "size": document.size,
        "mtime_ns": document.mtime_ns,
        "title": document.title,
        "outline": [[heading.text, heading.level, heading.start] for heading in document.outline],
        "gaps": document.gaps,
        "lines": document.lines,
    }
    return json.dumps(header).encode("ascii") + b"\n", body


def pack_error(error: str, last: bool) -> tuple[bytes, bytes]:
    """A reply where there is no document: its header and its empty body."""
    return json.dumps({"bytes": 0, "last": last, "error": error}).encode("ascii") + b"\n", b""


def body_bytes(header: bytes) -> int:
    """How long the body is that follows a header.

    Raises:
        ValueError: no header of a reply.
    """
    try:
        size = int(json.loads(header)["bytes"])
    except (KeyError, TypeError) as error:
        raise ValueError("no header of a reply") from error
    if size < 0:
        raise ValueError("a negative length")
    return size


def is_last(header: bytes) -> bool:
    """Whether a worker leaves after this reply."""
    return bool(json.loads(header).get("last"))


def unpack_reply(path: str, header: bytes, body: bytes | bytearray) -> Document | str:
    """A document, or the error that there is instead.

    Args:
        path: of the file that was asked for.
        header: the line of JSON.
        body: the text.

    Raises:
        ValueError: not a reply.
    """
    fields = json.loads(header)
    try:
        if "error" in fields:
            return str(fields["error"])
        return Document(
            path=path,
            format=str(fields["format"]),
            text=body.decode("utf-8"),
            page_starts=tuple(map(int, fields["page_starts"])),
            sha256=str(fields["sha256"]),
            size=int(fields["size"]),
            mtime_ns=int(fields["mtime_ns"]),
            title=None if fields["title"] is None else str(fields["title"]),
            outline=tuple(
                Heading(str(text), int(level), int(start))
                for text, level, start in fields["outline"]
            ),
            gaps=tuple(map(str, fields["gaps"])),
            lines=tuple((int(offset), int(line)) for offset, line in fields["lines"]),
        )
    except (KeyError, TypeError) as error:
        raise ValueError("a reply with something missing") from error
