"""Windows a second in reading: docqa against eager transformers and against Haystack's reader.

    python benchmarks/reader.py [DATA.json.gz] --questions 20
    python benchmarks/reader.py --shape bert-base --device cuda --window-size 370 --together 32

All read the same windows of the same texts for the same questions with the same weights, in turns.
docqa reads token ids, as an index keeps them; the others get the text. Eager transformers has
float32 and padding; Haystack's TransformersExtractiveReader is as it comes, in float32 (a row is
left out, with a word, where haystack-ai and transformers-haystack are not installed). ``of_matmul``
is the share of the fastest matrix product measured here in the reader's precision; ``span_search``
the time of finding the best spans, as a share of the forward pass. Prints a JSON line a row, then
a table.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from transformers import AutoConfig

from docqa.evaluate.squad import load_squad
from docqa.index.models.device import pick_device
from docqa.ingest.windows import WindowSettings, split, tokenize
from docqa.model.span_model import SpanModel
from docqa.ranking.reading import Job
from docqa.ranking.span_search import best_spans, top_spans
from docqa.settings import DEFAULT_READER

DOCS = Path(__file__).parent.parent / "docs"
SHAPES = {
    "bert-base": {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12},
    "bert-large": {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16},
}
MATMUL_SIZES = (1024, 2048, 4096)


@dataclass
class Asked:
    """A question and the windows to be read for it, as token ids and as text."""

    question: str
    job: Job
    texts: list[str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="?", help="a SQuAD file; docs/ if not given")
    parser.add_argument("--questions", type=int, default=10)
    parser.add_argument("--windows", type=int, default=10, help="read for each question")
    parser.add_argument("--window-size", type=int, default=WindowSettings().size)
    parser.add_argument("--together", type=int, default=1, help="questions in one call")
    parser.add_argument("--reader", default=DEFAULT_READER)
    parser.add_argument("--shape", choices=SHAPES, help="random weights of this shape instead")
    parser.add_argument("--device", default="auto")
    args = parser.parse_args()
    with TemporaryDirectory() as folder:
        name = random_reader(args.shape, Path(folder)) if args.shape else args.reader
        model = SpanModel(name, args.device)
        asked = questions(args, model)
        rows = compare(name, model, asked, args.together)
        config = AutoConfig.from_pretrained(name)
    rate = matmul_rate(model.device, model.dtype)
    count = sum(len(one.texts) for one in asked)
    work = sum(flops(config, one) for one in asked) / count
    mine = rows["docqa"]
    for kind, row in rows.items():
        row |= {"times_slower": round(mine["windows_per_second"] / row["windows_per_second"], 2)}
        row["gflops"] = round(row["windows_per_second"] * work / 1e9, 1)
        row["of_matmul"] = round(row["gflops"] * 1e9 / rate, 3)
        print(json.dumps({"reader": kind, **row}))
    about = {
        "device": model.device,
        "dtype": str(model.dtype).removeprefix("torch."),
        "matmul_gflops": round(rate / 1e9, 1),
        "tokens_per_window": round(sum(sum(rows_of(one)) for one in asked) / count),
        "span_search": round(span_search_share(model, asked[0]), 4),
    }
    print(json.dumps(about))
    table = Table("reader", *next(iter(rows.values())))
    for kind, row in rows.items():
        table.add_row(kind, *(str(value) for value in row.values()))
    Console(stderr=True).print(table)


def questions(args: argparse.Namespace, model: SpanModel) -> list[Asked]:
    """Questions, each with neighbouring windows of a text: the ones around its own paragraph."""
    settings = WindowSettings(args.window_size, args.window_size // 4)
    found: list[Asked] = []
    for text, asked in texts_with_questions(args.data):
        windows = list(split(tokenize(text, model.tokenizer), settings))
        if len(windows) < args.windows:
            continue
        for question, at in asked[:: max(1, len(asked) // 3)]:
            first = next((n for n, w in enumerate(windows) if w.start <= at < w.end), 0)
            first = min(max(first - args.windows // 2, 0), len(windows) - args.windows)
            chosen = windows[first : first + args.windows]
            ids = model.question_ids(question)
            texts = [text[window.start : window.end] for window in chosen]
            found.append(Asked(question, Job(ids, chosen), texts))
            if len(found) == args.questions:
                return found
    raise SystemExit(f"only {len(found)} questions: give a larger file, or fewer --questions")


def texts_with_questions(data: str | None) -> list[tuple[str, list[tuple[str, int]]]]:
    """Long texts, and for each questions with the place that they are about."""
    if data is not None:
        return [
            (
                article.text,
                [
                    (question.text, start)
                    for start, paragraph in zip(
                        article.paragraph_starts(), article.paragraphs, strict=True
                    )
                    for question in paragraph.questions
                ],
            )
            for article in load_squad(data)
        ]
    text = "\n\n".join(path.read_text("utf-8") for path in sorted(DOCS.glob("*.md")))
    every = range(0, len(text), max(1, len(text) // 30))
    return [(text, [("In which folder is the index stored by default?", at) for at in every])]


def compare(
    name: str, model: SpanModel, asked: Sequence[Asked], together: int
) -> dict[str, dict[str, Any]]:
    """Windows a second of each reader, each given the same work in turns."""
    readers: dict[str, Callable[[Sequence[Asked]], object]] = {
        "docqa": lambda part: read(model, part),
        "eager float32, padded": eager(name, model),
    }
    try:
        readers["Haystack float32"] = haystack(name)
    except ImportError as error:
        Console(stderr=True).print(f"no row for Haystack: {error}")
    seconds: dict[str, list[float]] = {kind: [] for kind in readers}
    parts = [asked[n : n + together] for n in range(0, len(asked), together)]
    for kind in readers:  # the first question is for warming up
        readers[kind](parts[0])
    for part in parts:
        for kind, run in readers.items():
            began = time.perf_counter()
            run(part)
            seconds[kind].append((time.perf_counter() - began) / len(part))
    windows = len(asked[0].texts)
    return {
        kind: {
            "windows_per_second": round(windows / statistics.median(each), 1),
            "ms_per_question": round(1000 * statistics.median(each), 1),
        }
        for kind, each in seconds.items()
    }


def read(model: SpanModel, part: Sequence[Asked]) -> object:
    """Logits and the best spans of every window, on this side of the device."""
    return [
        [column.cpu() for column in top_spans(read.start, read.end, read.allowed, 30, 3)]
        for read in model.logits([one.job for one in part])
    ]


def eager(name: str, model: SpanModel) -> Callable[[Sequence[Asked]], object]:
    """Plain transformers: text in, padded to the longest, eager attention, float32."""
    from transformers import AutoModelForQuestionAnswering, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(name)
    plain = AutoModelForQuestionAnswering.from_pretrained(
        name, dtype=torch.float32, attn_implementation="eager"
    )
    plain = plain.to(model.device).eval()

    @torch.inference_mode()
    def run(part: Sequence[Asked]) -> object:
        pairs = [(one.question, text) for one in part for text in one.texts]
        batch = tokenizer(
            [q for q, _ in pairs], [t for _, t in pairs], padding=True, return_tensors="pt"
        )
        output = plain(**batch.to(model.device))
        return output.start_logits.cpu(), output.end_logits.cpu()

    return run


def haystack(name: str) -> Callable[[Sequence[Asked]], object]:
    """Haystack's reader, as it comes, in float32."""
    from haystack import Document
    from haystack_integrations.components.readers.transformers import TransformersExtractiveReader

    reader = TransformersExtractiveReader(model=name, model_kwargs={"dtype": torch.float32})

    def run(part: Sequence[Asked]) -> object:
        return [
            reader.run(query=one.question, documents=[Document(content=t) for t in one.texts])
            for one in part
        ]

    return run


