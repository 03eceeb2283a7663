"""``docqa index``, ``docqa forget``, ``docqa reshard``, ``docqa status``, ``docqa verify``."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from docqa.cli.configuration import settings_in_force
from docqa.cli.options import (
    device_option,
    embedder_option,
    exclude_option,
    include_option,
    index_option,
    json_option,
    window_options,
)
from docqa.cli.show import note, print_json, progress
from docqa.printable import printable, short_path

if TYPE_CHECKING:
    from docqa.index.build import IndexReport
    from docqa.ingest.windows import WindowSettings


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path())
@index_option
@include_option
@exclude_option
@embedder_option
@click.option(
    "--reader",
    metavar="MODEL",
    help="Cut windows with this model's tokenizer; counts only when the index is made. "
    "[default: docqa's own]",
)
@window_options(240, 64)
@device_option
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=120.0,
    show_default=True,
    metavar="SECONDS",
    help="The most time for one file's extraction.",
)
@click.option(
    "--memory-mb",
    type=click.IntRange(min=128),
    default=512,
    show_default=True,
    metavar="MB",
    help="The most memory for one file's extraction.",
)
@click.option(
    "--max-file-mb",
    type=click.IntRange(min=1),
    default=100,
    show_default=True,
    metavar="MB",
    help="Larger files are left out, with a word.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    metavar="N",
    help="Processes that extract text. [default: as many as cores, at most 4]",
)
@click.option(
    "--rehash", is_flag=True, help="Look into files whose size and time have not changed, too."
)
@click.option(
    "--shards",
    type=click.IntRange(min=1),
    metavar="N",
    help="Make a collection of N indexes that share the documents; see docs/clusters.md.",
)
@click.option(
    "--ray",
    metavar="ADDRESS",
    help="Build the collection's shards on this Ray cluster: auto takes the one that this computer "
    "is a node of, local starts one for this run.",
)
@json_option
def index(
    paths: tuple[str, ...],
    folder: str,
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    embedder: str | None,
    reader: str | None,
    window_size: int | None,
    overlap: int | None,
    device: str,
    timeout: float,
    memory_mb: int,
    max_file_mb: int,
    workers: int | None,
    rehash: bool,
    shards: int | None,
    ray: str | None,
    as_json: bool,
) -> int:
    """Index files and folders, or bring an index up to date.

    Reads text, PDF, HTML, Office and OpenDocument files, books, e-mails and more (see
    docs/file-formats.md), in folders recursively. Files of other kinds are counted and left out.
    Run it again after documents have changed: only what is new or changed is read, and what is no
    longer found in the named folders (with these --include and --exclude), or is named and gone, is
    removed. It can be stopped at any time and started again.

    \b
    Example:
      docqa index ./docs ~/contracts/lease.pdf --exclude "*draft*"
    """
    from docqa.index.build import BuildOptions
    from docqa.ingest.document import LoadLimits
    from docqa.ingest.windows import WindowSettings
    from docqa.qa import DocQA

    limits = LoadLimits(seconds=timeout, memory_mb=memory_mb, max_file_mb=max_file_mb)
    options = BuildOptions(include, exclude, limits, workers, rehash)
    with (
        DocQA(
            folder,
            reader=reader,
            embedder=embedder,
            device=device,
            window=window_settings(window_size, overlap, WindowSettings()),
        ) as qa,
        progress("indexing") as bar,
    ):

        def on_progress(files_done: int, files: int, windows_done: int) -> None:
            bar(files_done, files, f"{windows_done:,} windows")

        report = qa.index(paths, options, on_progress, shards, ray)
    if as_json:
        print_json(_report_json(report))
    else:
        _print_report(report, folder)
    return 1 if report.failed else 0


def window_settings(
    size: int | None, overlap: int | None, base: WindowSettings
) -> WindowSettings | None:
    """Return the given size and overlap with the usual ones for the rest; None without either."""
    from docqa.ingest.windows import WindowSettings

    if size is None and overlap is None:
        return None
    size = base.size if size is None else size
    return WindowSettings(size, min(base.overlap, size // 2) if overlap is None else overlap)


def _report_json(report: IndexReport) -> dict[str, object]:
    return {
        "documents": {
            "added": len(report.added),
            "changed": len(report.changed),
            "unchanged": len(report.unchanged),
            "removed": len(report.removed),
            "stale": len(report.stale),
        },
        "failed": [asdict(failure) for failure in report.failed],
        "stale": report.stale,
        "gaps": [asdict(gap) for gap in report.gaps],
        "skipped": report.skipped,
        "empty": report.empty,
        "windows": report.windows,
        "seconds": round(report.seconds, 3),
    }


def _print_report(report: IndexReport, folder: str) -> None:
    from docqa.ingest.formats import format_of

    for failure in report.failed:
        note(f"failed: {short_path(failure.path)}: {failure.error}")
    for path in report.stale:
        note(f"kept as it was: {short_path(path)}")
    stale = f", {len(report.stale)} kept as they were" if report.stale else ""
    for gap in report.gaps:
        note(f"incomplete: {short_path(gap.path)}: {gap.gap}")
    for path in report.empty:
        note(f"nothing to read in {short_path(path)}")
    if report.skipped:
        note(f"skipped, as docqa does not read such files: {_counts(report.skipped)}")
    if any(format_of(f"a{suffix}").is_picture for suffix in report.skipped):
        note("to read the text in pictures, pip install 'docqa-verbatim[ocr]'")
    click.echo(
        f"{len(report.added)} added, {len(report.changed)} changed, "
        f"{len(report.unchanged)} unchanged, {len(report.removed)} removed, "
        f"{len(report.failed)} failed{stale}; {report.windows:,} windows in {printable(folder)} "
        f"({report.seconds:.1f} s)"
    )


def _counts(skipped: dict[str, int]) -> str:
    """Return how many files of each suffix there are, the commonest suffixes by name."""
    shown = [
        f"{count:,} {suffix or 'without a suffix'}" for suffix, count in list(skipped.items())[:12]
    ]
    if others := sum(list(skipped.values())[12:]):
        shown.append(f"{others:,} others")
    return ", ".join(shown)


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path())
@index_option
@json_option
def forget(paths: tuple[str, ...], folder: str, as_json: bool) -> None:
    """Remove files, and all files under folders, from an index.

    The files themselves are not touched, and need not be there any more. If the index holds nothing
    under one of the PATHS, nothing is removed.

    \b
    Example:
      docqa forget ./docs/old ~/contracts/lease.pdf
    """
    from docqa.qa import DocQA

    with DocQA(folder) as qa:
        forgotten = qa.forget(paths)
    if as_json:
        print_json({"forgotten": forgotten})
        return
    for path in forgotten:
        click.echo(printable(short_path(path)))
    files = "1 file" if len(forgotten) == 1 else f"{len(forgotten)} files"
    click.echo(f"{files} removed from {printable(folder)}")


@click.command()
@click.argument("folder", metavar="COLLECTION", type=click.Path())
@click.option(
    "--shards",
    type=click.IntRange(min=1),
    required=True,
    metavar="N",
    help="How many indexes share the documents from now on.",
)
@json_option
def reshard(folder: str, shards: int, as_json: bool) -> None:
    """Share the documents of a collection out to another number of indexes.

    Nothing is read or embedded again. An index that is none of a collection becomes one. It takes
    as much room again as the collection until it is done; stopped before, everything is as it was.

    \b
    Example:
      docqa reshard ./contracts/.docqa --shards 8
    """
    from docqa.index.collection.reshard import reshard as share_out

    with progress("sharing out") as bar:
        done = share_out(Path(folder), shards, bar)
    if as_json:
        print_json(asdict(done))
        return
    click.echo(
        f"{done.documents:,} documents, {done.windows:,} windows shared out to {done.shards} "
        f"shards in {printable(folder)}"
    )


@click.command()
@index_option
@json_option
@click.pass_context
def status(context: click.Context, folder: str, as_json: bool) -> int:
    """Say what an index holds and what it was made with, and which settings are in force.

    \b
    Example:
      docqa status --index ~/contracts/.docqa
    """
    from docqa.index.opened import open_documents
    from docqa.index.paths import is_collection

    with open_documents(Path(folder)) as store:
        searched = store.searched
        files = sorted(store.files().items())
        values: dict[str, object] = {
            "index": str(Path(folder).absolute()),
            **store.counts(),
            "failures": [
                {"path": path, "error": state.error}
                for path, state in files
                if state.error is not None
            ],
            "stale_documents": [
                {"path": path, "error": state.stale}
                for path, state in files
                if state.stale is not None
            ],
            "embedder": store.settings.embedder,
            "window_size": store.settings.window.size,
            "overlap": store.settings.window.overlap,
            "generation": store.generation,
            **({"shards": str(searched)} if is_collection(Path(folder)) else {}),
            "bytes": _bytes_in(Path(folder)),
            "settings": [asdict(one) for one in settings_in_force(_main_group(context))],
        }
    if as_json:
        print_json(values)
        return 0 if searched.is_whole else 1
    for failure in values.pop("failures"):  # type: ignore[attr-defined]
        note(f"failed: {short_path(failure['path'])}: {failure['error']}")
    for stale in values.pop("stale_documents"):  # type: ignore[attr-defined]
        note(f"kept as it was: {short_path(stale['path'])}: {stale['error']}")
    settings = values.pop("settings")
    for name, value in values.items():
        shown = f"{value:,}" if isinstance(value, int) else printable(str(value))
        click.echo(f"{name.replace('_', ' '):12} {shown}")
    for one in settings:  # type: ignore[attr-defined]
        text = f"{one['name']} = {one['value']} ({short_path(one['source'])})"
        click.echo(f"{'setting':12} {printable(text)}")
    return 0 if searched.is_whole else 1


def _main_group(context: click.Context) -> click.Group:
    group = context.find_root().command
    assert isinstance(group, click.Group)
    return group


def _bytes_in(folder: Path) -> int:
    """Return what the files of a folder take; a cache may be replaced meanwhile.

    Of folders in it, those of shards count.
    """
    from docqa.index.paths import SHARDS_PREFIX

    total = 0
    with suppress(FileNotFoundError), os.scandir(folder) as files:
        for file in files:
            with suppress(FileNotFoundError):
                if not file.is_dir():
                    total += file.stat().st_size
                elif file.name.startswith(SHARDS_PREFIX) or file.name.isdecimal():
                    total += _bytes_in(Path(file.path))
    return total


@click.command()
@index_option
@json_option
def verify(folder: str, as_json: bool) -> int:
    """Check an index against itself and against the files it was made from.

    Changes nothing. Exits with 1 if anything is not as it should be.

    \b
    Example:
      docqa verify
    """
    from docqa.index.opened import verify as check

    with progress("checking") as bar:
        found = check(Path(folder), bar)
    problems, checked = found.problems, found.checked
    if as_json:
        print_json(asdict(found))
    else:
        for text in found.notes:
            note(f"note: {text}")
        for problem in problems:
            where = short_path(problem.document) if problem.document else "index"
            click.echo(f"{printable(where)}: {printable(problem.problem)}")
        count = "1 problem" if len(problems) == 1 else f"{len(problems) or 'no'} problems"
        documents, windows = checked.get("documents", 0), checked.get("windows", 0)
        click.echo(f"{count} in {documents} documents, {windows:,} windows")
    return 1 if problems else 0
