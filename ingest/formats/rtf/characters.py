"""Characters of RTF: code pages of fonts, and words that stand for a sign."""

from __future__ import annotations

import codecs

# Words that write a sign.
SIGNS = {
    "emdash": "—",
    "endash": "–",  # noqa: RUF001 (the sign itself)
    "lquote": "‘",  # noqa: RUF001
    "rquote": "’",  # noqa: RUF001
    "ldblquote": "“",
    "rdblquote": "”",
    "bullet": "•",
    "emspace": " ",
    "enspace": " ",
    "qmspace": " ",
    "tab": " ",
    "zwj": "\u200d",
    "zwnj": "\u200c",
    "ltrmark": "\u200e",
    "rtlmark": "\u200f",
}
# Single signs that are escaped; a hyphen that may break a line is left out.
ESCAPED = {"~": " ", "_": "-", "{": "{", "}": "}", "\\": "\\"}
# Words that end a line or a page.
BREAKS = frozenset("line lbr page column softpage softcol softline".split())

_OF_CHARSET = {
    77: "mac_roman", 78: "cp932", 79: "big5", 80: "cp949", 81: "mac_arabic", 85: "mac_greek",
    86: "mac_turkish", 88: "mac_latin2", 89: "mac_cyrillic", 128: "cp932", 129: "cp949",
    130: "johab", 134: "gb18030", 136: "big5hkscs", 161: "cp1253", 162: "cp1254", 163: "cp1258",
    177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874", 238: "cp1250",
    254: "cp437", 255: "cp437",
}  # fmt: skip
SYMBOL_CHARSET = 2
_OF_PAGE = {0: "cp1252", 936: "gb18030", 950: "big5hkscs", 1361: "johab", 10000: "mac_roman"}
_OF_PAGE |= {65001: "utf-8", 1200: "cp1252"}


def of_charset(charset: int) -> str | None:
    """Return the encoding of a font's character set; None for the document's own."""
    return _OF_CHARSET.get(charset)


def of_page(number: int) -> str:
    """Return the encoding of a code page; Western where it isn't known."""
    name = _OF_PAGE.get(number, f"cp{number}")
    try:
        return codecs.lookup(name).name
    except LookupError:
        return "cp1252"
