"""A long context through ``Reader`` called as a function: seconds against length.

    python benchmarks/long_text.py --tokens 10000 40000 160000 640000

The text is the manual of docqa, repeated. Time is told apart into the model's and all the rest
(tokens, windows, spans, words): the rest must grow as the text does. To see it at lengths at which
a real reader would take hours, ``--random`` puts a BERT of 2 layers and 32 dimensions with random
weights in the reader's place. Prints a row of a table for each length.
"""

from __future__ import annotations

import argparse
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from docqa import Reader
from docqa.ingest.windows import tokenize
from docqa.settings import DEFAULT_READER

DOCS = Path(__file__).parent.parent / "docs"
QUESTION = "How many windows does the reader get to read?"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--tokens", type=int, nargs="+", default=[10_000, 40_000, 160_000, 640_000, 2_560_000]
    )
    parser.add_argument("--reader", default=DEFAULT_READER)
    parser.add_argument("--random", action="store_true", help="a tiny model with random weights")
    args = parser.parse_args()
    with TemporaryDirectory() as folder:
        name = random_reader(Path(folder), args.reader) if args.random else args.reader
        reader = Reader(name)
        manual = "\n".join(page.read_text(encoding="utf-8") for page in sorted(DOCS.glob("*.md")))
        tokens = len(tokenize(manual, reader.model.tokenizer))
        reader(question=QUESTION, context=manual[:5000])  # warm
        model = Timed(reader.model.logits)
        reader.model.logits = model  # type: ignore[method-assign]
        print("| tokens | seconds | model | all else | all else, µs a token |")
        print("|---|---|---|---|---|")
        for wanted in args.tokens:
            text = (manual * (wanted // tokens + 1))[: wanted * len(manual) // tokens]
            model.seconds = 0.0
            began = time.perf_counter()
            reader(question=QUESTION, context=text, top_k=3)
            seconds = time.perf_counter() - began
            rest = seconds - model.seconds
            print(
                f"| {wanted:,} | {seconds:.2f} | {model.seconds:.2f} | {rest:.2f} "
                f"| {1e6 * rest / wanted:.1f} |",
                flush=True,
            )


class Timed:
    """A function that adds up the seconds spent in it."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self.seconds = 0.0

    def __call__(self, *arguments: Any) -> Any:
        began = time.perf_counter()
        try:
            return self._function(*arguments)
        finally:
            self.seconds += time.perf_counter() - began


def random_reader(folder: Path, reader: str) -> str:
    """Make a tiny BERT with random weights and a reader's tokenizer; return its folder."""
    import torch
    from transformers import BertConfig, BertForQuestionAnswering

    torch.manual_seed(0)
    config = BertConfig.from_pretrained(reader)
    for name, value in {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 64,
    }.items():
        setattr(config, name, value)
    BertForQuestionAnswering(config).save_pretrained(folder)
    for file in Path(reader).glob("tokenizer*"):
        shutil.copy(file, folder)
    return str(folder)


if __name__ == "__main__":
    main()
