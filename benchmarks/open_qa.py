"""Whole documents, end to end: docqa against a Haystack pipeline.

    python benchmarks/open_qa.py DATA.json.gz --limit 200

Each article of a SQuAD file is one long document, cut into docqa's windows; both ask the same
questions of the same windows with the same embedder, the same reader's weights and as many
candidates. The pipeline is Haystack's own parts as they come: BM25 and embedding retrievers over an
in-memory store, joined by reciprocal rank fusion, then TransformersExtractiveReader, in float32
(needs haystack-ai, transformers-haystack and sentence-transformers-haystack). Questions are asked
one by one, in turns. Prints a JSON line a row, then a table.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from docqa import AnswerSettings, DocQA
from docqa.evaluate.evaluation import write_articles
from docqa.evaluate.metrics import best_over, exact_match, f1
from docqa.evaluate.squad import load_squad, sampled
from docqa.index.models.folders import DEFAULT_EMBEDDER, embedder_folder
from docqa.index.store import Store
from docqa.settings import DEFAULT_READER


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("--limit", type=int, default=200)
    parser.add_argument("--candidates", type=int, default=10)
    parser.add_argument("--reader", default=DEFAULT_READER)
    args = parser.parse_args()
    articles = load_squad(args.data)
    asked = [one.question for one in sampled(articles, args.limit)]
    with TemporaryDirectory() as folder:
        index = Path(folder) / "index"
        write_articles(articles, Path(folder) / "articles")
        settings = AnswerSettings.of_reader(Path(args.reader))
        everything = replace(settings, stop_margin=float("inf"))
        with (
            closing(DocQA(index, reader=args.reader)) as qa,
            closing(DocQA(index, reader=args.reader, settings=everything)) as exhaustive,
        ):
            qa.index([Path(folder) / "articles"])
            ways = {
                "docqa": docqa(qa, args.candidates),
                "docqa, exhaustive": docqa(exhaustive, args.candidates),
            }
            try:
                ways["Haystack"] = haystack(index, args.candidates, args.reader)
            except ImportError as error:
                Console(stderr=True).print(f"no row for Haystack: {error}")
            rows = compare(ways, asked)
    first = rows["docqa"]["ms_median"]
    for way, row in rows.items():
        row["times_docqa"] = round(row["ms_median"] / first, 2)
        print(json.dumps({"way": way, "questions": len(asked), **row}))
    table = Table("way", *next(iter(rows.values())))
    for way, row in rows.items():
        table.add_row(way, *(str(value) for value in row.values()))
    Console(stderr=True).print(table)


def docqa(qa: DocQA, candidates: int) -> Callable[[str], str]:
    """The first answer's text, or none."""

    def ask(question: str) -> str:
        answers = qa.ask(question, 1, candidates)
        return answers[0].text if answers else ""

    return ask


def haystack(index: Path, candidates: int, reader: str = DEFAULT_READER) -> Callable[[str], str]:
    """A pipeline over the windows and vectors of an index."""
    from haystack import Document, Pipeline
    from haystack.components.joiners import DocumentJoiner
    from haystack.components.retrievers.in_memory import (
        InMemoryBM25Retriever,
        InMemoryEmbeddingRetriever,
    )
    from haystack.document_stores.in_memory import InMemoryDocumentStore
    from haystack_integrations.components.embedders.sentence_transformers import (
        SentenceTransformersTextEmbedder,
    )
    from haystack_integrations.components.readers.transformers import TransformersExtractiveReader

    documents = InMemoryDocumentStore(embedding_similarity_function="cosine")
    with closing(Store.open(index)) as store, store.snapshot():
        ids = store.window_ids()
        vectors = store.vectors(ids)
        documents.write_documents(
            [
                Document(content=hit.text, embedding=vector.tolist(), meta={"window": hit.id})
                for hit, vector in zip(
                    store.hits(ids.tolist(), [0.0] * len(ids), [0.0] * len(ids)),
                    vectors,
                    strict=True,
                )
            ]
        )
    pipeline = Pipeline()
    folder, _ = embedder_folder(DEFAULT_EMBEDDER)
    parts: dict[str, Any] = {
        "embedder": SentenceTransformersTextEmbedder(model=str(folder), progress_bar=False),
        "dense": InMemoryEmbeddingRetriever(documents, top_k=candidates),
        "bm25": InMemoryBM25Retriever(documents, top_k=candidates),
        "joiner": DocumentJoiner("reciprocal_rank_fusion", top_k=candidates),
        "reader": TransformersExtractiveReader(
            model=reader,
            top_k=1,
            no_answer=False,
            model_kwargs={"dtype": torch.float32},
        ),
    }
    for name, part in parts.items():
        pipeline.add_component(name, part)
    pipeline.connect("embedder.embedding", "dense.query_embedding")
    pipeline.connect("dense", "joiner")
    pipeline.connect("bm25", "joiner")
    pipeline.connect("joiner", "reader")

    def ask(question: str) -> str:
        given = {
            "embedder": {"text": question},
            "bm25": {"query": question},
            "reader": {"query": question},
        }
        answers = pipeline.run(given)["reader"]["answers"]
        return (answers[0].data or "") if answers else ""

    return ask


def compare(ways: dict[str, Callable[[str], str]], asked: list[Any]) -> dict[str, dict[str, Any]]:
    """EM, F1 and milliseconds a question of each way, in turns."""
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    measures = {way: np.zeros(2) for way in ways}
    for ask in ways.values():  # loads what is to be loaded
        ask(asked[0].text)
    for question in asked:
        golds = [gold for gold, _ in question.answers]
        for way, ask in ways.items():
            began = time.perf_counter()
            answer = ask(question.text)
            seconds[way].append(time.perf_counter() - began)
            measures[way] += [best_over(exact_match, answer, golds), best_over(f1, answer, golds)]
    return {
        way: {
            "em": round(100 * float(measures[way][0]) / len(asked), 1),
            "f1": round(100 * float(measures[way][1]) / len(asked), 1),
            "ms_median": round(1000 * statistics.median(each), 1),
            "ms_p95": round(1000 * float(np.quantile(each, 0.95)), 1),
        }
        for way, each in seconds.items()
    }


if __name__ == "__main__":
    main()
