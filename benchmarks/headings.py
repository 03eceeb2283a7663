"""What a document's title and the headings above a window give the search for it.

    python benchmarks/headings.py DATA.json.gz

Takes the articles of a SQuAD file that have Markdown headings (lines that begin with ``#``), makes
them documents with these headings as outlines, and asks their questions of all of them four times:
with the line of title and headings in front of what is embedded, of the words that BM25 sees, of
both, and of neither. A window counts if it holds an annotator's answer whole, where it was marked.
Prints a JSON line for each way.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from docqa.evaluate.squad import Article, load_squad
from docqa.index.models.embedder import load_embedder
from docqa.index.models.folders import DEFAULT_EMBEDDER
from docqa.index.schema import IndexSettings
from docqa.index.search import Searches, search
from docqa.index.store import Store, Vectors
from docqa.ingest.document import Document, Heading
from docqa.ingest.outline import heading_lines
from docqa.ingest.reading_text import reading_text
from docqa.ingest.windows import Window, WindowSettings, split, tokenize
from docqa.model.span_model import load_tokenizer
from docqa.settings import DEFAULT_READER

_HEADING = re.compile(r"^(#{1,6})\s+(\S.*?)[\s#]*$", re.MULTILINE)
_MARKUP = re.compile(r"<[^>]*>|[*_`]|\]\([^)]*\)|\[")
_COUNTED = (1, 3, 5, 10)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    args = parser.parse_args()
    articles = [article for article in load_squad(args.data) if _HEADING.search(article.text)]
    if not articles:
        raise SystemExit("no article has Markdown headings")
    tokenizer = load_tokenizer(DEFAULT_READER)
    embedder = load_embedder(DEFAULT_EMBEDDER)
    documents = [document(article) for article in articles]
    cut = [list(split(tokenize(one.text, tokenizer), WindowSettings())) for one in documents]
    vectors = {
        with_line: embedder.passages(
            [text for each in zip(documents, cut, strict=True) for text in texts(*each, with_line)]
        )
        for with_line in (False, True)
    }
    questions = list(asked(articles))
    found = embedder.questions([question for question, _, _ in questions])
    settings = IndexSettings(
        embedder.name, embedder.sha256, embedder.dimension, WindowSettings(), tokenizer.to_str()
    )
    for in_embedder in (False, True):
        for in_words in (False, True):
            with TemporaryDirectory() as folder:
                store = Store.create(Path(folder) / "index", settings)
                with store:
                    fill(store, documents, cut, vectors[in_embedder], in_words)
                    shares = recall(store, questions, found)
            row = {"in the embedder": in_embedder, "in the words": in_words, **shares}
            print(json.dumps({"questions": len(questions), **row}), flush=True)


def document(article: Article) -> Document:
    """An article as a document, its Markdown headings as outline."""
    outline = tuple(
        Heading(_MARKUP.sub("", found[2]).strip(), len(found[1]), found.start())
        for found in _HEADING.finditer(article.text)
    )
    path = f"/{article.title}.md"
    title = re.sub(r"[\W_]+", " ", article.title)
    return Document(path, "markdown", article.text, (), "", 0, 0, title=title, outline=outline)


def texts(one: Document, windows: Sequence[Window], with_line: bool) -> list[str]:
    """What the embedder gets of a document's windows."""
    lines = heading_lines(one, [window.start for window in windows])
    plain = [reading_text(one.text[window.start : window.end]) for window in windows]
    if not with_line:
        return plain
    return [f"{line}\n{text}" for line, text in zip(lines, plain, strict=True)]


def asked(articles: Sequence[Article]) -> list[tuple[str, str, list[tuple[int, int]]]]:
    """The answerable questions: their text, their document's path, where answers are marked."""
    return [
        (
            question.text,
            f"/{article.title}.md",
            [(start + at, start + at + len(text)) for text, at in question.answers],
        )
        for article in articles
        for start, paragraph in zip(article.paragraph_starts(), article.paragraphs, strict=True)
        for question in paragraph.questions
        if question.answers
    ]


def fill(
    store: Store,
    documents: Sequence[Document],
    cut: Sequence[Sequence[Window]],
    vectors: Vectors,
    in_words: bool,
) -> None:
    first = 0
    for one, windows in zip(documents, cut, strict=True):
        store.put(one, windows, vectors[first : first + len(windows)])
        first += len(windows)
    if not in_words:
        store.db.execute("update windows set heading_line = ''")


def recall(
    store: Store, questions: Sequence[tuple[str, str, list[tuple[int, int]]]], vectors: Vectors
) -> dict[str, float]:
    """The share of questions of which an answer is in the first windows found, in per cent."""
    with store.snapshot():
        hits = search(
            store, Searches.load(store), [text for text, _, _ in questions], vectors, max(_COUNTED)
        )
    holds = [
        [
            hit.document == path and any(hit.start <= a and b <= hit.end for a, b in marked)
            for hit in row
        ]
        for (_, path, marked), row in zip(questions, hits, strict=True)
    ]
    return {
        f"recall@{k}": round(100 * sum(any(row[:k]) for row in holds) / len(holds), 1)
        for k in _COUNTED
    }


if __name__ == "__main__":
    main()