def random_reader(shape: str, folder: Path) -> str:
    """A BERT of a known shape with random weights and the default reader's tokenizer."""
    from transformers import AutoTokenizer, BertConfig, BertForQuestionAnswering

    tokenizer = AutoTokenizer.from_pretrained(DEFAULT_READER)
    sizes = SHAPES[shape]
    config = BertConfig(
        vocab_size=len(tokenizer), intermediate_size=4 * sizes["hidden_size"], **sizes
    )
    BertForQuestionAnswering(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


def rows_of(asked: Asked) -> list[int]:
    """The tokens of each of a question's rows, special ones too."""
    return [len(asked.job.question) + len(window.token_ids) + 3 for window in asked.job.windows]


def flops(config: Any, asked: Asked) -> float:
    """Floating-point operations of a question's rows, as they are without padding.

    Twice the weights of all products for each token, and 4 times the width for each pair of tokens
    in attention, a layer.
    """
    width, layers = config.hidden_size, config.num_hidden_layers
    weights = layers * (4 * width**2 + 2 * width * config.intermediate_size)
    return float(sum(2 * weights * row + 4 * width * layers * row**2 for row in rows_of(asked)))


def matmul_rate(device: str, dtype: torch.dtype) -> float:
    """The best rate of a square matrix product here, in operations a second."""
    best = 0.0
    for size in MATMUL_SIZES if device == "cpu" else (*MATMUL_SIZES, 8192):
        left, right = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
        left @ right
        for _ in range(5):
            synchronize(device)
            began = time.perf_counter()
            left @ right
            synchronize(device)
            best = max(best, 2 * size**3 / (time.perf_counter() - began))
    return best


def span_search_share(model: SpanModel, asked: Asked) -> float:
    """The time of the span search over that of the forward pass."""

    def seconds(run: Callable[[], object]) -> float:
        run()
        each = []
        for _ in range(5):
            synchronize(model.device)
            began = time.perf_counter()
            run()
            synchronize(model.device)
            each.append(time.perf_counter() - began)
        return statistics.median(each)

    [logits] = model.logits([asked.job])
    search = seconds(lambda: best_spans(logits.start, logits.end, logits.allowed, 30))
    return search / seconds(lambda: model.logits([asked.job]))


def synchronize(device: str) -> None:
    if pick_device(device).startswith("cuda"):
        torch.cuda.synchronize()


if __name__ == "__main__":
    main()
