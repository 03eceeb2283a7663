# ruff: noqa: RUF001 (signs are the point)
"""Signs of Symbol and Wingdings, which have no code points of their own in old documents."""

from __future__ import annotations

_PRIVATE = range(0xF020, 0xF100)

# Symbol's signs from code 0x20 and 0xA0 on, as in Adobe's table; blanks stand for parts of signs.
_SYMBOL = (
    " !∀#∃%&∋()∗+,−./0123456789:;<=>?"
    "≅ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ[∴]⊥_"
    "‾αβχδεφγηιϕκλμνοπθρστυϖωξψζ{|}∼"
)
_SYMBOL_HIGH = "€ϒ′≤⁄∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈… — ↵ℵℑℜ℘⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇®©™∏√⋅¬∧∨⇔⇐⇑⇒⇓◊〈®©™∑"
_WINGDINGS = {
    0x6C: "●", 0x6E: "■", 0x6F: "[ ]", 0x71: "[ ]", 0x72: "[ ]", 0x78: "[x]", 0xA8: "[ ]",
    0xA7: "▪", 0xFB: "✗", 0xFC: "✓", 0xFD: "[x]", 0xFE: "[x]", 0xDF: "←", 0xE0: "→", 0xE1: "↑",
    0xE2: "↓", 0xE8: "→", 0xF0: "⇨", 0x28: "☎", 0x2A: "✉", 0x4A: "☺", 0x52: "☼", 0x3C: "",
}  # fmt: skip
_WINGDINGS_2 = {
    0x50: "✓", 0x4F: "✗", 0x51: "[x]", 0x52: "[x]", 0x53: "[x]", 0x54: "[x]", 0xA3: "[ ]",
    0x2A: "[ ]", 0x30: "[ ]", 0x35: "[ ]",
}  # fmt: skip


def sign(font: str, code: int) -> str:
    """Return the text of a sign of a font; empty for one that has none."""
    if code in _PRIVATE:
        code -= 0xF000
    name = font.lower()
    if name == "symbol":
        if 0x20 <= code < 0x20 + len(_SYMBOL):
            return _SYMBOL[code - 0x20]
        if 0xA0 <= code < 0xA0 + len(_SYMBOL_HIGH):
            return _SYMBOL_HIGH[code - 0xA0]
        return ""
    if name == "wingdings 2":
        return _WINGDINGS_2.get(code, "")
    if name.startswith(("wingdings", "webdings")):
        return _WINGDINGS.get(code, "") if name == "wingdings" else ""
    return chr(code) if 0x20 <= code <= 0x10FFFF and not 0xD800 <= code < 0xE000 else ""


def readable(text: str, font: str | None) -> str:
    """Return a run's text with the signs that its font draws in place of private code points."""
    if font is None or not any(ord(char) in _PRIVATE for char in text):
        return text
    return "".join(sign(font, ord(char)) if ord(char) in _PRIVATE else char for char in text)
