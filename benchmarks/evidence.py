"""How often the sentences that docqa gives as evidence hold the answer that was marked.

    python benchmarks/evidence.py DATA.json.gz --limit 200

The articles of a SQuAD file become documents, and each question that has an answer is asked of all
of them. ``holds`` counts where the words of a marked answer stand in the sentence, ``place`` where
the sentence holds a marked answer at the very place where it was marked; ``words`` is the mean
number of words given; ``none`` the share of questions that get no answer. Prints a JSON line for
one sentence and for several.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from docqa import DocQA, EvidenceSentence
from docqa.evaluate.evaluation import write_articles
from docqa.evaluate.metrics import normalize
from docqa.evaluate.squad import load_squad, sampled
from docqa.settings import DEFAULT_READER

_TOGETHER = 32


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--sentences", type=int, default=3)
    parser.add_argument("--candidates", type=int, default=10)
    parser.add_argument("--reader", default=DEFAULT_READER)
    args = parser.parse_args()
    articles = load_squad(args.data)
    questions = [one for one in sampled(articles, args.limit) if one.question.answers]
    given: list[list[EvidenceSentence]] = []
    with TemporaryDirectory(prefix="docqa-evidence-") as scratch:
        paths = write_articles(articles, Path(scratch) / "articles")
        with DocQA(Path(scratch) / "index", reader=args.reader) as qa:
            qa.index([Path(scratch) / "articles"])
            for first in range(0, len(questions), _TOGETHER):
                batch = [one.question.text for one in questions[first : first + _TOGETHER]]
                results, _ = qa.results(batch, 1, args.candidates, (), args.sentences)
                given += [result.evidence for result in results]
    marked = [
        (
            str(paths[one.article]),
            [(text, one.start + start) for text, start in one.question.answers],
        )
        for one in questions
    ]
    for count in sorted({1, args.sentences}):
        held, placed, words = 0, 0, 0
        for sentences, (document, answers) in zip(given, marked, strict=True):
            shown = sentences[:count]
            held += any(holds(one, answers) for one in shown)
            placed += any(holds_in_place(one, document, answers) for one in shown)
            words += sum(len(one.text.split()) for one in shown)
        row = {
            "sentences": count,
            "questions": len(given),
            "holds": round(100 * held / len(given), 1),
            "place": round(100 * placed / len(given), 1),
            "words": round(words / len(given), 1),
            "none": round(100 * sum(not sentences for sentences in given) / len(given), 1),
        }
        print(json.dumps(row))


def holds(sentence: EvidenceSentence, answers: Sequence[tuple[str, int]]) -> bool:
    words = f" {normalize(sentence.text)} "
    return any(f" {normalize(text)} " in words for text, _ in answers)


def holds_in_place(
    sentence: EvidenceSentence, document: str, answers: Sequence[tuple[str, int]]
) -> bool:
    return sentence.document == document and any(
        sentence.start <= start and start + len(text) <= sentence.end for text, start in answers
    )


if __name__ == "__main__":
    main()
