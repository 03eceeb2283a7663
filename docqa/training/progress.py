"""Telling how far a long piece of work has come."""

from __future__ import annotations

from collections.abc import Callable

# Told what is being done, how much of it is done, of how much, and a note.
Tell = Callable[[str, int, int, str], None]


def stage(tell: Tell, name: str) -> Callable[[int, int], None]:
    """Told of one stage how much of it is done, of how much."""
    return lambda done, total: tell(name, done, total, "")
