"""Where no answer goes on: at the border of a table's cell, and at a blank line."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from docqa.index.hit import Hit
from docqa.ranking.span_search import Barrier

_BARRIER = re.compile(r"\t|\n[ \r]*\n")


def barriers_in(hits: Sequence[Hit]) -> Barrier:
    """Return what finds the first barrier in a span of these windows."""

    def find(window: int, first: int, last: int) -> int | None:
        offsets = hits[window].window.token_offsets
        found = _BARRIER.search(hits[window].text, int(offsets[first, 1]), int(offsets[last, 0]))
        if found is None:
            return None
        after = int(np.searchsorted(offsets[:, 0], found.end()))
        return min(max(after, first + 1), last)

    return find
