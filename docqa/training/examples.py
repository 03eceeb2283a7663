"""Questions as a reader is trained on them: token ids, and where their answers' tokens are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from tokenizers import Tokenizer

from docqa.evaluate.squad import Article, Question
from docqa.ingest.windows import IntArray, Tokens, tokenize
from docqa.training.settings import Gold

# Questions longer than this are cut: beyond it they leave too little room for the window.
_LONGEST_QUESTION = 64


@dataclass(frozen=True, slots=True)
class TokenRange:
    """Tokens ``[first, last)`` of an article."""

    article: int
    first: int
    last: int

    def holds(self, span: TokenRange) -> bool:
        return self.article == span.article and self.first <= span.first and span.last <= self.last

    def overlaps(self, span: TokenRange) -> bool:
        return self.article == span.article and self.first < span.last and span.first < self.last


@dataclass(frozen=True, slots=True)
class Example:
    """A question with what is right.

    Attributes:
        number: its place among all examples.
        text, ids: the question, and its tokens.
        paragraph: the tokens of the paragraph that it was asked of.
        golds: the tokens of its answers; none where it has no answer there.
        answers: the answers' texts, in lower case.
        variant: examples of one number ask the same; one of them is drawn in an epoch.
    """

    number: int
    text: str
    ids: IntArray
    paragraph: TokenRange
    golds: tuple[TokenRange, ...]
    answers: tuple[str, ...]
    variant: int


@dataclass(frozen=True)
class Examples:
    """All there is to learn from.

    Attributes:
        texts: of the articles, each as one document.
        tokens: of the articles.
        examples: the questions, in the files' order.
        dropped: how many answers no token stands for.
    """

    texts: Sequence[str]
    tokens: Sequence[Tokens]
    examples: Sequence[Example]
    dropped: int

    def __len__(self) -> int:
        return len(self.examples)

    def text(self, span: TokenRange) -> str:
        """The text of a run of tokens, in lower case."""
        offsets = self.tokens[span.article].offsets[span.first : span.last]
        if not len(offsets):
            return ""
        return self.texts[span.article][int(offsets[0, 0]) : int(offsets[-1, 1])].lower()


def make_examples(
    articles: Sequence[Article],
    tokenizer: Tokenizer,
    gold: Gold,
    progress: Callable[[int, int], None] | None = None,
) -> Examples:
    """Tokenize articles and questions, and find the answers' tokens.

    Args:
        tokenizer: one from :func:`docqa.ingest.windows.plain_tokenizer`.
        gold: which of several annotators' answers are right.
        progress: told how many articles are done, of how many.
    """
    texts: list[str] = []
    tokens: list[Tokens] = []
    examples: list[Example] = []
    variants: dict[str, int] = {}
    dropped = 0
    for number, article in enumerate(articles):
        texts.append(article.text)
        tokens.append(tokenize(article.text, tokenizer))
        offsets = tokens[-1].offsets
        for start, question, context in _questions(article):
            paragraph = TokenRange(number, *_tokens_of(offsets, start, start + len(context)))
            golds = []
            for text, at in chosen_answers(question, gold):
                span = TokenRange(number, *_tokens_of(offsets, start + at, start + at + len(text)))
                if span.first < span.last:
                    golds.append(span)
            if question.answers and not golds:
                dropped += 1
                continue
            examples.append(
                Example(
                    len(examples),
                    question.text,
                    tokenize(question.text, tokenizer).ids[:_LONGEST_QUESTION],
                    paragraph,
                    tuple(golds),
                    tuple({text.lower() for text, _ in question.answers}),
                    variants.setdefault(question.text, len(variants)),
                )
            )
        if progress is not None:
            progress(number + 1, len(articles))
    return Examples(texts, tokens, examples, dropped)


def chosen_answers(question: Question, gold: Gold) -> list[tuple[str, int]]:
    """The answers to learn, ``(text, start)``.

    ``majority``: the one that most annotators marked, on a tie the shortest, then the first in the
    text. ``marginal``: each that was marked, once.
    """
    counted = Counter(question.answers)
    if gold == "marginal":
        return list(counted)
    ranked = sorted(counted, key=lambda answer: (-counted[answer], len(answer[0]), answer[1]))
    return ranked[:1]


def _questions(article: Article) -> Iterator[tuple[int, Question, str]]:
    for start, paragraph in zip(article.paragraph_starts(), article.paragraphs, strict=True):
        for question in paragraph.questions:
            if question.text.strip():
                yield start, question, paragraph.context


def _tokens_of(offsets: IntArray, start: int, end: int) -> tuple[int, int]:
    """The tokens ``[first, last)`` that touch the characters ``[start, end)``."""
    first = int(np.searchsorted(offsets[:, 1], start, side="right"))
    last = int(np.searchsorted(offsets[:, 0], end, side="left"))
    return first, max(first, last)
