"""``docqa watch``."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from docqa.cli.options import (
    device_option,
    embedder_option,
    exclude_option,
    include_option,
    index_option,
)
from docqa.cli.show import note
from docqa.errors import IndexLockedError
from docqa.printable import short_path

if TYPE_CHECKING:
    from docqa.index.build import IndexReport

# How long a run waits for another docqa that writes to the index.
_LOCKED_SECONDS = 5.0
# Where something changes all the time, a run begins after this long nevertheless.
_LONGEST_SECONDS = 60.0


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True))
@index_option
@include_option
@exclude_option
@click.option(
    "--quiet-for",
    type=click.FloatRange(min=0.05),
    default=1.0,
    show_default=True,
    metavar="SECONDS",
    help="Index when nothing has changed for this long.",
)
@embedder_option
@device_option
def watch(
    paths: tuple[str, ...],
    folder: str,
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    quiet_for: float,
    embedder: str | None,
    device: str,
) -> None:
    """Keep an index in line with files and folders, until Ctrl-C.

    Does what docqa index does, at the start and whenever something changes, one run at a time.
    Needs the extra docqa-verbatim[watch].

    \b
    Example:
      docqa watch ./docs
    """
    try:
        from watchfiles import watch as changes
    except ImportError:
        raise click.UsageError(
            'docqa watch needs the extra "watch": pip install "PATH-TO-DOCQA[watch]"'
        ) from None
    from docqa.index.build import BuildOptions
    from docqa.qa import DocQA

    options = BuildOptions(include, exclude)
    own = os.path.realpath(folder)

    def concerns(_: object, path: str) -> bool:
        """Return whether a change is one of documents: the index itself may lie among them."""
        real = os.path.realpath(path)
        return real != own and not real.startswith(own + os.sep)

    with DocQA(folder, embedder=embedder, device=device) as qa:
        seen = changes(
            *paths,
            watch_filter=concerns,
            debounce=int(1000 * max(_LONGEST_SECONDS, quiet_for)),
            step=int(1000 * quiet_for),
            yield_on_timeout=True,
            rust_timeout=500,
        )
        # Watching begins before the first run, so that no change falls between the two.
        next(seen)
        _index(lambda: qa.index(paths, options))
        note(f"watching {', '.join(short_path(os.path.abspath(path)) for path in paths)}")
        for some in seen:
            if some:
                _index(lambda: qa.index(paths, options))


def _index(run: Callable[[], IndexReport]) -> None:
    """Bring the index in line, and say what came of it; wait while another docqa writes to it."""
    while True:
        try:
            report = run()
            break
        except IndexLockedError as error:
            note(f"{error}; trying again in {_LOCKED_SECONDS:g} s")
            time.sleep(_LOCKED_SECONDS)
    for failure in report.failed:
        note(f"failed: {short_path(failure.path)}: {failure.error}")
    changed = [
        f"{len(paths)} {what}"
        for what, paths in (
            ("added", report.added),
            ("changed", report.changed),
            ("removed", report.removed),
        )
        if paths
    ]
    click.echo(f"{', '.join(changed) or 'nothing new'}; {report.windows:,} windows")
