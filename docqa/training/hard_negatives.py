"""Hard negatives: windows that docqa's own retriever offers for a question, without its answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import BadZipFile

import numpy as np

from docqa.evaluate.evaluation import write_articles
from docqa.evaluate.squad import Article, Paragraph
from docqa.index.files import replaced
from docqa.ingest.windows import WindowSettings
from docqa.qa import DocQA
from docqa.training.examples import Examples, TokenRange

# Windows looked at for each question, and questions looked up together.
_OFFERED = 10
_TOGETHER = 256

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
    with TemporaryDirectory(prefix="docqa-train-") as folder:
        articles = [
            Article(title, (Paragraph(text, ()),))
            for title, text in zip(data.titles, data.texts, strict=True)
        ]
        paths = write_articles(articles, Path(folder) / "articles")
        numbers = {str(path): number for number, path in enumerate(paths)}
        with DocQA(Path(folder) / "index", window=window) as qa:
            qa.index([Path(folder) / "articles"])
            for start in range(0, len(data), _TOGETHER):
                examples = data.examples[start : start + _TOGETHER]
                hits = qa.search_many([example.text for example in examples], _OFFERED)
                for example, offered in zip(examples, hits, strict=True):
                    for hit in offered:
                        text = hit.text.lower()
                        if not any(answer in text for answer in example.answers):
                            article = numbers[hit.document]
                            offsets = data.tokens[article].offsets
                            first = np.searchsorted(offsets[:, 1], hit.start, side="right")
                            last = np.searchsorted(offsets[:, 0], hit.end, side="left")
                            found.append((example.number, article, first, last))
                if progress is not None:
                    progress(start + len(examples), len(data))
    return np.array(found, np.int32).reshape(-1, 4)
