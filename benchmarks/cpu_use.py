"""CPU seconds a question, under settings of the threads that torch computes with.

Threads that wait for each other may spin or sleep. Spinning saves microseconds on a quiet machine
and costs whole cores on a busy one, so CPU seconds are compared, not the clock. Each setting is a
process of its own, since the libraries read it when they are loaded.

    python benchmarks/cpu_use.py --index .docqa --questions 20
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

SETTINGS: dict[str, dict[str, str]] = {
    "as it comes": {},
    "OMP_WAIT_POLICY=passive": {"OMP_WAIT_POLICY": "passive"},
    "GOMP_SPINCOUNT=1000": {"GOMP_SPINCOUNT": "1000"},
    "KMP_BLOCKTIME=0": {"KMP_BLOCKTIME": "0"},
    "OMP_NUM_THREADS=1": {"OMP_NUM_THREADS": "1"},
}
_NAMES = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME", "OMP_NUM_THREADS")
QUESTIONS = (
    "In which folder is the index stored by default?",
    "How many tokens does a window hold by default?",
    "With what does docqa exit when the index is missing?",
    "Which library reads PDF files?",
    "How many candidates does the reader get by default?",
    "Who may write to an index?",
    "What does docqa forget do?",
    "What is a window?",
)


def measure(index: str, questions: int) -> dict[str, tuple[float, float]]:
    """Return the CPU seconds and the seconds a question: one at a time, and eight at once."""
    from docqa import DocQA

    found = {}
    with DocQA(index) as qa:
        qa.load()
        qa.ask_many(QUESTIONS)
        for name, together in (("one", 1), ("eight", 8)):
            asked = 0
            cpu, began = _cpu(), time.perf_counter()
            while asked < questions:
                first = asked % len(QUESTIONS)
                qa.ask_many((QUESTIONS * 2)[first : first + together])
                asked += together
            found[name] = (
                (_cpu() - cpu) / asked,
                (time.perf_counter() - began) / asked,
            )
    return found


def _cpu() -> float:
    use = resource.getrusage(resource.RUSAGE_SELF)
    return use.ru_utime + use.ru_stime


@contextmanager
def busy_neighbour(wanted: bool) -> Iterator[None]:
    """Keep one core busy with something else meanwhile."""
    if not wanted:
        yield
        return
    other = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        other.kill()
        other.wait()


def main() -> None:
    """Print a table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--index", default=".docqa")
    options.add_argument("--questions", type=int, default=20)
    options.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.measure:
        print(json.dumps(measure(given.index, given.questions)))
        return
    bare = {name: value for name, value in os.environ.items() if name not in _NAMES}
    columns = ("one", "eight", "one, busy", "eight, busy")
    print(f"{'CPU ms (ms) a question':26} " + " ".join(f"{name:>14}" for name in columns))
    for name, setting in SETTINGS.items():
        cells = []
        for busy in (False, True):
            with busy_neighbour(busy):
                said = subprocess.run(
                    [
                        *(sys.executable, __file__, "--measure", "--index", given.index),
                        *("--questions", str(given.questions)),
                    ],
                    env=bare | setting,
                    capture_output=True,
                    text=True,
                    check=True,
                ).stdout
            cells += [
                f"{1000 * cpu:6.0f} ({1000 * wall:.0f})" for cpu, wall in json.loads(said).values()
            ]
        print(f"{name:26} " + " ".join(f"{cell:>14}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
