"""Subtitles, SubRip and WebVTT: what is said, without numbers, times and colours."""

from __future__ import annotations

import re
from html import unescape

from docqa.ingest.formats import Extracted
from docqa.ingest.formats.composer import Composer
from docqa.ingest.formats.encoding import decode

_TIMES = re.compile(r"^\s*(?:\d+:)?\d+:\d\d[,.]\d+\s*-->")
_SPEAKER = re.compile(r"<v(?:\.[^\s>]*)?\s+([^>]+)>")
_MARKUP = re.compile(r"</?[a-zA-Z][^<>]*>|<\d[\d:.]*>|\{\\[^{}]*\}")
_BLOCK = re.compile(r"\n[ \t]*(?:\n[ \t]*)+")


def extract_subtitles(data: bytes) -> Extracted:
    """Read what is said, a line a caption.

    Raises:
        IngestError: not text, or nothing is said.
    """
    composer = Composer()
    before = ""
    text = decode(data).replace("\r\n", "\n").replace("\r", "\n")
    for block in _BLOCK.split(text.strip()):
        lines = block.split("\n")
        times = next((at for at, line in enumerate(lines) if _TIMES.match(line)), None)
        if times is None:  # a header, a style, a remark
            continue
        said = " ".join(map(_words, lines[times + 1 :]))
        if said != before:  # captions that roll say a line again
            composer.line(said)
        before = said
    return composer.extracted()


def _words(line: str) -> str:
    return unescape(_MARKUP.sub("", _SPEAKER.sub(r"\1: ", line))).strip()
