"""Indexing against embedding alone, and the memory it takes by pages.

    python benchmarks/indexing.py                                 a few made-up files
    python benchmarks/indexing.py FOLDER                          the files of a folder
    python benchmarks/indexing.py --pages 1000 20000 --no-speed   memory alone

Speed: the files are indexed with docqa and the default embedder, and then the windows that came out
of it go through ``encode`` of sentence-transformers alone, as it comes, in the same precision. Both
with the embedder loaded and warm. The share is docqa's windows a second among encode's.

Memory: for each number of pages a folder of made-up files of 20 pages is indexed by a process of
its own, with a random BERT of one layer and 32 dimensions as the embedder (the default one would
take hours), while the resident memory of the process and its workers is added up. Memory that they
share counts more than once.

Prints a JSON line for each row, and the tables.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

PAGES_A_FILE = 20
WORDS_A_PAGE = 350
MB = 1024 * 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, help="of files; made-up ones if not given")
    parser.add_argument("--pages", type=int, nargs="+", default=[100, 400], help="for memory")
    parser.add_argument("--no-speed", action="store_true")
    parser.add_argument("--child", type=Path, nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        _index_with(*args.child)
        return
    with TemporaryDirectory(prefix="docqa-index-") as name:
        scratch = Path(name)
        if not args.no_speed:
            speed(args.folder or made_up(scratch / "few", 40), scratch)
        memory(args.pages, scratch)


def speed(folder: Path, scratch: Path) -> None:
    from sentence_transformers import SentenceTransformer

    from docqa import DocQA
    from docqa.index.models.device import pick_device, pick_dtype
    from docqa.index.models.folders import DEFAULT_EMBEDDER, embedder_folder
    from docqa.index.store import Store

    place = pick_device()
    encoder = SentenceTransformer(
        str(embedder_folder(DEFAULT_EMBEDDER)[0]),
        device=place,
        model_kwargs={"dtype": pick_dtype("auto", place)},
    )
    qa = DocQA(scratch / "index")
    empty = scratch / "empty"
    empty.mkdir()
    qa.index([empty])  # loads the embedder
    warm = ["Some words to warm up with."] * 64
    encoder.encode_document(warm)
    with qa._opened.snapshot() as (store, _):
        qa._opened.embedder(store).passages(warm)
    report = qa.index([folder])
    store = Store.open(scratch / "index")
    windows = [w for n in store.document_ids() for w in store.document_windows(n)]
    tokens = sum(len(w.window.token_ids) for w in windows)
    pages = sum(max(1, len(store.document(n).page_starts)) for n in store.document_ids())
    began = time.perf_counter()
    encoder.encode_document([w.text for w in windows], show_progress_bar=False)
    seconds = {"docqa index": report.seconds, "encode alone": time.perf_counter() - began}
    print("| | seconds | windows a second | tokens a second | pages a second | share |")
    print("|---|---|---|---|---|---|")
    rows = []
    for name, took in seconds.items():
        row = {
            "run": name,
            "seconds": round(took, 2),
            "windows_per_second": round(len(windows) / took, 1),
            "tokens_per_second": round(tokens / took),
            "pages_per_second": round(pages / took, 2),
            "share": round(seconds["encode alone"] / took, 3),
        }
        rows.append(row)
        print("| " + " | ".join(str(value) for value in row.values()) + " |")
    print_rows(rows)


def memory(counts: list[int], scratch: Path) -> None:
    embedder = tiny_embedder(scratch / "embedder")
    print("| pages | windows | seconds | peak memory, MB |\n|---|---|---|---|")
    rows = []
    for pages in counts:
        folder = made_up(scratch / f"{pages}", pages)
        command = [sys.executable, __file__, "--child", str(embedder), str(folder)]
        process = subprocess.Popen(command, cwd=scratch, stdout=subprocess.PIPE, text=True)
        peak = 0
        while process.poll() is None:
            peak = max(peak, sum(resident(pid) for pid in family(process.pid)))
            time.sleep(0.05)
        assert process.stdout is not None
        report = json.loads(process.stdout.read())
        row = {"pages": pages, **report, "peak_mb": round(peak / MB)}
        rows.append(row)
        print("| " + " | ".join(str(value) for value in row.values()) + " |", flush=True)
    print_rows(rows)


def _index_with(embedder: Path, folder: Path) -> None:
    """What the process does whose memory is measured."""
    from docqa import DocQA

    with TemporaryDirectory(prefix="docqa-index-") as index:
        report = DocQA(index, embedder=str(embedder)).index([folder])
    print(json.dumps({"windows": report.windows, "seconds": round(report.seconds, 1)}))


def print_rows(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        print(json.dumps(row))


def family(pid: int) -> list[int]:
    """A process and its children, theirs too."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = task.read_text().split()
        except OSError:
            continue
        for child in children:
            found += family(int(child))
    return found


def resident(pid: int) -> int:
    """Bytes of a process in memory; 0 where it has ended."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def made_up(folder: Path, pages: int) -> Path:
    """A folder of text files with so many pages, of words as common as a language's."""
    folder.mkdir()
    chance = random.Random(0)
    syllables = [a + b for a in "bdfgklmnprst" for b in "aeiou"]
    words = ["".join(chance.choices(syllables, k=chance.randint(1, 4))) for _ in range(20_000)]
    weights = [1 / (rank + 10) for rank in range(len(words))]
    for first in range(0, pages, PAGES_A_FILE):
        text = [
            " ".join(chance.choices(words, weights, k=WORDS_A_PAGE)) + "."
            for _ in range(min(PAGES_A_FILE, pages - first))
        ]
        (folder / f"{first:06}.txt").write_text("\f".join(text), encoding="utf-8")
    return folder


def tiny_embedder(folder: Path) -> Path:
    """A random BERT that embeds, with the tokenizer of docqa's reader."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Pooling, Transformer
    from transformers import AutoTokenizer, BertConfig, BertModel

    from docqa.settings import DEFAULT_READER

    torch.manual_seed(0)
    bert = folder.with_name("bert")
    tokenizer = AutoTokenizer.from_pretrained(DEFAULT_READER)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=1,
        intermediate_size=32,
    )
    BertModel(config).save_pretrained(bert)
    tokenizer.save_pretrained(bert)
    layers = Transformer(str(bert), max_seq_length=256)
    SentenceTransformer(modules=[layers, Pooling(32)]).save(str(folder))
    return folder


if __name__ == "__main__":
    main()
