"""What a reader sees of an element by its styles: hidden, struck, raised, or in the page's colour.

What style sheets elsewhere say isn't known, so well-known names of classes stand in for them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from docqa.ingest.formats.html.styles import Look

_STRUCK_CLASSES = frozenset(
    (
        "line-through strike strikethrough strike-through struck text-strike "
        "text-decoration-line-through"
    ).split()
)
# Text for those who hear a page.
_HEARD_CLASSES = frozenset(
    (
        "sr-only visually-hidden visuallyhidden screen-reader-text screen-reader-only "
        "element-invisible hidden-visually u-visually-hidden"
    ).split()
)
# The number of a page of the printed book, amid a sentence.
_PAGE_CLASSES = frozenset("pagenum page-number pagenumber pageno pagebreak page-break".split())
_PAGE_ROLES = frozenset("pagebreak doc-pagebreak".split())
_LENGTH = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))\s*(px|pt|em|rem|ex|ch|%|in|cm|mm|vw|vh)?")
_PIXELS = {"pt": 4 / 3, "em": 16.0, "rem": 16.0, "ex": 8.0, "ch": 8.0, "%": 0.16, "": 1.0}
_PIXELS |= {"px": 1.0, "in": 96.0, "cm": 37.8, "mm": 3.78, "vw": 12.8, "vh": 7.2}
_FAR_AWAY = -500.0  # pixels
_CLIPPED = re.compile(
    r"rect\(\s*(?:0|1px)\w*[\s,]+(?:0|1px)\w*[\s,]+(?:0|1px)\w*[\s,]+(?:0|1px)\w*\s*\)"
    r"|inset\(\s*(?:50|100)%|circle\(\s*0"
)
_FLAT = re.compile(r"scale(?:3d|x|y)?\(\s*0?\.?0*\s*[,)]")
_TRANSPARENT = "transparent"
_INHERITED = ("inherit", "currentcolor", "unset")
_HEX = re.compile(r"#(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})")
_RGB = re.compile(r"rgba?\(([^)]*)\)")
_NAMES = {
    "white": "#ffffff", "black": "#000000", "red": "#ff0000", "lime": "#00ff00",
    "blue": "#0000ff", "yellow": "#ffff00", "aqua": "#00ffff", "cyan": "#00ffff",
    "fuchsia": "#ff00ff", "magenta": "#ff00ff", "gray": "#808080", "grey": "#808080",
    "silver": "#c0c0c0", "navy": "#000080", "green": "#008000", "maroon": "#800000",
    "olive": "#808000", "purple": "#800080", "teal": "#008080", "whitesmoke": "#f5f5f5",
    "snow": "#fffafa", "ivory": "#fffff0",
}  # fmt: skip
WHITE = "#ffffff"
# Colours that differ by less than this in each part look the same.
_NEAR = 6
_INLINE = frozenset("a abbr b big cite code em font i label q small span strong tt u var".split())
_LEAST_RISE = 3.0  # pixels; less is a matter of looks
_SMALLER = 0.9
_MOST_RAISED_CHARS = 6


def is_struck(attributes: Mapping[str, str], look: Look) -> bool:
    """Return whether an element's text is struck out."""
    lines = look.get("text-decoration", "") + look.get("text-decoration-line", "")
    if "line-through" in lines or attributes.get("role") == "deletion":
        return True
    return not _STRUCK_CLASSES.isdisjoint(attributes.get("class", "").split())


def is_hidden(attributes: Mapping[str, str], look: Look) -> bool:
    """Return whether an element can't be seen, with all that is in it."""
    if attributes.get("hidden", "until-found") != "until-found":
        return True
    names = attributes.get("class", "")
    if names and not (_HEARD_CLASSES | _PAGE_CLASSES).isdisjoint(names.lower().split()):
        return True
    roles = f"{attributes.get('role', '')} {attributes.get('epub:type', '')}"
    if not _PAGE_ROLES.isdisjoint(roles.split()):
        return True
    return bool(look) and _is_hidden(look)


def _is_hidden(look: Look) -> bool:
    if look.get("display") == "none" or look.get("mso-hide") == "all":
        return True
    if _is_zero(look.get("opacity")) or _FLAT.search(look.get("transform", "")):
        return True
    is_apart = look.get("position") in ("absolute", "fixed")
    if is_apart and any(
        (pixels(look.get(side)) or 0.0) < _FAR_AWAY for side in ("left", "right", "top")
    ):
        return True
    if (pixels(look.get("text-indent")) or 0.0) < _FAR_AWAY:
        return True
    if _CLIPPED.search(look.get("clip-path", "") + (look.get("clip", "") if is_apart else "")):
        return True
    # What opens when it is clicked on has a transition.
    return (
        look.get("overflow") in ("hidden", "clip")
        and "transition" not in look
        and any(_is_zero(look.get(size)) for size in ("height", "max-height", "width", "max-width"))
    )


