# ruff: noqa: RUF001 (signs are the point)
"""Addresses and the like: what stands in a text without blanks and is worth nothing in part.

URLs, mailboxes, IP addresses, paths, checksums, numbers of documents, dates in digits.
"""

from __future__ import annotations

import re

# Addresses end where scripts begin that put no blanks between words.
_CHAR = r"[^\s<>\"“”«»„‹›`|\u0e00-\u0eff\u3000-\u30ff\u3400-\u9fff\uac00-\ud7af\uff00-\uffef]"
_HOST = r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"
_DOMAINS = "com|org|net|edu|gov|info|example|io|dev|eu|ac|de|fr|es|it|nl|pl|uk|ch|at|ca|jp|au|us"
_ENDINGS = (
    "gz|bz2|xz|zip|tar|pdf|txt|md|rst|docx?|xlsx?|pptx?|odt|ods|rtf|epub|csv|json|ya?ml|toml|xml|"
    "html?|css|py|js|ts|cpp|hpp|java|rs|go|sh|conf|cfg|ini|log|png|jpe?g|gif|svg|iso|deb|rpm|exe|"
    "dll|sql|tex"
)
# With blanks in them: telephones with the sign for abroad, and bank accounts.
_SPACED = re.compile(
    r"(?<![\w+])\+\d{1,3}(?:[ \u00a0.-]?\(?\d{1,8}\)?){2,6}(?!\w)"
    r"|(?<!\w)\(\d{2,5}\)[ \u00a0]\d{2,8}(?:[ -]\d{2,8}){0,3}(?!\w)"
    r"|(?<!\w)[A-Z]{2}\d\d(?: [A-Z0-9]{4}){3,7}(?: [A-Z0-9]{1,3})?(?!\w)"
)
_LONGEST_SPACED = 50
_ADDRESS = re.compile(
    "|".join(
        (
            rf"[A-Za-z][A-Za-z0-9+.-]{{1,20}}://{_CHAR}+",
            rf"(?<![\w@.-])www\.{_CHAR}+",
            rf"(?:mailto|doi|urn|tel|magnet):{_CHAR}+",
            rf"[A-Za-z0-9_][A-Za-z0-9_.+-]*@{_HOST}(?::[\w.~-]+(?:/[\w.~-]+)+)?",
            rf"(?<![\w@.-]){_HOST}(?::\d+)?/{_CHAR}+",
            rf"(?<![\w@.-])(?:[a-z0-9-]+\.)+(?:{_DOMAINS})(?![\w.-]*\w)",
            r"\[(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?:%\w+)?\](?::\d{1,5})?",
            # IPv6, and clocks
            r"(?<![\w:])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?:%\w+)?(?:/\d{1,3})?(?![\w:])",
            r"(?<![\w:.])\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?(?:/\d{1,2})?(?!\w)",
            r"(?<![\w:.])\d{1,4}(?::\d{1,4}){1,2}(?:\.\d+)?(?![\w:])",
            r"(?<!\w)[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5,31}(?!\w)",
            # checksums and keys
            r"(?<!\w)(?:sha\d{1,3}|md5|blake\w{1,3})[:-][A-Za-z0-9+/=_-]{16,}",
            r"(?<!\w)[0-9A-Fa-f]{32,512}(?!\w)",
            r"(?<!\w)[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}(?!\w)",
            r"(?<![\w./-])\d{1,4}([./-])\d{1,2}\1\d{1,4}(?![\w/-])",
            r"(?<![\w-])97[89]-(?:\d{1,7}-){3}[\dXx](?!\w)",
            r"(?<![\w+-])\+?\d{1,4}(?:[-/]\d{2,8}){2,6}(?![\w/-])",
            r"(?<![\w.])v?\d+(?:\.\d+){1,3}[-+][A-Za-z][0-9A-Za-z.]*(?!\w)",
            # digits of a date; numbers of documents: INV-2024-0917
            r"(?<![\w-])\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:?\d\d)?)?(?![\w-])",
            r"(?<![\w-])[A-Z]{1,10}\d*(?:[-/][A-Z0-9]{1,20})*-\d[A-Z0-9]*(?:[-/][A-Z0-9]{1,20})*(?!\w)",
            rf"(?<![\w.])10\.\d{{4,9}}/{_CHAR}+",
            # paths
            rf"(?<![\w.:/\\~-])(?:[A-Za-z]:[\\/]|\\\\|~?/|\.{{1,2}}[\\/])[\w.~-]{_CHAR}*",
            r"(?<![\w.@/-])[\w.-]+(?:/[\w.+-]+)+\.[A-Za-z0-9]{1,8}(?![\w/])",
            rf"(?<![\w.@/\\-])\w[\w.-]*\.(?:{_ENDINGS})(?![\w/-])",
        )
    )
)
_TRAILING = ".,;:!?'’*_"
_BRACKETS = {")": "(", "]": "[", "}": "{"}
_LONGEST = 2000
_BLANK = re.compile(r"\s")


def address_around(text: str, cut: int) -> tuple[int, int] | None:
    """Return the address that is cut in two at a place, if one is."""
    low = max(cut - _LONGEST, 0)
    blank = max((text.rfind(char, low, cut) for char in " \n\t\r\u00a0\u3000"), default=-1)
    low = max(low, blank + 1)
    blank_after = _BLANK.search(text, cut, min(cut + _LONGEST, len(text)))
    high = blank_after.start() if blank_after else min(cut + _LONGEST, len(text))
    for found in _ADDRESS.finditer(text, low, high):
        start, end = found.start(), _trimmed(text, found.start(), found.end())
        if start < cut < end:
            return start, end
        if start >= cut:
            break
    return _spaced_around(text, cut)


def _spaced_around(text: str, cut: int) -> tuple[int, int] | None:
    """Return the telephone or account that is cut in two at a place, if one is."""
    low, high = max(cut - _LONGEST_SPACED, 0), min(cut + _LONGEST_SPACED, len(text))
    for found in _SPACED.finditer(text, low, high):
        if found.start() < cut < found.end():
            return found.span()
    return None


def _trimmed(text: str, start: int, end: int) -> int:
    """Where an address ends without the signs of the sentence around it."""
    while end > start:
        last = text[end - 1]
        opening = _BRACKETS.get(last)
        if opening is not None:
            belongs = text.count(opening, start, end) >= text.count(last, start, end)
        else:
            belongs = last not in _TRAILING or text.startswith("::", end - 2)
        if belongs:
            break
        end -= 1
    return end
