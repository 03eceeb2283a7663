"""E-mail: messages (.eml), folders of them (.mbox) and Outlook's messages (.msg).

A message is its subject, who wrote it to whom and when, its body, and whatever attachments docqa
can read.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from mimetypes import guess_extension

import olefile

from docqa.ingest.errors import IngestError, PictureError
from docqa.ingest.formats import Extracted, extract, format_of, is_compressed, is_supported
from docqa.ingest.formats.composer import Composer
from docqa.ingest.formats.encoding import decode_unmarked
from docqa.ingest.formats.ligatures import without_ligatures

_BETWEEN = re.compile(rb"(?:\A|\r?\n\r?\n)From [^\r\n]*\r?\n")
_QUOTED_FROM = re.compile(rb"^>(>*From )", re.MULTILINE)
_MOST_DEPTH = 8  # of messages attached to messages


@dataclass
class _Message:
    """One message, wherever it came from.

    Attributes:
        fields: what its head says, by name, in order; the subject apart.
        bodies: the texts that are shown, in their order.
        attachments: names and bytes.
    """

    subject: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    bodies: list[Extracted] = field(default_factory=list)
    attachments: list[tuple[str, bytes]] = field(default_factory=list)


def extract_eml(data: bytes) -> Extracted:
    """Read one message.

    Raises:
        IngestError: not a message, or nothing in it.
    """
    message = _parsed(data)
    if not message.fields:
        raise IngestError("not an e-mail: it has neither sender, receiver nor date")
    composer = Composer()
    _write(message, composer, depth=0)
    return composer.extracted(message.subject)


def extract_mbox(data: bytes) -> Extracted:
    """Read all messages of a folder, each under its subject.

    Raises:
        IngestError: not such a folder, or nothing in it.
    """
    if not data.lstrip().startswith(b"From "):
        raise IngestError("not a folder of e-mails: it does not begin with From")
    composer = Composer()
    for message in _BETWEEN.split(data.lstrip()):
        if message.strip():
            _write(_parsed(_QUOTED_FROM.sub(rb"\1", message)), composer, depth=0)
    return composer.extracted()


def extract_msg(data: bytes) -> Extracted:
    """Read one of Outlook's messages.

    Raises:
        IngestError: not such a message, or nothing in it.
    """
    if not data.startswith(olefile.MAGIC):
        raise IngestError("not a message of Outlook inside, or damaged")
    with olefile.OleFileIO(io.BytesIO(data)) as ole:
        message = _outlook(ole)
    composer = Composer()
    _write(message, composer, depth=0)
    return composer.extracted(message.subject)


def _write(message: _Message, composer: Composer, depth: int) -> None:
    composer.heading(message.subject, 1 + depth)
    head = [f"{name}: {value}" for name, value in message.fields.items()]
    if head:
        composer.paragraph("\n".join(head))
    for body in message.bodies:
        composer.include(body, below=1 + depth)
    for name, data in message.attachments:
        _write_attachment(name, data, composer, depth + 1)


def _write_attachment(name: str, data: bytes, composer: Composer, depth: int) -> None:
    if depth > _MOST_DEPTH:
        composer.gaps.append("messages attached to messages are left out at a depth of 8")
    elif name.lower().endswith(".eml"):
        _write(_parsed(data), composer, depth)
    elif is_supported(name) and not is_compressed(name):
        try:
            extracted = extract(format_of(name).name, data)
        except IngestError as error:
            composer.pictures += error.pages if isinstance(error, PictureError) else 0
            composer.gaps.append(f"the attachment {name} is not in the text: {error}")
        else:
            composer.heading(f"Attachment: {name}", 1 + depth)
            composer.include(extracted, below=1 + depth)
    else:
        composer.gaps.append(f"the attachment {name} is not in the text: docqa reads no such files")


def _parsed(data: bytes) -> _Message:
    parsed = message_from_bytes(data, policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    message = _Message(subject=_header(parsed, "Subject"))
    for name in ("From", "To", "Cc", "Date"):
        if value := _header(parsed, name):
            message.fields[name] = value
    shown = list(_shown(parsed))
    message.bodies = [text for part in shown if (text := _body(part)) is not None]
    for part in _attachments(parsed, shown):
        name = part.get_filename() or f"file{guess_extension(part.get_content_type()) or ''}"
        if part.get_content_type() == "message/rfc822":
            inner = part.get_payload()
            first = inner[0] if isinstance(inner, list) and inner else None
            data = first.as_bytes() if isinstance(first, Message) else b""
            message.attachments.append((f"{part.get_filename() or 'message'}.eml", data))
        else:
            payload = part.get_payload(decode=True)
            message.attachments.append((name, payload if isinstance(payload, bytes) else b""))
    return message


def _header(message: EmailMessage, name: str) -> str:
    # The library raises all kinds of errors on what senders write into their heads.
    with suppress(Exception):
        return " ".join(str(message.get(name, "")).split())
    return ""


def _shown(part: EmailMessage) -> Iterator[EmailMessage]:
    """Yield the parts that are shown as text, one after the other.

    Of alternatives it is one; a list may add its foot, and a person who forwards a message theirs,
    as a part of its own.
    """
    kind = part.get_content_type()
    if kind in ("text/plain", "text/html"):
        if not part.is_attachment():
            yield part
    elif kind in ("multipart/alternative", "multipart/related"):
        with suppress(KeyError, AttributeError, ValueError):
            body = part.get_body(("plain", "html"))
            if isinstance(body, EmailMessage):
                yield body
    elif part.get_content_maintype() == "multipart" and part.is_multipart():
        for inner in part.iter_parts():
            if isinstance(inner, EmailMessage) and not inner.get_filename():
                yield from _shown(inner)


def _attachments(message: EmailMessage, shown: list[EmailMessage]) -> Iterator[EmailMessage]:
    """Yield the parts that are files; pictures inside a body are none."""
    if message.get_content_type() == "message/rfc822" or not message.is_multipart():
        if message not in shown and message.get_filename():
            yield message
        return
    for part in message.iter_parts():
        if part in shown or not isinstance(part, EmailMessage):
            continue
        is_file = part.get_filename() or part.is_attachment()
        if part.get_content_type() == "message/rfc822" or is_file:
            if part.get_content_maintype() not in ("image", "audio", "video"):
                yield part
        elif part.is_multipart():
            yield from _attachments(part, shown)


def _body(part: EmailMessage) -> Extracted | None:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return None
    with suppress(IngestError):
        if part.get_content_subtype() == "html":
            charset = part.get_content_charset()
            if charset:
                with suppress(LookupError, UnicodeError):
                    payload = payload.decode(charset).encode("utf-8-sig", "replace")
            return extract("html", payload)
        charset = part.get_content_charset() or "utf-8"
        try:
            return Extracted(without_ligatures(payload.decode(charset)))
        except (LookupError, UnicodeError):
            text, gaps = decode_unmarked(payload)
            return Extracted(without_ligatures(text), gaps=gaps)
    return None


# What Outlook calls the parts of a message: the number of a property, then of its type.
_TEXT, _BYTES = "001F", "0102"
_OLD_TEXT = "001E"
_SUBJECT, _SENDER, _ADDRESS, _TO, _CC = "0037", "0C1A", "5D01", "0E04", "0E03"
_BODY, _HTML = "1000", "1013"
_FILE_NAME, _SHORT_NAME, _FILE = "3707", "3704", "3701"
_SENT = b"\x40\x00\x39\x00"
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)


def _outlook(ole: olefile.OleFileIO) -> _Message:
    message = _Message(subject=_text(ole, [], _SUBJECT))
    sender, address = _text(ole, [], _SENDER), _text(ole, [], _ADDRESS)
    if address and address != sender:
        sender = f"{sender} <{address}>".strip()
    named = {"From": sender, "To": _text(ole, [], _TO), "Cc": _text(ole, [], _CC)}
    message.fields = {name: value for name, value in named.items() if value}
    if sent := _sent(ole):
        message.fields["Date"] = sent
    body = _text(ole, [], _BODY)
    if body:
        message.bodies.append(Extracted(without_ligatures(body.replace("\r\n", "\n"))))
    elif html := _stream(ole, [], _HTML, _BYTES):
        with suppress(IngestError):
            message.bodies.append(extract("html", html))
    folders = {path[0] for path in ole.listdir() if path[0].startswith("__attach_version1.0")}
    for folder in sorted(folders):
        name = _text(ole, [folder], _FILE_NAME) or _text(ole, [folder], _SHORT_NAME) or "file"
        message.attachments.append((name, _stream(ole, [folder], _FILE, _BYTES) or b""))
    return message


def _stream(ole: olefile.OleFileIO, folder: list[str], number: str, kind: str) -> bytes | None:
    path = [*folder, f"__substg1.0_{number}{kind}"]
    return bytes(ole.openstream(path).read()) if ole.exists(path) else None


def _text(ole: olefile.OleFileIO, folder: list[str], number: str) -> str:
    wide = _stream(ole, folder, number, _TEXT)
    if wide is not None:
        return wide.decode("utf-16-le", "replace").strip("\0 ")
    narrow = _stream(ole, folder, number, _OLD_TEXT)
    if not narrow:
        return ""
    with suppress(IngestError):
        return decode_unmarked(narrow).text.strip("\0 ")
    return narrow.decode("cp1252", "replace").strip("\0 ")


def _sent(ole: olefile.OleFileIO) -> str:
    """Return when a message was sent, from the table of properties of fixed length."""
    if not ole.exists("__properties_version1.0"):
        return ""
    table = ole.openstream("__properties_version1.0").read()
    for at in range(32, len(table) - 15, 16):
        if table[at : at + 4] == _SENT:
            ticks = int.from_bytes(table[at + 8 : at + 16], "little")
            with suppress(OverflowError):
                return (_EPOCH + timedelta(microseconds=ticks // 10)).strftime("%Y-%m-%d %H:%M UTC")
    return ""
