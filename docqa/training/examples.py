"""Questions as a reader is trained on them: token ids, and where their answers' tokens are."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from tokenizers import Tokenizer

from docqa.evaluate.squad import Article, Question
from docqa.ingest.document import Heading
from docqa.ingest.outline import lines_under
from docqa.ingest.windows import IntArray, Tokens, tokenize

# Questions longer than this are cut: beyond it they leave too little room for the window.
_LONGEST_QUESTION = 64
# Markdown's, and numbered ones; a number of one part begins items of lists, too.
_HEADING = re.compile(
    r"^(?:(?P<signs>#{1,6})[ \t]+(?=\S)|(?P<number>\d+(?:\.\d+)+)\.?[ \t]+(?=[A-Z]))"
    r"(?P<text>.{2,80}?)[ \t#]*$",
    re.MULTILINE,
)


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
        gold: the tokens of the answer to learn; None where the paragraph holds none.
        answers: the answers' texts, in lower case.
        variant: examples of one number ask the same; one of them is drawn in an epoch.
    """

    number: int
    text: str
    ids: IntArray
    paragraph: TokenRange
    gold: TokenRange | None
    answers: tuple[str, ...]
    variant: int


@dataclass(frozen=True)
class Examples:
    """All there is to learn from.

    Attributes:
        titles: of the articles.
        texts: of the articles, each as one document.
        tokens: of the articles.
        outlines: of the articles, what looks like a heading in their texts.
        examples: the questions, in the files' order.
        tokenizer: of all tokens.
        dropped: how many answers no token stands for.
    """

    titles: Sequence[str]
    texts: Sequence[str]
    tokens: Sequence[Tokens]
    outlines: Sequence[Sequence[Heading]]
    examples: Sequence[Example]
    tokenizer: Tokenizer
    dropped: int

    def __len__(self) -> int:
        return len(self.examples)

    def fingerprint(self) -> str:
        """Return the SHA-256 (hex) of all titles, texts, tokens, questions and answers."""
        digest = hashlib.sha256()
        for title, text, tokens in zip(self.titles, self.texts, self.tokens, strict=True):
            digest.update(repr(title).encode("utf-8", "surrogatepass"))
            digest.update(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())
            digest.update(hashlib.sha256(tokens.ids.tobytes()).digest())
        for example in self.examples:
            parts = (example.text, example.paragraph, example.gold, sorted(example.answers))
            digest.update(repr(parts).encode("utf-8", "surrogatepass"))
        return digest.hexdigest()

    def asked_as(self, example: Example, text: str) -> Example:
        """Return an example whose question has other words."""
        return replace(example, text=text, ids=_question_ids(text, self.tokenizer))

    def text(self, span: TokenRange) -> str:
        """Return the text of a run of tokens, in lower case."""
        offsets = self.tokens[span.article].offsets[span.first : span.last]
        if not len(offsets):
            return ""
        return self.texts[span.article][int(offsets[0, 0]) : int(offsets[-1, 1])].lower()

    def heading_line(self, span: TokenRange) -> str:
        """Return the title of a window's article and the headings above the window, as a line."""
        start = int(self.tokens[span.article].offsets[span.first, 0])
        [line] = lines_under(self.titles[span.article], self.outlines[span.article], [start])
        return line


def make_examples(
    articles: Sequence[Article],
    tokenizer: Tokenizer,
    progress: Callable[[int, int], None] | None = None,
) -> Examples:
    """Tokenize articles and questions, and find the answers' tokens.

    Args:
        tokenizer: one from :func:`docqa.ingest.windows.plain_tokenizer`.
        progress: gets how many articles are done, of how many.
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
            gold = None
            if (answer := majority_answer(question)) is not None:
                first = start + answer[1]
                gold = TokenRange(number, *_tokens_of(offsets, first, first + len(answer[0])))
                if gold.first == gold.last:
                    dropped += 1
                    continue
            examples.append(
                Example(
                    len(examples),
                    question.text,
                    _question_ids(question.text, tokenizer),
                    paragraph,
                    gold,
                    tuple({text.lower() for text, _ in question.answers}),
                    variants.setdefault(question.text, len(variants)),
                )
            )
        if progress is not None:
            progress(number + 1, len(articles))
    titles = [article.title for article in articles]
    outlines = [visible_headings(text) for text in texts]
    return Examples(titles, texts, tokens, outlines, examples, tokenizer, dropped)


def majority_answer(question: Question) -> tuple[str, int] | None:
    """Return the answer to learn, ``(text, start)``; None for a question without one.

    Most annotators marked this answer. On a tie the shortest counts, then the first in the text.
    """
    counted = Counter(question.answers)
    return min(
        counted, key=lambda answer: (-counted[answer], len(answer[0]), answer[1]), default=None
    )


def visible_headings(text: str) -> list[Heading]:
    """Return what looks like a heading in a text that has lost its outline.

    Lines that begin with Markdown's number signs, or with a number of several parts and a capital.
    """
    return [
        Heading(
            " ".join(found["text"].split()),
            len(found["signs"]) if found["signs"] else 1 + found["number"].count("."),
            found.start(),
        )
        for found in _HEADING.finditer(text)
    ]


def _question_ids(text: str, tokenizer: Tokenizer) -> IntArray:
    return tokenize(text, tokenizer).ids[:_LONGEST_QUESTION]


def _questions(article: Article) -> Iterator[tuple[int, Question, str]]:
    for start, paragraph in zip(article.paragraph_starts(), article.paragraphs, strict=True):
        for question in paragraph.questions:
            if question.text.strip():
                yield start, question, paragraph.context


def _tokens_of(offsets: IntArray, start: int, end: int) -> tuple[int, int]:
    """Return the tokens ``[first, last)`` that touch the characters ``[start, end)``."""
    first = int(np.searchsorted(offsets[:, 1], start, side="right"))
    last = int(np.searchsorted(offsets[:, 0], end, side="left"))
    return first, max(first, last)
