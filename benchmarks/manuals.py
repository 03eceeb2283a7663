"""Thirty questions on three real PDF manuals: the right answer, the right page, the time.

    apt-get download bash-doc r-doc-pdf debian-policy   # and unpack each with dpkg -x
    python benchmarks/manuals.py FOLDER

FOLDER holds the three PDFs that ``manuals.json`` names (unzipped). They are indexed in one run and
each question is asked of all three. An answer is right if it holds one of the expected strings (as
SQuAD's measures normalise them); every answer is checked to be a slice of its document and of its
page. Prints a JSON line a question, then a summary.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from docqa import Answer, DocQA
from docqa.evaluate.metrics import normalize
from docqa.index.store import Store


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--top-k", type=int, default=3)
    args = parser.parse_args()
    manuals = json.loads(Path(__file__).with_name("manuals.json").read_text(encoding="utf-8"))
    with TemporaryDirectory() as index:
        qa = DocQA(index)
        report = qa.index([args.folder / manual["file"] for manual in manuals["manuals"]])
        if report.failed:
            raise SystemExit(f"can't be read: {report.failed}")
        pages = sum(manual["pages"] for manual in manuals["manuals"])
        print(json.dumps({"pages": pages, "windows": report.windows, "seconds": report.seconds}))
        store = Store.open(Path(index))
        documents = {store.document(n).path: store.document(n) for n in store.document_ids()}
        qa.ask("Is this the first question?")  # loads the models
        rows = []
        for manual in manuals["manuals"]:
            for question in manual["questions"]:
                began = time.perf_counter()
                answers = qa.ask(question["question"], args.top_k)
                ms = 1000 * (time.perf_counter() - began)
                for answer in answers:
                    _check(answer, documents)
                row = _row(manual["file"], question, answers) | {"ms": round(ms, 1)}
                print(json.dumps(row, ensure_ascii=False), flush=True)
                rows.append(row)
        count = len(rows)
        times = sorted(row["ms"] for row in rows)
        summary = {name: sum(bool(row[name]) for row in rows) for name in _MEASURES}
        sure = [row["probability"] for row in rows if row["probability"] is not None]
        if sure:
            summary["mean_probability"] = round(sum(sure) / len(sure), 3)
        print(json.dumps({"questions": count, **summary, "median_ms": times[count // 2]}))


_MEASURES = ("right", "right_page", "right_among")


def _row(file: str, question: dict, answers: list[Answer]) -> dict:
    best = answers[0] if answers else None
    here = best is not None and Path(best.document).name == file
    return {
        "manual": file,
        "question": question["question"],
        "answer": best.text if best else None,
        "page": best.page if best else None,
        "pages": question["pages"],
        "probability": best.probability if best else None,
        "right": best is not None and _is_right(best, question),
        "right_page": here and best is not None and best.page in question["pages"],
        "right_among": any(_is_right(answer, question) for answer in answers),
    }


def _is_right(answer: Answer, question: dict) -> bool:
    return any(normalize(gold) in normalize(answer.text) for gold in question["answers"])


def _check(answer: Answer, documents: dict) -> None:
    """The promise: an answer is a slice of its document, and its page offsets hold."""
    document = documents[answer.document]
    page_start = document.page_starts[answer.page - 1]
    for start, end in (
        (answer.start, answer.end),
        (page_start + answer.page_start, page_start + answer.page_end),
    ):
        if document.slice(start, end) != answer.text:
            raise AssertionError(f"not the source's words: {answer}")


if __name__ == "__main__":
    main()
