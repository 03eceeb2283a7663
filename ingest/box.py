"""A rectangle of a page."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of a page as it is shown, in points from the page's left and top.

    Attributes:
        page: its number, from 1.
        left, top, right, bottom: the rectangle's edges.
    """

    page: int
    left: float
    top: float
    right: float
    bottom: float
