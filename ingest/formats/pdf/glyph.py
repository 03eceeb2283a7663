"""A sign on a page, and where it is."""

from __future__ import annotations

from dataclasses import dataclass

# How far most letters reach above and below their base line, in the size of the type.
REACH = (0.75, 0.15)


@dataclass(slots=True)
class Glyph:
    """A sign on a page, in the direction of its writing.

    Attributes:
        text: one or more characters; a blank for a blank.
        left, right: where it begins and ends along its line.
        base: its base line, growing from line to line.
        size: of its type, in points.
        direction: quarter turns of the writing, 0 for upright.
        run: number of the text object that it belongs to.
        known: whether the font says which character it is.
        field: left, top, right and bottom of the form field or note that it was typed into, on the
            page as it is shown; None for a sign of the page itself.
    """

    text: str
    left: float
    right: float
    base: float
    size: float
    direction: int
    run: int
    known: bool = True
    field: tuple[float, float, float, float] | None = None

    def box(self, above: float, below: float) -> tuple[float, float, float, float]:
        """Return left, top, right and bottom on the page as it is shown.

        Args:
            above, below: how far the box reaches from the base line, in the size of the type.
        """
        top, bottom = self.base - above * self.size, self.base + below * self.size
        match self.direction:
            case 0:
                return self.left, top, self.right, bottom
            case 1:
                return -bottom, self.left, -top, self.right
            case 2:
                return -self.right, -bottom, -self.left, -top
            case _:
                return top, -self.right, bottom, -self.left
