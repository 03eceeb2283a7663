"""BM25's parameters and formula (Robertson and Zaragoza 2009), as FTS5 has them.

FTS5's own ``bm25()`` ranks the windows of an index that has no postings, and its parameters are
fixed in SQLite: other values here would make small indexes rank otherwise than large ones. A test
compares the two.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

K1, B = 1.2, 0.75
_LEAST_IDF = 1e-6  # of a word that more than half of the windows hold


def length_norms(lengths: Floats, mean: float) -> Floats:
    """Return ``(windows,)`` what a window's length adds below the line.

    Args:
        lengths: ``(windows,)`` in words.
        mean: of all windows that a search looks through.
    """
    norms: Floats = K1 * (1 - B + B * lengths / max(mean, 1.0))
    return norms


def idf(windows: int, holding: int) -> float:
    """Return how much a word counts that ``holding`` of ``windows`` windows hold."""
    return max(math.log((windows - holding + 0.5) / (holding + 0.5)), _LEAST_IDF)


def word_scores(counts: Floats, norms: Floats) -> Floats:
    """Return what a word adds to each window's score, before its idf.

    Args:
        counts: how often each window holds the word.
        norms: of the same windows.
    """
    return counts * np.float32(K1 + 1) / (counts + norms)
