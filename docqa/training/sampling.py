"""What is read for each question in an epoch, and in which order.

Everything is drawn from the seed, the epoch and the question alone, so that a run that was stopped
goes on with what it would have drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from docqa.evaluate.typed import as_typed
from docqa.ingest.windows import WindowSettings, ranges
from docqa.training.examples import Example, Examples, TokenRange
from docqa.training.settings import TrainSettings

# How often another window is drawn in place of one that holds the answer.
_TRIES = 10
# Of the windows without the answer, so many are the retriever's mistakes, and so many those or of
# the same article; the rest are from anywhere.
_HARD, _SAME_ARTICLE = 0.6, 0.8
# Tells the random numbers of typing from those of windows.
_TYPED = 1


@dataclass(frozen=True, slots=True)
class Drawn:
    """A question with the windows to be read for it, and whether headings are read with them."""

    example: Example
    windows: tuple[TokenRange, ...]
    headings: bool = False


class Drawer:
    """Draws questions and windows.

    Args:
        hard: for each example windows without its answer that the retriever would offer.
        special: how many tokens of a row are neither question nor window.
        max_tokens: the most tokens in a row.
    """

    def __init__(
        self,
        data: Examples,
        settings: TrainSettings,
        hard: Sequence[Sequence[TokenRange]],
        special: int,
        max_tokens: int,
    ) -> None:
        self._data = data
        self._settings = settings
        self._hard = hard
        self._room = max_tokens - special
        variants: dict[int, list[int]] = {}
        for example in data.examples:
            variants.setdefault(example.variant, []).append(example.number)
        self._variants = list(variants.values())

    @property
    def steps(self) -> int:
        """Return how many steps of the optimiser an epoch has."""
        return -(-len(self._variants) // self._settings.batch_questions)

    def epoch(self, epoch: int, first: int = 0) -> Iterator[list[Drawn]]:
        """Yield the questions of each step of an epoch, from the step ``first`` on."""
        order = self._random(epoch)
        chosen = [int(order.choice(numbers)) for numbers in self._variants]
        order.shuffle(chosen)
        size = self._settings.batch_questions
        for start in range(first * size, len(chosen), size):
            yield [self._draw(epoch, number) for number in chosen[start : start + size]]

    def _random(self, *of: int) -> np.random.Generator:
        return np.random.default_rng([self._settings.seed, *of])

    def _draw(self, epoch: int, number: int) -> Drawn:
        example = self._typed(epoch, self._data.examples[number])
        size = min(self._settings.window.size, self._room - len(example.ids))
        window = WindowSettings(size, min(self._settings.window.overlap, size // 2))
        if self._settings.normalize == "window":
            return Drawn(example, tuple(self._paragraph(example, window)))
        random = self._random(epoch, number)
        gold = example.gold
        if gold is not None and random.random() < self._settings.unanswerable:
            gold = None
        without = gold is None
        windows = [] if gold is None else [self._with_answer(example, gold, window, random)]
        whole, part = divmod(self._settings.negatives, 1)
        for _ in range(int(whole) + (random.random() < part) + without):
            negative = self._without_answer(example, size, random)
            if negative is not None:
                windows.append(negative)
        headings = random.random() < self._settings.headings
        return Drawn(example, tuple(dict.fromkeys(windows)), headings)

    def _typed(self, epoch: int, example: Example) -> Example:
        """Return an example with its question spoilt, or as it is.

        Its random numbers are its own, so that the windows drawn are the same at every share.
        """
        random = self._random(epoch, example.number, _TYPED)
        if random.random() >= self._settings.typed:
            return example
        return self._data.asked_as(example, as_typed(example.text, random))

    def _paragraph(self, example: Example, window: WindowSettings) -> Iterator[TokenRange]:
        """Yield the windows of a question's own paragraph."""
        at = example.paragraph
        for first, last in ranges(self._data.tokens[at.article][at.first : at.last], window):
            yield TokenRange(at.article, at.first + first, at.first + last)

    def _with_answer(
        self,
        example: Example,
        gold: TokenRange,
        window: WindowSettings,
        random: np.random.Generator,
    ) -> TokenRange:
        """Return a window of the paragraph, or as often one cut anywhere around the answer."""
        whole = [each for each in self._paragraph(example, window) if each.holds(gold)]
        if whole and random.random() < 0.5:
            return whole[int(random.integers(len(whole)))]
        lowest = min(max(gold.last - window.size, 0), gold.first)
        return self._cut(gold.article, lowest, gold.first, window.size, random)

    def _without_answer(
        self, example: Example, size: int, random: np.random.Generator
    ) -> TokenRange | None:
        """Return a window that the retriever offers, or one of the same article, or any.

        None where every window drawn holds an answer's words.
        """
        article = example.paragraph.article
        for attempt in range(_TRIES):
            kind = random.random() + attempt / _TRIES
            if kind < _HARD and self._hard[example.number]:
                hard = self._hard[example.number]
                return hard[int(random.integers(len(hard)))]
            if kind >= _SAME_ARTICLE:
                article = int(random.integers(len(self._data.texts)))
            window = self._anywhere(article, size, random)
            if window.last > window.first and not self._answers(example, window):
                return window
        return None

    def _answers(self, example: Example, window: TokenRange) -> bool:
        if example.gold is not None and window.overlaps(example.gold):
            return True
        text = self._data.text(window)
        return any(answer in text for answer in example.answers)

    def _anywhere(self, article: int, size: int, random: np.random.Generator) -> TokenRange:
        highest = max(len(self._data.tokens[article]) - size, 0)
        return self._cut(article, 0, highest, size, random)

    def _cut(
        self, article: int, lowest: int, highest: int, size: int, random: np.random.Generator
    ) -> TokenRange:
        """Return a window that starts with a word, at a token from ``lowest`` to ``highest``."""
        words = self._data.tokens[article].word_starts
        starts = np.flatnonzero(words[lowest : highest + 1])
        first = lowest + int(random.choice(starts)) if len(starts) else highest
        return TokenRange(article, first, min(first + size, len(words)))
