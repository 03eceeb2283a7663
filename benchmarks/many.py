"""Many questions at once: questions a second, where the time goes, and how busy a GPU is.

    python benchmarks/many.py                                      headings of docs/ as questions
    python benchmarks/many.py DATA.json.gz --questions 1000

Each article of a SQuAD file is one long document; all questions go into one ``ask_many``, with all
their candidates read. ``read`` is the reader's share of the time, ``retrieve`` that of the searches
and of embedding the questions. On CUDA ``busy`` is the share of the time in which a kernel runs.
Prints a JSON line.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections.abc import Sequence
from contextlib import closing, nullcontext
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile

from docqa import AnswerSettings, DocQA
from docqa.evaluate.evaluation import write_articles
from docqa.evaluate.squad import load_squad, sampled
from docqa.settings import DEFAULT_READER

DOCS = Path(__file__).parent.parent / "docs"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="?")
    parser.add_argument("--questions", type=int, default=64)
    parser.add_argument("--candidates", type=int, default=10)
    parser.add_argument("--reader", default=DEFAULT_READER)
    parser.add_argument("--device", default="auto")
    args = parser.parse_args()
    settings = AnswerSettings.of_reader(Path(args.reader))
    with TemporaryDirectory() as folder:
        if args.data:
            articles = load_squad(args.data)
            questions = [one.question.text for one in sampled(articles, args.questions)]
            documents = Path(folder) / "articles"
            write_articles(articles, documents)
        else:
            questions = list(islice(cycle(headings()), args.questions))
            documents = DOCS
        with closing(
            DocQA(
                Path(folder) / "index",
                reader=args.reader,
                device=args.device,
                settings=replace(settings, stop_margin=float("inf")),
            )
        ) as qa:
            qa.index([documents])
            qa.ask_many(questions[:16], candidates=args.candidates)  # for warming up
            print(json.dumps(asked(qa, questions, args.candidates)))


def headings() -> list[str]:
    """What the manual's headings are about, as questions."""
    return [
        f"What is {heading.lower()}?"
        for path in sorted(DOCS.glob("*.md"))
        for heading in re.findall(r"^##+ (.+)$", path.read_text("utf-8"), flags=re.MULTILINE)
    ]


def asked(qa: DocQA, questions: Sequence[str], candidates: int) -> dict[str, Any]:
    cuda = qa.model.device.startswith("cuda")
    began = time.perf_counter()
    with profile(activities=[ProfilerActivity.CUDA]) if cuda else nullcontext() as profiled:
        results, timings = qa.results(questions, candidates=candidates)
        if cuda:
            torch.cuda.synchronize()
    seconds = time.perf_counter() - began
    row: dict[str, Any] = {
        "device": qa.model.device,
        "questions": len(questions),
        "windows": sum(result.windows_read for result in results),
        "seconds": round(timings.total, 3),
        "questions_per_second": round(len(questions) / timings.total, 1),
        "retrieve": round(timings.retrieve / timings.total, 3),
        "read": round(timings.read / timings.total, 3),
    }
    if cuda:
        spans = [
            (event.time_range.start / 1e6, event.time_range.end / 1e6)
            for event in profiled.events()
            if event.device_type == DeviceType.CUDA
        ]
        row["busy"] = round(covered(spans) / seconds, 3)
    return row


def covered(spans: Sequence[tuple[float, float]]) -> float:
    """How much of a line lies under at least one of some spans."""
    total, until = 0.0, float("-inf")
    for start, end in sorted(spans):
        total += max(0.0, end - max(start, until))
        until = max(until, end)
    return total


if __name__ == "__main__":
    main()
