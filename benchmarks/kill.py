"""SIGKILL in the middle of indexing, again and again; the index must end as if never killed.

    python benchmarks/kill.py --kills 50 --files 300

Makes a folder of text files, indexes it once undisturbed, and then indexes it again and again into
a second folder, killing ``docqa index`` at a random moment each time and starting it anew. When a
run gets to its end, the two indexes are compared (documents, windows, vectors, answers) and
verified, some files are changed, added and removed, and the next round begins from there. Prints a
JSON line a round; exits with 1 if anything differs.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from docqa import DocQA
from docqa.index.store import Store
from docqa.index.verify import verify

NAMES = "Ada Grace Alan Edsger Barbara Donald Margaret Dennis Radia Tim".split()
THINGS = "bridge engine tower canal ship clock organ tunnel theatre observatory".split()
TOWNS = "Ghent Porto Leeds Turin Basel Lyon Graz Cork Malmö Brno".split()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--files", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    chance = random.Random(args.seed)
    with TemporaryDirectory(prefix="docqa-kill-") as folder:
        sys.exit(0 if _rounds(Path(folder), args.kills, args.files, chance) else 1)


def _rounds(folder: Path, kills: int, files: int, chance: random.Random) -> bool:
    documents = folder / "documents"
    documents.mkdir()
    for n in range(files):
        _write(documents / f"{n:04}.txt", chance)
    killed, rounds, same = 0, 0, True
    while killed < kills:
        whole, torn = folder / f"whole-{rounds}", folder / "torn"
        began = time.perf_counter()
        _index(documents, whole).wait()
        undisturbed = time.perf_counter() - began
        of_round = 0
        while True:
            process = _index(documents, torn)
            try:
                process.wait(_moment(undisturbed, chance) if killed < kills else None)
                break
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait()
                killed += 1
                of_round += 1
        differences = _differences(whole, torn, documents)
        same = same and not differences
        row = {"round": rounds, "kills": of_round, "differences": differences}
        print(json.dumps(row), flush=True)
        rounds += 1
        shutil.rmtree(whole)
        if rounds % 3:  # every third round begins from what the one before has left
            shutil.rmtree(torn)
        _change(documents, files, chance)
    print(json.dumps({"kills": killed, "rounds": rounds, "same": same}))
    return same


def _moment(undisturbed: float, chance: random.Random) -> float:
    """Seconds until the kill: mostly while documents are written, now and then at any time."""
    if chance.random() < 0.2:
        return chance.uniform(0, undisturbed)
    return undisturbed * chance.uniform(0.4, 0.75)


def _index(documents: Path, index: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "docqa", "index", str(documents), "--index", str(index)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _write(path: Path, chance: random.Random) -> None:
    sentences = [
        f"{chance.choice(NAMES)} built the {chance.choice(THINGS)} of {chance.choice(TOWNS)} "
        f"in {chance.randint(1700, 1990)} and sold it for {chance.randint(2, 900)} crowns."
        for _ in range(chance.randint(1, 25))
    ]
    path.write_text("\n".join(sentences), encoding="utf-8")


def _change(documents: Path, files: int, chance: random.Random) -> None:
    for path in chance.sample(sorted(documents.iterdir()), files // 10):
        path.unlink() if chance.random() < 0.3 else _write(path, chance)
    for _ in range(files // 30):
        _write(documents / f"{chance.randint(10_000, 99_999)}.txt", chance)


def _differences(whole: Path, torn: Path, documents: Path) -> list[str]:
    with Store.open(torn) as store:
        found = [f"verify: {problem}" for problem in verify(store).problems]
    ours, theirs = _content(whole), _content(torn)
    found += [f"{key} differs" for key in ours if key != "vectors" and ours[key] != theirs[key]]
    if not np.array_equal(ours["vectors"], theirs["vectors"]):
        found.append("vectors differ")
    places = zip(THINGS, TOWNS, strict=True)
    questions = [f"Who built the {thing} of {town}?" for thing, town in places]
    answers = [
        [[(a.document, a.start, a.end) for a in row] for row in DocQA(index).ask_many(questions)]
        for index in (whole, torn)
    ]
    if answers[0] != answers[1]:
        found.append("answers differ")
    return found


def _content(index: Path) -> dict[str, Any]:
    """What an index holds, without the numbers that its history gave it."""
    with Store.open(index) as store, store.snapshot():
        documents = {store.document(n).path: n for n in store.document_ids()}
        documents = dict(sorted(documents.items()))
        windows = [w for n in documents.values() for w in store.document_windows(n)]
        wanted = np.array([w.id for w in windows], np.int64)
        order = np.argsort(wanted)
        vectors = np.empty((len(wanted), store.settings.dimension), np.float32)
        vectors[order] = store.vectors(wanted[order])
        return {
            "documents": [store.full_document(n) for n in documents.values()],
            "windows": [
                (w.window.start, w.window.end, w.text, w.window.token_ids.tolist()) for w in windows
            ],
            "vectors": vectors,
        }


if __name__ == "__main__":
    main()
