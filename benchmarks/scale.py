"""What a collection of many shards takes and how long it answers: sizes, times, simulation, losses.

    python benchmarks/scale.py sizes INDEX                     bytes a window, by part
    python benchmarks/scale.py measure INDEX...                service times of shards, to a file
    python benchmarks/scale.py simulate                        latency against shards, by that file
    python benchmarks/scale.py plan --windows 1e9 --rate 100   machines, by that file
    python benchmarks/scale.py recall DATA... --index DIR      what routing and quantising lose

An INDEX is one that docqa made. ``measure`` writes benchmarks/scale_measured.json (or --file),
which ``simulate`` and ``plan`` read. Give it indexes of several sizes; ``benchmarks/ask.py`` makes
some with --folder. DATA are SQuAD files: their articles are indexed into DIR, if that is not done
yet, and their questions are asked. Everything is measured on one thread, one question at a time.
"""

from __future__ import annotations

import argparse
import json
import math
import random
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from fan_out import Cluster, Outcome, simulate
from partial_search import measure_quantising, measure_routing
from rich.console import Console
from rich.table import Table
from shard_times import CANDIDATES, busy_seconds, measure, nearest_size, rounds_of, sizes

from docqa import DocQA
from docqa.evaluate.evaluation import write_articles
from docqa.evaluate.squad import Article, load_squad, sampled
from docqa.index.search import POOL

MEASURED = Path(__file__).with_name("scale_measured.json")
_PAYS = 0.1  # of the 99th percentile: less gained is no reason for another part
_SEED = 0


# -- sizes ---------------------------------------------------------------------------------------


def show_sizes(index: Path) -> None:
    found = sizes(index)
    windows = found["windows"]
    table = Table("part", "MB", "bytes a window")
    for name, size in found.items():
        if name != "windows":
            table.add_row(name.replace("_", " "), f"{size / 1e6:,.1f}", f"{size / windows:,.0f}")
    print(json.dumps(found))
    _print(table, f"{windows:,} windows")


# -- simulation ----------------------------------------------------------------------------------


