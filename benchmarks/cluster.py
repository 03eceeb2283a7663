"""Kills at random while a collection is built on Ray; it must end as if nothing had been killed.

    python benchmarks/cluster.py --kills 50 --files 300 --nodes 2 --shards 4
    python benchmarks/cluster.py --overhead --files 3000

Starts a Ray cluster of several nodes of one core each on this machine, and builds a collection on
it again and again. At a random moment a worker (a process that builds a shard), a raylet (a node
with all that runs on it) or the driver (the command) is killed. A node that was killed is replaced,
a command that was killed is started again. When a command gets to its end, the collection is
compared with one that was built by the plain command, and verified; some files are changed, and the
next round begins. Prints a JSON line a round; exits with 1 if anything differs.

With ``--overhead``, nothing is killed: the plain command and the same on Ray take turns, and the
times are printed, with how evenly Ray's nodes were used.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kill import _change, _write

from docqa.index.collection.catalogue import Catalogue
from docqa.index.collection.verify import verify_collection
from docqa.index.store import Store

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
# The plain command isn't run at a low priority either.
os.environ.setdefault("RAY_worker_niceness", "0")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--files", type=int, default=300)
    parser.add_argument("--shards", type=int, default=4)
    parser.add_argument("--nodes", type=int, default=2, help="besides the one of the driver")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--overhead", action="store_true")
    parser.add_argument("--turns", type=int, default=3, help="of plain and Ray, for --overhead")
    args = parser.parse_args()
    chance = random.Random(args.seed)
    with TemporaryDirectory(prefix="docqa-cluster-") as scratch:
        folder = Path(scratch)
        documents = folder / "documents"
        documents.mkdir()
        for n in range(args.files):
            _write(documents / f"{n:04}.txt", chance)
        nodes = Nodes(args.nodes)
        try:
            if args.overhead:
                sys.exit(overhead(folder, nodes, args.shards, args.turns))
            sys.exit(rounds(folder, nodes, args, chance))
        finally:
            nodes.end()


class Nodes:
    """A cluster on this machine: a head without room for tasks, and nodes of one core each."""

    def __init__(self, count: int) -> None:
        from ray.cluster_utils import Cluster

        memory = {"object_store_memory": 100 << 20}
        self._of_node = {"num_cpus": 1, **memory}
        self._cluster: Any = Cluster(
            initialize_head=True,
            head_node_args={"num_cpus": 0, "include_dashboard": False, **memory},
        )
        self._nodes = [self._cluster.add_node(**self._of_node) for _ in range(count)]
        self.address: str = self._cluster.address

    def kill_worker(self, chance: random.Random) -> bool:
        """Kill a process that builds a shard; return whether there was one."""
        workers = [pid for node in self._nodes for pid in _builds(_raylet(node))]
        return bool(workers) and _kill(chance.choice(workers))

    def kill_node(self, chance: random.Random) -> bool:
        """Kill a raylet and all that runs on its node, and put another node in its place."""
        node = chance.choice(self._nodes)
        raylet = _raylet(node)
        for pid in [raylet, *_children(raylet)]:
            _kill(pid)
        self._cluster.remove_node(node, allow_graceful=False)
        self._nodes.remove(node)
        self._nodes.append(self._cluster.add_node(**self._of_node))
        return True

    def busy(self) -> list[int]:
        """Return how many shards each node builds at this moment."""
        return [len(_builds(_raylet(node))) for node in self._nodes]

    def end(self) -> None:
        self._cluster.shutdown()


def _raylet(node: Any) -> int:
    return int(node.all_processes["raylet"][0].process.pid)


def _builds(raylet: int) -> list[int]:
    return [pid for pid in _children(raylet) if _command(pid).startswith("ray::_build")]


def _children(parent: int) -> list[int]:
    """Return the processes that a process has started."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError, ValueError, IndexError):
            if int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(entry.name))
    return found


