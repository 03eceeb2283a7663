"""How long commands take from nothing: docqa --help and a cold docqa ask, and what takes it.

    python benchmarks/start.py --times 5

Makes a small index and starts ``docqa --help`` and ``docqa ask`` as processes of their own, in
turns; beside them ``docqa ask`` as it would be with the models' libraries imported whole
(``docqa.cli.start``). Prints the medians. Then what one such process spends on importing, on
loading index and models, and on the question, the median of as many runs.

The files of the index and the libraries are in the system's cache by then.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

TEXT = "The lease begins on 1 March 2019. Only the managing director, Ada Holloway, may sign it.\n"
QUESTION = "Who may sign?"
WHOLE = """
import gc, os, sys
gc.set_threshold(200_000, 50, 100)
from docqa.cli import run
code = run(sys.argv[1:])
sys.stdout.flush()
os._exit(code)
"""
PARTS = """
import json, sys, time
times = [time.perf_counter()]
import gc
gc.set_threshold(200_000, 50, 100)
import click
from docqa.cli.start import load_lean
def load():
    import torch, faiss
    import docqa.ranking.rank, docqa.model.span_model
    import docqa.index.search, docqa.index.models.embedder
    from docqa import DocQA
    from transformers import AutoModelForQuestionAnswering, AutoTokenizer, BertForQuestionAnswering
    from sentence_transformers import SentenceTransformer
    times.append(time.perf_counter())
    qa = DocQA(sys.argv[1])
    qa.load()
    times.append(time.perf_counter())
    return qa
with click.Context(click.Command("ask"), obj=True):
    qa = load_lean(load)
qa.ask(sys.argv[2])
times.append(time.perf_counter())
print(json.dumps([after - before for before, after in zip(times, times[1:])]))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=3)
    args = parser.parse_args()
    with TemporaryDirectory(prefix="docqa-start-") as name:
        folder = Path(name)
        document, index = folder / "lease.txt", str(folder / "index")
        document.write_text(TEXT * 20, encoding="utf-8")
        ask = ["ask", QUESTION, "--index", index]
        run("-m", "docqa", "index", str(document), "--index", index)
        commands = {
            "docqa --help": ["-m", "docqa", "--help"],
            "docqa ask": ["-m", "docqa", *ask],
            "docqa ask, libraries imported whole": ["-c", WHOLE, *ask],
        }
        seconds: dict[str, list[float]] = {command: [] for command in commands}
        parts: list[list[float]] = []
        for _ in range(args.times):
            for command, arguments in commands.items():
                began = time.perf_counter()
                run(*arguments)
                seconds[command].append(time.perf_counter() - began)
            parts.append(json.loads(run("-c", PARTS, index, QUESTION)))
    rows = {command: median(took) for command, took in seconds.items()}
    names = ("of it: imports", "of it: index and models", "of it: the question")
    rows |= {part: median(took) for part, took in zip(names, zip(*parts, strict=True), strict=True)}
    print("| | seconds |\n|---|---|")
    for command, took in rows.items():
        print(f"| {command} | {took:.2f} |")
    for command, took in rows.items():
        print(json.dumps({"run": command, "seconds": round(took, 3)}))


def run(*arguments: str) -> str:
    # As installed: an installer compiles what it installs.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, env=environment, check=True, capture_output=True, text=True
    ).stdout


if __name__ == "__main__":
    main()
