"""Hard negatives: windows that share words with a question and do not answer it.

They are what BM25 puts first, without the answer's words in them (Karpukhin et al. 2020, section
3.2, "Training"). Searching by meaning too would take an embedding of every window first.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import astuple
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from docqa.index.files import replaced
from docqa.index.full_text import any_of, question_words
from docqa.index.schema import TOKENIZE
from docqa.ingest.windows import WindowSettings, ranges
from docqa.training.examples import Examples, TokenRange

# The windows looked at for each question.
_OFFERED = "select rowid, text from windows where windows match ? order by rank limit 10"
_TOLD = 100  # progress is told after so many questions

# ``(windows, 4)``: the example's number, the article, the first token and the one after the last.
_Windows = np.ndarray[tuple[int, int], np.dtype[np.int32]]


def hard_negatives(
    data: Examples,
    window: WindowSettings,
    kept: Path,
    progress: Callable[[int, int], None] | None = None,
) -> list[list[TokenRange]]:
    """Return for each example the windows offered for it that hold none of its answers' words.

    Args:
        window: size and overlap of the windows to search.
        kept: a file that keeps the windows for the next run. It is made anew where it is of other
            data or windows, or can't be read.
        progress: gets how many questions are done, of how many.
    """
    made_of = f"{data.fingerprint()} {window.size} {window.overlap}"
    found = _load(kept, made_of)
    if found is None:
        found = _mine(data, window, progress)
        with replaced(kept) as partial, partial.open("wb") as stream:
            np.savez_compressed(stream, windows=found, made_of=np.array(made_of))
    result: list[list[TokenRange]] = [[] for _ in data.examples]
    for number, article, first, last in found.tolist():
        result[number].append(TokenRange(article, first, last))
    return result


def _load(kept: Path, made_of: str) -> _Windows | None:
    """Return the windows of a file; None where it is missing, torn or of something else."""
    try:
        with np.load(kept, allow_pickle=False) as stored:
            return stored["windows"] if str(stored["made_of"]) == made_of else None
    except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile):
        return None


def _mine(
    data: Examples, window: WindowSettings, progress: Callable[[int, int], None] | None
) -> _Windows:
    found = []
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute(f"create virtual table windows using fts5(text, tokenize='{TOKENIZE}')")
        windows = [
            TokenRange(article, first, last)
            for article, tokens in enumerate(data.tokens)
            for first, last in ranges(tokens, window)
        ]
        db.executemany(
            "insert into windows (rowid, text) values (?, ?)",
            ((number, data.text(at)) for number, at in enumerate(windows)),
        )
        for example in data.examples:
            words = question_words(example.text)
            offered = db.execute(_OFFERED, [any_of(words)]) if words else ()
            for number, text in offered:
                if not any(answer in text for answer in example.answers):
                    found.append((example.number, *astuple(windows[number])))
            if progress is not None and example.number % _TOLD == 0:
                progress(example.number, len(data))
    if progress is not None:
        progress(len(data), len(data))
    return np.array(found, np.int32).reshape(-1, 4)
