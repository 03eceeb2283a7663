"""Windows: runs of consecutive tokens of one document, overlapping, with their offsets.

A window never starts or ends inside a word (unless a single word is longer than a window could
bear), every token of the document is in at least one window, and no window is nearly empty:
what remains is shared out evenly among the windows that remain.

This module never looks at files and never runs a model; it needs only a fast tokenizer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from docqa.ingest.reading_text import SOFT_HYPHEN, reading_text

IntArray = npt.NDArray[np.int32]
BoolArray = npt.NDArray[np.bool_]

# A document is tokenized piece by piece, so that the tokenizer's own objects (some hundred bytes a
# token) never cover more than one piece. Pieces are cut in front of white space, where no
# tokenizer joins what stands on either side, and never inside a word that a line's end cuts.
_PIECE_CHARS = 100_000
_WHITE_SPACE = re.compile(r"(?<!\u00ad)(?<!\u00ad\r)(?<!\u00ad\n)(?<!\u00ad\r\n)\s")

# White space to Unicode, yet dropped as "control characters" by BERT's normaliser, which would
# glue the words on either side together. One blank for one character: offsets hold.
_CONTROL_SPACE = str.maketrans(dict.fromkeys("\x0b\x0c\x1c\x1d\x1e\x1f\x85\u2028\u2029", " "))
# Halves of surrogate pairs (as os.fsdecode has for a byte that is no UTF-8) are no text to it.
_READABLE = _CONTROL_SPACE | dict.fromkeys(range(0xD800, 0xE000), "\ufffd")


@dataclass(frozen=True, slots=True)
class WindowSettings:
    """How documents are cut into windows.

    Args:
        size: the most tokens in a window (special tokens and the question not counted).
        overlap: tokens that neighbouring windows share, about.

    Raises:
        ValueError: size below 16, or overlap not in ``[0, size / 2]``.
    """

    size: int = 240
    overlap: int = 64

    def __post_init__(self) -> None:
        if not (isinstance(self.size, int) and isinstance(self.overlap, int)):
            raise ValueError(
                "a window's size and overlap must be whole numbers, "
                f"not {self.size!r} and {self.overlap!r}"
            )
        if self.size < 16:
            raise ValueError(f"a window must hold at least 16 tokens, not {self.size}")
        if not 0 <= self.overlap <= self.size // 2:
            raise ValueError(
                f"overlap must be between 0 and half a window ({self.size // 2} tokens), "
                f"not {self.overlap}"
            )


@dataclass(frozen=True, slots=True)
class Tokens:
    """A text's tokens.

    Attributes:
        ids: ``(tokens,)`` ids of the tokenizer's vocabulary.
        offsets: ``(tokens, 2)`` start and end of each token in the text, in code points; white
            space is outside, so a token of white space alone has an empty run.
        word_starts: ``(tokens,)`` whether a token is the first of its word.
    """

    ids: IntArray
    offsets: IntArray
    word_starts: BoolArray

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, part: slice) -> Tokens:
        return Tokens(self.ids[part], self.offsets[part], self.word_starts[part])


@dataclass(frozen=True, slots=True)
class Window:
    """A run of consecutive tokens of one document.

    Attributes:
        start, end: offsets ``[start, end)`` into the document's text, in code points.
        token_ids: ``(tokens,)``.
        token_offsets: ``(tokens, 2)`` start and end of each token, counted from ``start``.
        heading_ids: token ids of the line that says where the window stands, for a reader that
            reads it in front of the window; no part of any answer.
    """

    start: int
    end: int
    token_ids: IntArray
    token_offsets: IntArray
    heading_ids: IntArray = field(default_factory=lambda: np.empty(0, np.int32))

    @property
    def read_ids(self) -> IntArray:
        """Return all that is read of the window: the line above it, then its own tokens."""
        return np.concatenate([self.heading_ids, self.token_ids])


def plain_tokenizer(tokenizer: Tokenizer) -> Tokenizer:
    """A copy of a tokenizer that only tokenizes: no truncation, no padding, nothing special.

    Text that spells a special token (``[SEP]`` in a document about BERT) is tokenized as the
    ordinary text that it is; otherwise a document could end its own segment.
    """
    copy = Tokenizer.from_str(tokenizer.to_str())
    copy.no_truncation()
    copy.no_padding()
    copy.encode_special_tokens = True
    return copy


def tokenize(text: str, tokenizer: Tokenizer) -> Tokens:
    """Tokenize a text of any length, with offsets.

    A word with a soft hyphen in it is tokenized whole, as :func:`reading_text` has it; its offsets
    take in the soft hyphen and the line end.

    Args:
        text: the whole text.
        tokenizer: one from :func:`plain_tokenizer`.
    """
    ids: list[IntArray] = []
    offsets: list[IntArray] = []
    word_starts: list[BoolArray] = []
    for start, end in _pieces(text):
        piece = reading_text(text[start:end])
        encoding = tokenizer.encode(piece.translate(_READABLE), add_special_tokens=False)
        words = np.array([-1 if word is None else word for word in encoding.word_ids], np.int32)
        spans = np.array(encoding.offsets, np.int32).reshape(-1, 2)
        ids.append(np.array(encoding.ids, np.int32))
        offsets.append(_in_source(text[start:end], piece, _tight(piece, spans)) + start)
        word_starts.append(np.diff(words, prepend=-2) != 0)
    if not ids:
        return Tokens(np.empty(0, np.int32), np.empty((0, 2), np.int32), np.empty(0, np.bool_))
    return Tokens(np.concatenate(ids), np.concatenate(offsets), np.concatenate(word_starts))


def split(tokens: Tokens, settings: WindowSettings) -> Iterator[Window]:
    """Cut a document's tokens into overlapping windows.

    Args:
        tokens: from :func:`tokenize`.
        settings: size and overlap, in tokens.

    Yields:
        Windows in the order of the text. None where there are no tokens.
    """
    for start, end in ranges(tokens, settings):
        chosen = tokens[start:end]
        # Some tokenizers place an empty token outside the run of offsets: take the extremes.
        first, last = int(chosen.offsets[:, 0].min()), int(chosen.offsets[:, 1].max())
        yield Window(first, last, chosen.ids, chosen.offsets - first)


def ranges(tokens: Tokens, settings: WindowSettings) -> Iterator[tuple[int, int]]:
    """The windows of :func:`split` as ``[first, last)`` runs of tokens."""
    total = len(tokens)
    start = 0
    while start < total:
        end = _window_end(tokens.word_starts, start, total, settings)
        yield start, end
        if end == total:
            return
        target = end - settings.overlap
        start = _snap(tokens.word_starts, target, floor=max(start + 1, target - settings.size // 4))


def _window_end(word_starts: BoolArray, start: int, total: int, settings: WindowSettings) -> int:
    """Where the window that starts at ``start`` ends: the rest in equal parts, each <= size."""
    remaining = total - start
    if remaining <= settings.size:
        return total
    step = settings.size - settings.overlap
    windows = -(-(remaining - settings.overlap) // step)
    length = -(-(remaining + (windows - 1) * settings.overlap) // windows)
    # A quarter at most is given up for a word's sake, so that the next window (half of this one
    # may overlap, and a quarter be given up again) still starts further on.
    return _snap(word_starts, start + length, floor=start + length - length // 4 + 1)


def _snap(word_starts: BoolArray, position: int, floor: int) -> int:
    """The last start of a word in ``[floor, position]``, or ``position`` where there is none."""
    hits = np.flatnonzero(word_starts[floor : position + 1])
    return floor + int(hits[-1]) if len(hits) else position


def _tight(text: str, offsets: IntArray) -> IntArray:
    """Offsets without the white space that some tokenizers count to a token (``▁the``).

    A token of nothing but white space gets an empty run of offsets.
    """
    starts, ends = offsets[:, 0].copy(), offsets[:, 1].copy()
    blank = np.array([char.isspace() for char in text] + [False])
    while len(loose := np.flatnonzero(blank[starts] & (starts < ends))):
        starts[loose] += 1
    while len(loose := np.flatnonzero(blank[ends - 1] & (starts < ends))):
        ends[loose] -= 1
    return np.stack([starts, ends], axis=1)


def _in_source(source: str, read: str, offsets: IntArray) -> IntArray:
    """Offsets into a reading text as offsets into the text that it was made of."""
    if len(read) == len(source):
        return offsets
    kept = np.ones(len(source), np.bool_)
    for cut in SOFT_HYPHEN.finditer(source):
        kept[cut.start() : cut.end()] = False
    places = np.append(np.flatnonzero(kept), len(source)).astype(np.int32)
    starts, ends = offsets[:, 0], offsets[:, 1]
    # A run ends behind its last character, not in front of the next: what was left out may lie
    # between the two.
    past_last = places[np.maximum(ends, 1) - 1] + 1
    return np.stack([places[starts], np.where(starts < ends, past_last, places[starts])], axis=1)


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    while start < len(text):
        cut = _WHITE_SPACE.search(text, start + _PIECE_CHARS, start + 2 * _PIECE_CHARS)
        end = cut.start() if cut else min(start + 2 * _PIECE_CHARS, len(text))
        yield start, end
        start = end
