"""How long commands take from nothing: docqa --help and a cold docqa ask, and what takes it.

    python benchmarks/start.py --times 5
    python benchmarks/start.py --times 5 --against ../docqa-before

Makes a small index and starts ``docqa --help`` and ``docqa ask`` as processes of their own, in
turns; with ``--against`` also those of another checkout of docqa, in the same turns. Prints the
medians, then what a process spends on importing, on loading index and models, and on the question,
and which libraries it imports, with their modules' share of the imports' time. Processor seconds
beside the seconds on the clock say what a busy machine hides.

The files of the index and the libraries are in the system's cache by then.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

HERE = Path(__file__).parent.parent
TEXT = "The lease begins on 1 March 2019. Only the managing director, Ada Holloway, may sign it.\n"
QUESTION = "Who may sign?"
PARTS = """
import json, sys, time
times = [time.perf_counter()]
import gc
gc.set_threshold(200_000, 50, 100)
import torch, faiss
import docqa.ranking.rank, docqa.model.span_model
import docqa.index.search, docqa.index.models.embedder, docqa.index.models.sentence_encoder
from docqa import DocQA
times.append(time.perf_counter())
qa = DocQA(sys.argv[1])
qa.load()
times.append(time.perf_counter())
qa.ask(sys.argv[2])
times.append(time.perf_counter())
print(json.dumps([after - before for before, after in zip(times, times[1:])]))
"""
_IMPORTED = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s+([\w.]+)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--against", type=Path, help="another checkout of docqa")
    args = parser.parse_args()
    with TemporaryDirectory(prefix="docqa-start-") as name:
        folder = Path(name)
        document = folder / "lease.txt"
        document.write_text(TEXT * 20, encoding="utf-8")
        commands: dict[str, tuple[Path, list[str]]] = {}
        for checkout in filter(None, (HERE, args.against)):
            # Each its own index: the form of the index may have changed between the two.
            own = str(folder / f"index-{len(commands)}")
            run(checkout, "-m", "docqa", "index", str(document), "--index", own)
            of = "" if checkout == HERE else f", {checkout.name}"
            commands["docqa --help" + of] = (checkout, ["-m", "docqa", "--help"])
            commands["docqa ask" + of] = (
                checkout,
                ["-m", "docqa", "ask", QUESTION, "--index", own],
            )
        ask = commands["docqa ask"][1]
        index = ask[-1]
        seconds: dict[str, list[float]] = {command: [] for command in commands}
        processor: dict[str, list[float]] = {command: [] for command in commands}
        parts: list[list[float]] = []
        for _ in range(args.times):
            for command, (checkout, arguments) in commands.items():
                began, spent = time.perf_counter(), children()
                run(checkout, *arguments)
                seconds[command].append(time.perf_counter() - began)
                processor[command].append(children() - spent)
            parts.append(json.loads(run(HERE, "-c", PARTS, index, QUESTION)))
        imported = imports(run(HERE, "-X", "importtime", *ask, stderr=True))
    names = ("of it: imports", "of it: index and models", "of it: the question")
    seconds |= {
        name: list(took) for name, took in zip(names, zip(*parts, strict=True), strict=True)
    }
    rows: list[dict[str, Any]] = [
        {"run": name, "seconds": median(took)}
        | ({"processor_seconds": median(processor[name])} if name in processor else {})
        for name, took in seconds.items()
    ]
    if args.against:
        now, before = rows[1], rows[3]
        rows.append(
            {"run": f"docqa ask, as a share of {args.against.name}'s"}
            | {name: now[name] / before[name] for name in ("seconds", "processor_seconds")}
        )
    print("| | seconds | processor seconds |\n|---|---|---|")
    for row in rows:
        numbers = [row.get(name) for name in ("seconds", "processor_seconds")]
        print(" | ".join([f"| {row['run']}", *(f"{n:.2f}" if n else "" for n in numbers)]), "|")
    print("\n| imported | modules | share of the imports' time |\n|---|---|---|")
    for library, (modules, share) in imported.items():
        print(f"| {library} | {modules} | {share:.0%} |")
    for row in rows:
        print(json.dumps({n: v if n == "run" else round(v, 3) for n, v in row.items()}))


def children() -> float:
    """Return the processor seconds of all processes that were started and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def imports(report: str) -> dict[str, tuple[int, float]]:
    """Return each library's number of modules and share of time, from what ``-X importtime`` says.

    Libraries below a hundredth of the time are left out.
    """
    modules: Counter[str] = Counter()
    spent: Counter[str] = Counter()
    for microseconds, module in _IMPORTED.findall(report):
        library = module.partition(".")[0]
        if library in sys.stdlib_module_names:
            library = "Python's own"
        modules[library] += 1
        spent[library] += int(microseconds)
    total = spent.total()
    return {
        library: (modules[library], one / total)
        for library, one in spent.most_common()
        if one / total >= 0.01
    }


def run(checkout: Path, *arguments: str, stderr: bool = False) -> str:
    """Run this Python on a checkout and return what it prints."""
    # As installed: an installer compiles what it installs.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=checkout,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stderr if stderr else done.stdout


if __name__ == "__main__":
    main()
