"""Indexes of any size, made of a few real documents.

A million real windows would take hours to embed. So the real documents, once embedded, are copied
until there are enough windows. In each copy of them all a share of the words, drawn between a tenth
and nine tenths, gives way to words from anywhere in the real documents that have as many tokens: a
word occurs in the same share of windows however large the index is, and the copies' windows are cut
at the same tokens as the real ones. A copied window's vector is the real one's plus noise, brought
back to length 1: its cosine with the real one is 1 less half the share.

All is written straight into the store, and depends on the real documents and the copy's number
alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import chain, count, islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from docqa.index.store import Store, Vectors
from docqa.ingest.document import Document
from docqa.ingest.windows import IntArray, Tokens, Window, plain_tokenizer, tokenize

_WORD = re.compile(r"\S+")
_DOCUMENTS_A_TRANSACTION = 200

Places = npt.NDArray[np.int64]


def make_index(folder: Path, real: Store, windows: int) -> None:
    """Make an index of so many windows in ``folder``: the real documents, then copies of them.

    Args:
        real: an index of the real documents.
    """
    folder.mkdir(parents=True)
    with closing(Store.create(folder, real.settings)) as store:
        store.db.execute("pragma synchronous = off")  # it can be made again
        documents = _documents(real)
        missing = windows
        while missing > 0:
            with store.db.atomic():
                for document, cut, vectors in islice(documents, _DOCUMENTS_A_TRANSACTION):
                    store.put(document, cut[:missing], vectors[:missing])
                    missing -= len(cut)
                    if missing <= 0:
                        break


class _Words:
    """The words (runs without white space) of all real documents, each time they occur."""

    def __init__(self, documents: list[tuple[str, Tokens, list[re.Match[str]]]]) -> None:
        self.texts: Any = np.array(
            [match.group() for _, _, found in documents for match in found], object
        )
        self.ids = np.concatenate([tokens.ids for _, tokens, _ in documents])
        self.offsets = np.concatenate(
            [tokens.offsets - _starts(found)[_words_of(tokens, found)][:, None]
             for _, tokens, found in documents]
        )  # fmt: skip
        self.tokens = np.concatenate(
            [np.bincount(_words_of(tokens, found), minlength=len(found))
             for _, tokens, found in documents]
        )  # fmt: skip
        self.first_tokens = np.cumsum(self.tokens) - self.tokens
        self.lengths = np.array([len(text) for text in self.texts])
        self.of_tokens = {n: np.flatnonzero(self.tokens == n) for n in set(self.tokens.tolist())}

    def exchanged(self, words: Places, share: float, rng: np.random.Generator) -> Places:
        """A share of some words replaced by any others with as many tokens."""
        result = words.copy()
        chosen = rng.random(len(words)) < share
        for tokens in set(self.tokens[words[chosen]].tolist()):
            places = np.flatnonzero(chosen & (self.tokens[words] == tokens))
            result[places] = rng.choice(self.of_tokens[tokens], len(places))
        return result


@dataclass(frozen=True, slots=True)
class _Real:
    """A real document.

    Attributes:
        words: ``(words,)`` its words' places among all words.
        gaps: the white space around them, one more than words.
        token_words: ``(tokens,)`` which of its words each token belongs to.
        windows: as stored.
        vectors: ``(windows, dimension)``.
    """

    document: Document
    words: Places
    gaps: list[str]
    token_words: Places
    windows: list[Window]
    first_tokens: list[int]
    vectors: Vectors


def _documents(store: Store) -> Iterator[tuple[Document, list[Window], Vectors]]:
    """The documents of a store, then copies of them, without end."""
    tokenizer = plain_tokenizer(Tokenizer.from_str(store.settings.tokenizer))
    documents = [store.full_document(id_) for id_ in store.document_ids()]
    parts = [
        (document.text, tokenize(document.text, tokenizer), list(_WORD.finditer(document.text)))
        for document in documents
    ]
    words = _Words(parts)
    reals = []
    first = 0
    for id_, document, (text, tokens, found) in zip(
        store.document_ids(), documents, parts, strict=True
    ):
        stored = store.document_windows(id_)
        ids = np.array([at.id for at in stored], np.int64)
        ends = [0, *(match.end() for match in found)]
        real = _Real(
            document,
            np.arange(first, first + len(found)),
            [text[a:b] for a, b in zip(ends, [*_starts(found), len(text)], strict=True)],
            _words_of(tokens, found),
            [at.window for at in stored],
            [int(np.searchsorted(tokens.offsets[:, 0], at.window.start)) for at in stored],
            store.vectors(np.sort(ids))[np.argsort(np.argsort(ids))],
        )
        first += len(found)
        reals.append(real)
        yield document, real.windows, real.vectors
    for number in count(1):
        share = float(np.random.default_rng(number).uniform(0.1, 0.9))
        for real in reals:
            yield _copy(real, words, share, number)


def _copy(
    real: _Real, words: _Words, share: float, number: int
) -> tuple[Document, list[Window], Vectors]:
    """A document with a share of its words exchanged; its tokens are cut as they were."""
    rng = np.random.default_rng([number, int(real.words[0])])
    chosen = words.exchanged(real.words, share, rng)
    text = "".join(chain.from_iterable(zip(real.gaps, words.texts[chosen], strict=False)))
    gaps = np.array([len(gap) for gap in real.gaps[:-1]])
    starts = np.cumsum(gaps + words.lengths[chosen]) - words.lengths[chosen]
    inside = np.arange(len(real.token_words)) - np.searchsorted(real.token_words, real.token_words)
    tokens = words.first_tokens[chosen][real.token_words] + inside
    ids = words.ids[tokens]
    offsets = (words.offsets[tokens] + starts[real.token_words][:, None]).astype(np.int32)
    cut = []
    for first, window in zip(real.first_tokens, real.windows, strict=True):
        part = slice(first, first + len(window.token_ids))
        start, end = int(offsets[part].min()), int(offsets[part].max())
        cut.append(Window(start, end, ids[part], offsets[part] - start))
    path = f"/made-up/{number:06}/{Path(real.document.path).name}"
    document = replace(real.document, path=path, text=text)
    return document, cut, _near(real.vectors, 1 - share / 2, rng)


def _starts(found: list[re.Match[str]]) -> IntArray:
    return np.array([match.start() for match in found], np.int32)


def _words_of(tokens: Tokens, found: list[re.Match[str]]) -> Places:
    """``(tokens,)`` the word that each token stands in."""
    return np.searchsorted(_starts(found), tokens.offsets[:, 0], side="right") - 1


def _near(vectors: Vectors, cosine: float, rng: np.random.Generator) -> Vectors:
    """Vectors of length 1 with about that cosine to the given ones."""
    noise = rng.standard_normal(vectors.shape, np.float32)
    noise *= np.sqrt(1 / cosine**2 - 1) / np.linalg.norm(noise, axis=1, keepdims=True)
    made: Vectors = vectors + noise
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    return made
