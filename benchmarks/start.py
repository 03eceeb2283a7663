"""How long commands take from nothing: docqa --help and a cold docqa ask, and what takes it.

    python benchmarks/start.py --times 5
    python benchmarks/start.py --times 5 --against ../docqa-before

Makes a small index and starts ``docqa --help`` and ``docqa ask`` as processes of their own, in
turns; with ``--against`` also those of another checkout of docqa, in the same turns. Prints the
medians, then what a process spends on importing, on loading index and models, and on the question,
and which libraries it imports, with their modules' share of the imports' time.

The files of the index and the libraries are in the system's cache by then.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

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
        document, index = folder / "lease.txt", str(folder / "index")
        document.write_text(TEXT * 20, encoding="utf-8")
        run(HERE, "-m", "docqa", "index", str(document), "--index", index)
        ask = ["-m", "docqa", "ask", QUESTION, "--index", index]
        commands = {"docqa --help": (HERE, ["-m", "docqa", "--help"]), "docqa ask": (HERE, ask)}
        if args.against:
            before = {
                f"{name}, {args.against.name}": (args.against, c[1]) for name, c in commands.items()
            }
            commands |= before
        seconds: dict[str, list[float]] = {command: [] for command in commands}
        parts: list[list[float]] = []
        for _ in range(args.times):
            for command, (checkout, arguments) in commands.items():
                began = time.perf_counter()
                run(checkout, *arguments)
                seconds[command].append(time.perf_counter() - began)
            parts.append(json.loads(run(HERE, "-c", PARTS, index, QUESTION)))
        imported = imports(run(HERE, "-X", "importtime", *ask, stderr=True))
    rows = {command: median(took) for command, took in seconds.items()}
    names = ("of it: imports", "of it: index and models", "of it: the question")
    rows |= {part: median(took) for part, took in zip(names, zip(*parts, strict=True), strict=True)}
    print("| | seconds |\n|---|---|")
    for command, took in rows.items():
        print(f"| {command} | {took:.2f} |")
    if args.against:
        ratio = rows["docqa ask"] / rows[f"docqa ask, {args.against.name}"]
        print(f"| docqa ask, as a share of {args.against.name}'s | {ratio:.2f} |")
    print("\n| imported | modules | share of the imports' time |\n|---|---|---|")
    for library, (modules, share) in imported.items():
        print(f"| {library} | {modules} | {share:.0%} |")
    for command, took in rows.items():
        print(json.dumps({"run": command, "seconds": round(took, 3)}))


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
