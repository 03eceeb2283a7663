"""`Reader.__call__` against the question-answering pipeline that it replaces.

    python -m venv /tmp/old && /tmp/old/bin/pip install torch "transformers==4.57.*"
    python benchmarks/pipeline_parity.py DATA.json.gz --old /tmp/old/bin/python

Asks the same questions of the same model in both, in float32, with several sets of arguments, and
prints a JSON line each: how many best answers are the same place, how many whole results, the
greatest difference of a best score, and the F1 of both. Differences are listed on stderr.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

SETTINGS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "top_k=3": {"top_k": 3},
    "handle_impossible_answer": {"handle_impossible_answer": True},
    "align_to_words=False, top_k=3": {"align_to_words": False, "top_k": 3},
    "max_seq_len=128, doc_stride=32": {"max_seq_len": 128, "doc_stride": 32},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("--old", required=True, help="a Python that has transformers 4.57")
    parser.add_argument("--limit", type=int, default=300)
    parser.add_argument("--reader")
    args = parser.parse_args()

    from docqa import Reader
    from docqa.evaluate.squad import load_squad
    from docqa.settings import DEFAULT_READER

    asked = [
        {"question": q.text, "context": p.context, "gold": [text for text, _ in q.answers]}
        for article in load_squad(args.data)
        for p in article.paragraphs
        for q in p.questions
    ]
    random.Random(0).shuffle(asked)
    asked = asked[: args.limit]
    model = args.reader or DEFAULT_READER
    reader = Reader(model, dtype="float32")
    for name, settings in SETTINGS.items():
        old = _old(args.old, model, asked, settings)
        _compare(name, asked, [_ask(reader, one, settings) for one in asked], old)


def _ask(asker: Any, one: dict[str, Any], settings: dict[str, Any]) -> list[dict[str, Any]]:
    result = asker(question=one["question"], context=one["context"], **settings)
    return result if isinstance(result, list) else [result]


def _compare(
    name: str,
    asked: list[dict[str, Any]],
    ours: list[list[dict[str, Any]]],
    theirs: list[list[dict[str, Any]]],
) -> None:
    from docqa.evaluate.metrics import best_over, f1

    def place(answer: dict[str, Any]) -> tuple[int, int]:
        return answer["start"], answer["end"]

    rows = list(zip(asked, ours, theirs, strict=True))
    for one, our, their in rows:
        if place(our[0]) != place(their[0]):
            said = {"question": one["question"], "docqa": our[0], "pipeline": their[0]}
            print(json.dumps(said), file=sys.stderr)
    summary = {
        "settings": name,
        "questions": len(rows),
        "same_best": sum(place(our[0]) == place(their[0]) for _, our, their in rows),
        "same_results": sum(
            list(map(place, our)) == list(map(place, their)) for _, our, their in rows
        ),
        "same_scores": sum(abs(o[0]["score"] - t[0]["score"]) < 1e-4 for _, o, t in rows),
        "f1_docqa": sum(best_over(f1, o[0]["answer"], one["gold"]) for one, o, _ in rows),
        "f1_pipeline": sum(best_over(f1, t[0]["answer"], one["gold"]) for one, _, t in rows),
    }
    for key in ("f1_docqa", "f1_pipeline"):
        summary[key] = round(100 * summary[key] / len(rows), 2)
    print(json.dumps(summary), flush=True)


def _old(
    python: str, model: str, asked: list[dict[str, Any]], settings: dict[str, Any]
) -> list[list[dict[str, Any]]]:
    """The pipeline's results, from a Python of its own."""
    with TemporaryDirectory() as folder:
        job, out = Path(folder) / "job.json", Path(folder) / "out.json"
        job.write_text(json.dumps({"model": model, "asked": asked, "settings": settings}))
        subprocess.run([python, "-c", _IN_OLD, str(job), str(out)], check=True)
        results: list[list[dict[str, Any]]] = json.loads(out.read_text())
        return results


_IN_OLD = """
import json, sys
import torch
from transformers import pipeline
job = json.load(open(sys.argv[1]))
old = pipeline("question-answering", model=job["model"], device="cpu", dtype=torch.float32)
results = []
for one in job["asked"]:
    result = old(question=one["question"], context=one["context"], **job["settings"])
    results.append(result if isinstance(result, list) else [result])
json.dump(results, open(sys.argv[2], "w"))
"""


if __name__ == "__main__":
    main()