class Ink:
    """Whether text can be seen, as it is passed on from an element to those in it.

    Args:
        background: the colour behind it; empty where it isn't known.
    """

    __slots__ = ("_background", "_color", "_is_tiny", "_is_visible")

    def __init__(self, background: str = "") -> None:
        self._color = ""
        self._background = background
        self._is_tiny = False
        self._is_visible = True

    @property
    def is_seen(self) -> bool:
        """Whether text of the element is seen."""
        if self._is_tiny or not self._is_visible or self._color == _TRANSPARENT:
            return False
        return not (self._color and self._background and _alike(self._color, self._background))

    def forget_background(self) -> None:
        """Take in that something else may have a say in the colour behind it."""
        self._background = ""

    def inside(self, attributes: Mapping[str, str], look: Look) -> Ink:
        """Return the ink of an element in this one."""
        if not look and not attributes:
            return self
        background = look.get("background-color") or look.get("background")
        background = background or attributes.get("bgcolor", "").lower()
        color = look.get("color") or attributes.get("color", "").lower()
        size, visibility = look.get("font-size"), look.get("visibility")
        is_pictured = "background" in attributes  # an old page's picture
        if not (background or color or size or visibility or is_pictured):
            return self
        ink = Ink("" if is_pictured else _background(background, self._background))
        ink._color = _color(color) if color and color not in _INHERITED else self._color
        ink._is_visible = (
            visibility not in ("hidden", "collapse") if visibility else self._is_visible
        )
        ink._is_tiny = self._is_tiny
        if size and (_is_zero(size) or not size.endswith(("em", "%")) or size.endswith("rem")):
            ink._is_tiny = _is_zero(size)
        return ink


def script_of(tag: str, attributes: Mapping[str, str], look: Look) -> str | None:
    """Return ``sup`` or ``sub`` for raised or lowered text, by tag or style; None for neither."""
    if tag in ("sup", "sub"):
        return tag
    if tag not in _INLINE:
        return None
    roles = f"{attributes.get('role', '')} {attributes.get('epub:type', '')}"
    if tag == "a" and not {"noteref", "doc-noteref"}.isdisjoint(roles.split()):
        return "sup"
    if not look:
        return None
    aligned = look.get("vertical-align", "")
    if "super" in (aligned, look.get("font-variant-position")):
        return "sup"
    if "sub" in (aligned, look.get("font-variant-position")):
        return "sub"
    is_smaller = _is_smaller(look.get("font-size", ""))
    if aligned in ("text-top", "top", "text-bottom", "bottom"):
        return ("sup" if "top" in aligned else "sub") if is_smaller else None
    rise = pixels(aligned) or 0.0
    if look.get("position") == "relative":
        rise += (pixels(look.get("bottom")) or 0.0) - (pixels(look.get("top")) or 0.0)
    if abs(rise) >= _LEAST_RISE and is_smaller:
        return "sup" if rise > 0 else "sub"
    return None


def is_raised_length(text: str) -> bool:
    """Return whether a text is short enough to be raised by a style that only sets it higher."""
    return len(text) <= _MOST_RAISED_CHARS


def pixels(length: str | None) -> float | None:
    """Return a length in pixels, about; None where it is none."""
    found = _LENGTH.fullmatch(length or "")
    return None if found is None else float(found[1]) * _PIXELS[found[2] or ""]


def _is_zero(length: str | None) -> bool:
    return pixels(length) == 0.0


def _is_smaller(size: str) -> bool:
    if size in ("smaller", "small", "x-small", "xx-small"):
        return True
    if size.endswith(("em", "%")) and not size.endswith("rem"):
        return 0.0 < (pixels(size) or 16.0) / 16.0 <= _SMALLER
    return 0.0 < (pixels(size) or 16.0) <= _SMALLER * 13


def _color(value: str) -> str:
    """Return a colour as ``#rrggbb``, ``transparent``, or empty where it isn't known."""
    value = value.strip()
    if value == _TRANSPARENT:
        return _TRANSPARENT
    if _HEX.fullmatch(value):
        digits = value[1:]
        if len(digits) in (3, 4):
            digits = "".join(digit * 2 for digit in digits)
        return _TRANSPARENT if digits[6:] == "00" else f"#{digits[:6]}"
    if found := _RGB.fullmatch(value):
        parts = re.split(r"[\s,/]+", found[1].strip())
        try:
            if len(parts) > 3 and float(parts[3].rstrip("%")) == 0.0:
                return _TRANSPARENT
            return "#" + "".join(f"{min(max(int(float(part)), 0), 255):02x}" for part in parts[:3])
        except ValueError:
            return ""
    return _NAMES.get(value, "")


def _background(declared: str | None, below: str) -> str:
    """Return the colour behind an element; empty where it isn't known."""
    if not declared:
        return below
    if "url(" in declared or "gradient" in declared:
        return ""
    found = _RGB.search(declared)
    words = [found[0]] if found else declared.split()
    colors = [color for word in words if (color := _color(word))]
    if not colors:
        return below if declared in ("none", "inherit", "initial", "unset") else ""
    return below if colors[0] == _TRANSPARENT else colors[0]


def _alike(color: str, other: str) -> bool:
    pairs = ((int(color[at : at + 2], 16), int(other[at : at + 2], 16)) for at in (1, 3, 5))
    return len(color) == len(other) == 7 and all(abs(a - b) < _NEAR for a, b in pairs)
