"""`DocQAReader` against Haystack's own extractive reader, with the same model.

    pip install transformers-haystack    # where Haystack's reader lives since version 3
    python benchmarks/haystack_reader.py DATA.json.gz --limit 100

Both read the paragraph of each question, in float32, and give their best answer. Haystack's reader
runs twice: as it is, and with the segment ids that it leaves out, though BERT was trained with them
(Devlin et al. 2019, section 4.2). Prints a JSON line for each: how many best answers are the same
place, how many have the same score, and the F1 of both. Differences are listed on stderr.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
from functools import partial
from typing import Any

os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "False"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("--limit", type=int, default=100)
    parser.add_argument("--reader", help="a folder; docqa's own if not given")
    args = parser.parse_args()

    from haystack import Document
    from haystack_integrations.components.readers.transformers import TransformersExtractiveReader

    from docqa.adapters.haystack import DocQAReader
    from docqa.evaluate.squad import load_squad
    from docqa.settings import DEFAULT_READER

    asked = [
        (question.text, Document(content=paragraph.context), [text for text, _ in question.answers])
        for article in load_squad(args.data)
        for paragraph in article.paragraphs
        for question in paragraph.questions
        if question.answers
    ]
    random.Random(0).shuffle(asked)
    asked = asked[: args.limit]
    model = args.reader or DEFAULT_READER
    ours, seconds = _answers(DocQAReader(model, dtype="float32"), asked)
    for name in ("as it is", "with segment ids"):
        theirs = TransformersExtractiveReader(model, model_kwargs={"dtype": "float32"})
        theirs.warm_up()
        if name != "as it is":
            segments = partial(_with_segments, theirs.tokenizer.sep_token_id)
            theirs.model.register_forward_pre_hook(segments, with_kwargs=True)
        found, their_seconds = _answers(theirs, asked)
        _compare(name, asked, ours, found, {"docqa": seconds, "haystack": their_seconds})


def _answers(reader: Any, asked: list[Any]) -> tuple[list[Any], float]:
    """Each question's best answer, and the seconds that all took."""
    reader.warm_up()
    began = time.perf_counter()
    best = [
        reader.run(query=question, documents=[document], no_answer=False, top_k=1)["answers"][0]
        for question, document, _ in asked
    ]
    return best, round(time.perf_counter() - began, 2)


def _with_segments(
    separator: int, model: Any, args: Any, given: dict[str, Any]
) -> tuple[Any, dict[str, Any]]:
    """Give the model 0 up to the first SEP and 1 after it, as its tokenizer would."""
    separators = (given["input_ids"] == separator).int()
    if model.config.type_vocab_size > 1:
        after = separators.cumsum(1) - separators
        given["token_type_ids"] = (after > 0).long() * given["attention_mask"]
    return args, given


def _compare(
    name: str, asked: list[Any], ours: list[Any], theirs: list[Any], seconds: dict[str, float]
) -> None:
    from docqa.evaluate.metrics import best_over, f1

    def place(answer: Any) -> tuple[int, int]:
        return answer.document_offset.start, answer.document_offset.end

    rows = list(zip(asked, ours, theirs, strict=True))
    for (question, _, _), our, their in rows:
        if place(our) != place(their):
            said = {"question": question, "docqa": our.data, f"haystack {name}": their.data}
            print(json.dumps(said, ensure_ascii=False), file=sys.stderr)
    summary = {
        "haystack's reader": name,
        "questions": len(rows),
        "same_place": sum(place(our) == place(their) for _, our, their in rows),
        "same_score": sum(abs(our.score - their.score) < 1e-4 for _, our, their in rows),
        "f1_docqa": _mean([best_over(f1, our.data, gold) for (_, _, gold), our, _ in rows]),
        "f1_haystack": _mean([best_over(f1, their.data, gold) for (_, _, gold), _, their in rows]),
        "seconds": seconds,
    }
    print(json.dumps(summary), flush=True)


def _mean(values: list[float]) -> float:
    return round(100 * sum(values) / len(values), 2)


if __name__ == "__main__":
    main()