def _command(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace")
    return ""


def _kill(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        return True
    return False


def rounds(folder: Path, nodes: Nodes, args: argparse.Namespace, chance: random.Random) -> int:
    documents = folder / "documents"
    kills = dict.fromkeys(("worker", "node", "driver"), 0)
    number, same = 0, True
    while sum(kills.values()) < args.kills:
        plain, torn = folder / f"plain-{number}", folder / "torn"
        run(documents, plain, args.shards).wait()
        began = time.perf_counter()
        while True:
            command = run(documents, torn, args.shards, nodes.address)
            ended = disturb(command, nodes, kills, args.kills, chance)
            if ended:
                break
        wrong = differences(plain, torn)
        same = same and not wrong
        print(
            json.dumps(
                {
                    "round": number,
                    "kills": dict(kills),
                    "seconds": round(time.perf_counter() - began, 1),
                    "differences": wrong,
                }
            ),
            flush=True,
        )
        number += 1
        shutil.rmtree(plain)
        if number % 3:  # every third round begins from what the one before has left
            shutil.rmtree(torn)
        _change(documents, args.files, chance)
    print(json.dumps({"kills": kills, "rounds": number, "same": same}))
    return 0 if same else 1


def disturb(
    command: subprocess.Popen[bytes],
    nodes: Nodes,
    kills: dict[str, int],
    most: int,
    chance: random.Random,
) -> bool:
    """Kill something every few seconds; return whether the command came to its end."""
    while True:
        left = most - sum(kills.values())
        try:
            command.wait(chance.uniform(0.5, 15) if left > 0 else None)
        except subprocess.TimeoutExpired:
            what = chance.choice(["worker", "worker", "node", "driver"])
            if what == "driver":
                command.kill()
                command.wait()
                kills["driver"] += 1
                return False
            done = nodes.kill_worker(chance) if what == "worker" else nodes.kill_node(chance)
            kills[what] += done
            continue
        if command.returncode:
            raise SystemExit(f"the command ended with {command.returncode}")
        return True


def run(
    documents: Path, index: Path, shards: int, address: str | None = None
) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "docqa", "index", str(documents), "--index", str(index)]
    command += ["--shards", str(shards)]
    if address is not None:
        command += ["--ray", address]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


def differences(plain: Path, torn: Path) -> list[str]:
    """Return what is wrong with a collection, or other than in one that was never disturbed."""
    found = [f"verify: {problem}" for problem in verify_collection(torn).problems]
    ours, theirs = (Catalogue.read(one).folders(one) for one in (plain, torn))
    found += [
        f"shard {n} differs"
        for n, (one, other) in enumerate(zip(ours, theirs, strict=True))
        if content(one) != content(other)
    ]
    return found


def content(shard: Path) -> list[tuple[Any, ...]]:
    """Return what a shard holds, without the numbers that its history gave it."""
    with Store.open(shard) as store:
        return store.db.execute(  # type: ignore[no-any-return]
            "select d.path, d.sha256, d.length, d.error, w.start, w.text, w.token_ids, w.embedding"
            " from documents d left join windows w on w.document_id = d.id order by d.path, w.start"
        ).fetchall()


def overhead(folder: Path, nodes: Nodes, shards: int, turns: int) -> int:
    documents = folder / "documents"
    for turn in range(turns):
        row: dict[str, Any] = {"turn": turn}
        for name, address in (("plain", None), ("ray", nodes.address)):
            index = folder / name
            began = time.perf_counter()
            command = run(documents, index, shards, address)
            busy: list[list[int]] = []
            while command.poll() is None:
                time.sleep(0.5)
                busy.append(nodes.busy())
            row[f"{name}_seconds"] = round(time.perf_counter() - began, 1)
            if address is not None:
                row["busy"] = [round(sum(one) / len(one), 2) for one in zip(*busy, strict=True)]
                with_windows = [Store.open(one) for one in Catalogue.read(index).folders(index)]
                row["windows"] = [store.counts()["windows"] for store in with_windows]
                for store in with_windows:
                    store.close()
            shutil.rmtree(index)
        row["overhead"] = round(row["ray_seconds"] / row["plain_seconds"] - 1, 3)
        print(json.dumps(row), flush=True)
    return 0


if __name__ == "__main__":
    main()
