"""Exact match and F1 as SQuAD measures them (Rajpurkar et al. 2016, section 6.1)."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Sequence

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalize(answer: str) -> str:
    """Return an answer in lower case, without punctuation and articles, with single blanks."""
    bare = answer.lower().translate(_PUNCTUATION)
    return " ".join(_ARTICLES.sub(" ", bare).split())


def exact_match(prediction: str, gold: str) -> float:
    """Return 1 if both are the same once normalised, else 0."""
    return float(normalize(prediction) == normalize(gold))


def f1(prediction: str, gold: str) -> float:
    """Return the harmonic mean of precision and recall over the words of both, normalised.

    Where either is empty (no answer), both must be.
    """
    predicted, marked = normalize(prediction).split(), normalize(gold).split()
    if not predicted or not marked:
        return float(predicted == marked)
    common = sum((Counter(predicted) & Counter(marked)).values())
    return 2 * common / (len(predicted) + len(marked))


def best_over(measure: Callable[[str, str], float], prediction: str, golds: Sequence[str]) -> float:
    """Return a measure against the annotator that agrees most; without any, against no answer."""
    return max(measure(prediction, gold) for gold in golds or ("",))
