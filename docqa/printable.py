"""Text of unknown origin, made safe to show."""

from __future__ import annotations


def printable(text: str) -> str:
    """Text that can't steer a terminal: control characters and lone surrogates made visible."""
    return "".join(
        char if char.isprintable() or char == " " else char.encode("unicode_escape").decode()
        for char in text
    )