def show_simulation(args: argparse.Namespace) -> None:
    measured = json.loads(args.file.read_text())
    size = nearest_size(measured["steps"], args.shard_windows)
    steps = measured["steps"][size]
    mean = busy_seconds(steps, max(args.shards))
    reply = measured["reply"] + args.call_ms / 1000
    plain = Cluster(
        1,
        straggle=args.straggle,
        straggle_seconds=args.straggle_ms / 1000,
        reply_seconds=reply,
        hop_seconds=args.hop_ms / 1000,
    )
    print(
        f"shards of {int(size):,} windows, {1000 * mean:.2f} ms of search; a reply takes a merger "
        f"{1000 * reply:.3f} ms; {args.straggle:.1%} of requests are held up for "
        f"{args.straggle_ms:g} ms on average; {args.questions} questions a cell"
    )

    def run(load: float, **changes: Any) -> Outcome:
        cluster = Cluster(**{**vars(plain), **changes})
        rounds = rounds_of(steps, cluster.shards)
        held = cluster.straggle * cluster.straggle_seconds * len(rounds)
        rate = load / (busy_seconds(steps, cluster.shards) + held)
        return simulate(cluster, rate, rounds, args.questions)

    table = Table("load", *(f"{n:,}" for n in args.shards))
    for load in args.loads:
        table.add_row(f"{load:.0%}", *(_cell(run(load, shards=n)) for n in args.shards))
    _print(table, "p50 / p99 ms by shards and by the share of a replica's time that is work")
    load = args.loads[len(args.loads) // 2]
    rows: dict[str, tuple[str | None, dict[str, Any]]] = {
        "one replica": (None, {}),
        "two replicas": ("one replica", {"replicas": 2}),
        "two, second requests": ("two replicas", {"replicas": 2, "hedged": True}),
        "a tree of mergers": ("one replica", {"tree": True}),
        "all three": ("two, second requests", {"replicas": 2, "hedged": True, "tree": True}),
        "a quarter of the shards": ("one replica", {}),
        "time limit": ("one replica", {"limit": args.limit_ms / 1000}),
    }
    table = Table("", *(f"{n:,}" for n in args.shards), "pays from")
    found: dict[str, list[Outcome]] = {}
    for name, (against, changes) in rows.items():
        found[name] = []
        for shards in args.shards:
            asked, at = shards, load
            if name == "a quarter of the shards":  # so each is asked a quarter as often
                asked = math.ceil(shards / 4)
                at = load * asked / shards
            found[name].append(run(at, **{**changes, "shards": asked}))
        pays = "" if against is None else _pays(args.shards, found[against], found[name])
        table.add_row(name, *map(_cell, found[name]), pays)
    _print(table, f"the same at a load of {load:.0%} with one replica")
    print(f"a measure pays from where it makes p99 shorter by {_PAYS:.0%}, against: ", end="")
    print("; ".join(f"{name}: {row[0]}" for name, row in rows.items() if row[0]))
    table = Table("held up", "", *(f"{n:,}" for n in args.shards))
    for straggle in (0, 0.001, 0.005, 0.02):
        for name in ("one replica", "two, second requests"):
            outcomes = [
                run(load, **rows[name][1], shards=n, straggle=straggle) for n in args.shards
            ]
            table.add_row(f"{straggle:.1%}", name, *map(_cell, outcomes))
    _print(table, "the same by the share of requests that are held up")
    table = Table("", *(f"{n:,}" for n in args.shards))
    table.add_row("mergers' processors", *(str(o.mergers) for o in found["one replica"]))
    table.add_row(
        "more requests by second ones",
        *(f"{o.requests - 1:.1%}" for o in found["two, second requests"]),
    )
    table.add_row(
        f"searched within {args.limit_ms:g} ms",
        *(f"{o.searched.mean():.2%}" for o in found["time limit"]),
    )
    table.add_row(
        "questions searched in full",
        *(f"{(o.searched == 1).mean():.1%}" for o in found["time limit"]),
    )
    _print(table, "beside that")


def _cell(outcome: Outcome) -> str:
    return f"{1000 * outcome.percentile(50):.0f} / {1000 * outcome.percentile(99):.0f}"


def _pays(shards: Sequence[int], before: Sequence[Outcome], after: Sequence[Outcome]) -> str:
    """Return from how many shards on a measure pays at all sizes."""
    gains = [1 - b.percentile(99) / a.percentile(99) for a, b in zip(before, after, strict=True)]
    worth = [gain >= _PAYS for gain in gains]
    for n, size in enumerate(shards):
        if all(worth[n:]):
            return f"{size:,}"
    return "nowhere"


# -- machines ------------------------------------------------------------------------------------


def show_plan(args: argparse.Namespace) -> None:
    measured = json.loads(args.file.read_text())
    shards = math.ceil(args.windows / args.shard_windows)
    size = nearest_size(measured["steps"], args.shard_windows)
    bytes_ = {name: total / int(size) for name, total in measured["sizes"][size].items()}
    search = busy_seconds(measured["steps"][size], shards)
    if args.search_ms is not None:
        search = args.search_ms / 1000
    disk = bytes_["database"] + bytes_["vectors_file"] + bytes_["postings_file"]
    hot = bytes_["vectors_file"] + bytes_["postings_file"] + bytes_["own_memory"]
    reply = measured["reply"] + args.call_ms / 1000
    requests = 2 * shards + min(shards, 2 * POOL) + min(shards, CANDIDATES)
    search_cores = args.rate * search * shards / args.busy
    need = {
        "memory": args.replicas * args.windows * hot / (args.node_memory * 1e9),
        "disk": args.replicas * args.windows * disk / (args.node_disk * 1e12),
        "processors": search_cores / args.node_cores,
    }
    table = Table("", f"{args.windows:,.0f} windows, {args.rate:g} questions a second")
    for name, value in {
        "shards": f"{shards:,} of {args.shard_windows:,.0f} windows",
        "disk a copy": f"{args.windows * disk / 1e12:.2f} TB ({disk:,.0f} bytes a window)",
        "memory a copy": f"{args.windows * hot / 1e12:.2f} TB ({hot:,.0f} bytes a window)",
        "processors that search": f"{search_cores:,.0f} ({1000 * search:.1f} ms a shard)",
        "processors that merge": f"{args.rate * reply * requests / args.busy:,.1f}",
        "processors that embed questions": f"{args.rate * np.mean(measured['embed']):,.1f}",
        "processors that read": f"{args.rate * np.mean(measured['read']) / args.busy:,.0f}",
        "nodes": f"{math.ceil(max(need.values())):,}, the most of: "
        + ", ".join(f"{name} {value:,.1f}" for name, value in need.items()),
        "GPUs to index in a day": f"{args.windows / 86_400 / args.gpu_windows:,.1f} "
        f"at {args.gpu_windows:,.0f} windows a second each",
        "processors to index in a day": f"{args.windows * args.index_ms / 86_400_000:,.0f} "
        f"at {args.index_ms:g} ms a window, embedding aside",
    }.items():
        table.add_row(name, value)
    _print(table, f"{args.replicas} copies; nodes of {args.node_cores} processors, "
           f"{args.node_memory:g} GB of memory, {args.node_disk:g} TB of disk; "
           f"{args.busy:.0%} of their time is work")  # fmt: skip


# -- losses --------------------------------------------------------------------------------------


def show_recall(args: argparse.Namespace) -> None:
    articles = [article for file in args.data for article in load_squad(file)]
    articles = articles[: args.articles]
    _index(articles, args.index)
    asked = sampled(articles, args.questions)
    questions = [one.question.text for one in asked]
    with closing(DocQA(args.index)) as qa, qa._opened.snapshot() as (store, _):
        vectors = qa._opened.embedder(store).questions(questions)
        found = qa.search_many(questions, CANDIDATES)
        ids = store.window_ids()
        all_vectors = store.vectors(ids)
        documents = dict(store.db.execute("select id, document_id from windows"))
    answers = [{text for text, _ in one.question.answers} for one in asked]
    right = [
        [any(answer in hit.text for answer in expected) for hit in row]
        for expected, row in zip(answers, found, strict=True)
    ]
    places = [np.searchsorted(ids, [hit.id for hit in row]) for row in found]
    of_document = np.array([documents[int(id_)] for id_ in ids])
    if args.document_windows is not None:  # as if the documents were shorter
        of_document = of_document * len(ids) + np.arange(len(ids)) // args.document_windows
    print(f"{len(ids):,} windows of {len(set(of_document)):,} documents, {len(asked)} questions")
    table = Table("shards by", "centroids", "asked", "windows", "of the ten", "answers kept")
    for row in measure_routing(all_vectors, of_document, vectors, places, right, args.shards):
        table.add_row(
            row.sharing, str(row.centroids), f"{row.asked}/{args.shards}", f"{row.windows:.0%}",
            f"{row.recall:.1%}", f"{row.kept:.1%}",
        )  # fmt: skip
    _print(table, f"the likeliest of {args.shards} shards by the best of its centroids")
    table = Table("vectors", "bytes", *(f"rescored x{n}" for n in (1, 2, 4, 10)))
    nearest = min(POOL, len(ids) // 20)
    for name, size, recalls in measure_quantising(all_vectors, vectors, nearest, (1, 2, 4, 10)):
        table.add_row(name, str(size), *(f"{recall:.2%}" for recall in recalls))
    _print(table, f"share of the nearest {nearest} that are found among so many times {nearest}")


def _index(articles: Sequence[Article], index: Path) -> None:
    """Index articles in a folder; a run that was stopped goes on."""
    folder = index / "articles"
    if folder.exists() and (index / "whole").exists():
        return
    if not folder.exists():
        index.mkdir(parents=True, exist_ok=True)
        write_articles(articles, folder)
    with closing(DocQA(index)) as qa:
        print(f"indexed {qa.index([folder]).windows:,} windows")
    (index / "whole").touch()


def _print(table: Table, title: str) -> None:
    table.title = title
    Console(width=140).print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("sizes")
    command.add_argument("index", type=Path)
    command.set_defaults(run=lambda args: show_sizes(args.index))
    command = commands.add_parser("measure")
    command.add_argument("indexes", type=Path, nargs="+")
    command.add_argument("--questions", type=int, default=40)
    command.add_argument("--repeats", type=int, default=5)
    command.set_defaults(
        run=lambda args: args.file.write_text(
            json.dumps(measure(args.indexes, args.questions, args.repeats)) + "\n"
        )
    )
    command.add_argument("--file", type=Path, default=MEASURED)
    command = commands.add_parser("simulate")
    command.add_argument("--file", type=Path, default=MEASURED)
    command.add_argument("--shards", type=int, nargs="+", default=[1, 4, 16, 64, 256, 1000])
    command.add_argument("--shard-windows", type=float, default=1e6)
    command.add_argument("--loads", type=float, nargs="+", default=[0.1, 0.3, 0.6])
    command.add_argument("--straggle", type=float, default=0.005)
    command.add_argument("--straggle-ms", type=float, default=100)
    command.add_argument("--limit-ms", type=float, default=500, help="of a round")
    command.add_argument("--hop-ms", type=float, default=1)
    command.add_argument("--call-ms", type=float, default=1.0, help="of a merger, for a request")
    command.add_argument("--questions", type=int, default=3000)
    command.set_defaults(run=show_simulation)
    command = commands.add_parser("plan")
    command.add_argument("--file", type=Path, default=MEASURED)
    command.add_argument("--windows", type=float, default=1e9)
    command.add_argument("--rate", type=float, default=100)
    command.add_argument("--shard-windows", type=float, default=1e6)
    command.add_argument("--search-ms", type=float, help="of a shard; as measured if not given")
    command.add_argument("--replicas", type=int, default=2)
    command.add_argument("--busy", type=float, default=0.5)
    command.add_argument("--call-ms", type=float, default=1.0)
    command.add_argument("--node-cores", type=int, default=64)
    command.add_argument("--node-memory", type=float, default=256, help="GB")
    command.add_argument("--node-disk", type=float, default=4, help="TB")
    command.add_argument("--gpu-windows", type=float, default=5000, help="a second, an assumption")
    command.add_argument("--index-ms", type=float, default=5, help="of a processor, a window")
    command.set_defaults(run=show_plan)
    command = commands.add_parser("recall")
    command.add_argument("data", type=Path, nargs="+")
    command.add_argument("--index", type=Path, required=True)
    command.add_argument("--articles", type=int, help="the first ones; all if not given")
    command.add_argument("--document-windows", type=int, help="cut documents into runs of so many")
    command.add_argument("--questions", type=int, default=500)
    command.add_argument("--shards", type=int, default=64)
    command.set_defaults(run=show_recall)
    args = parser.parse_args()
    random.seed(_SEED)
    args.run(args)


if __name__ == "__main__":
    main()
