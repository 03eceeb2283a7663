"""What people see: answers, tables, progress, errors. Results go to stdout, all else to stderr."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import click

from docqa.answer import Answer
from docqa.cli.viewer import address
from docqa.ingest.reading_text import reading_text
from docqa.printable import printable, short_path

if TYPE_CHECKING:
    from docqa.evidence import EvidenceSentence
    from docqa.index.searched import Searched
    from docqa.quotes.check import QuotePlace

NO_ANSWER = "The documents hold no answer to this, as far as the reader can tell."
# Where there is no terminal, long work says how far it has come this often.
_LINE_SECONDS = 30.0
# Terminals that print what they don't understand.
_WITHOUT_LINKS = frozenset(("dumb", "linux", "vt100"))
# Copies of an answer that are named.
_MOST_PLACES = 3


def print_json(value: dict[str, Any]) -> None:
    """One JSON document on stdout; names that are not UTF-8 come out as escapes."""
    click.echo(json.dumps(value, indent=2))


def note(text: str) -> None:
    """A line beside the results."""
    click.echo(printable(text), err=True)


def note_searched(searched: Searched) -> None:
    """A line on how many shards were searched, where not all were."""
    if not searched.is_whole:
        note(f"searched {searched} of the shards, so answers may be missing: see docqa status")


def error(text: str) -> None:
    """Why it did not work and what to do."""
    click.echo(click.style("Error: ", fg="red") + printable(text), err=True)


def print_answer(rank: int, answer: Answer) -> None:
    """The answer, the sentence it stands in, and where that is."""
    headings = list(answer.heading_path)
    if answer.title is not None and answer.title not in headings[:1]:
        headings.insert(0, answer.title)
    click.echo(f"{rank}. {click.style(flowing(answer.text), bold=True)}")
    for line in wrapped(_highlighted(answer)):
        click.echo(f"   {line}")
    if headings:
        for line in wrapped(" \u203a ".join(map(flowing, headings))):
            click.echo(click.style(f"   {line}", dim=True))
    click.echo(click.style(f"   {place_of(answer)}  ({_sureness(answer)})", dim=True))
    if answer.also:
        for line in wrapped(_also(answer)):
            click.echo(click.style(f"   {line}", dim=True))


def print_evidence(sentences: Sequence[EvidenceSentence]) -> None:
    """The sentences, those of a document together and in the order of its text.

    Their numbers are their ranks, as ``docqa open`` takes them.
    """
    ranks = {(one.document, one.start): rank for rank, one in enumerate(sentences, 1)}
    for n, document in enumerate(dict.fromkeys(one.document for one in sentences)):
        if n:
            click.echo()
        inside = [one for one in sentences if one.document == document]
        for one in sorted(inside, key=lambda one: one.start):
            rank = f"{ranks[one.document, one.start]}. "
            for line in wrapped(flowing(one.text)):
                click.echo(rank + click.style(line, fg="green"))
                rank = " " * len(rank)
            click.echo(click.style(f"   {place_of(one)}", dim=True))


def _sureness(answer: Answer) -> str:
    """Return how sure an answer is, in words."""
    share = answer.confidence if answer.probability is None else answer.probability
    percent = f"{share:.0%}" if share >= 0.01 else "below 1%"
    if answer.probability is None:
        return f"confidence {percent}"
    return f"doubtful: {percent} sure" if answer.doubtful else f"{percent} sure"


def _also(answer: Answer) -> str:
    """The other places of an answer, as many as a person looks at."""
    named = [
        printable(short_path(place.document))
        + (f", page {place.page}" if place.page is not None else "")
        for place in answer.also[:_MOST_PLACES]
    ]
    left = len(answer.also) - len(named)
    return "also in " + "; ".join(named) + (f" and {left:,} more" if left else "")


def place_of(found: Answer | EvidenceSentence | QuotePlace) -> str:
    """Return where an answer, a sentence or a quote stands, in words."""
    place = linked(short_path(found.document), found.document, found.page)
    if found.page is not None:
        place += f", page {found.page}"
    elif found.line is not None:
        place += f", line {found.line}"
    return f"{place}, characters {found.start}-{found.end}"


def linked(text: str, document: str, page: int | None) -> str:
    """Return a document's name with a link to it, where a terminal follows links (OSC 8)."""
    shown = printable(text)
    if not sys.stdout.isatty() or os.environ.get("TERM", "dumb") in _WITHOUT_LINKS:
        return shown
    return f"\033]8;;{address(document, page)}\033\\{shown}\033]8;;\033\\"


def excerpt(text: str) -> str:
    """The beginning of a text, on one line of the terminal."""
    width = min(shutil.get_terminal_size((100, 24)).columns, 100) - 9
    line = flowing(text)
    return line if len(line) <= width else line[: width - 1] + "…"


def _highlighted(answer: Answer) -> str:
    before = answer.context[: answer.context_start]
    after = answer.context[answer.context_end :]
    marked = click.style(flowing(answer.text), fg="green", bold=True)
    return (
        flowing(before)
        + (" " if before[-1:].isspace() else "")
        + marked
        + (" " if after[:1].isspace() else "")
        + flowing(after)
    )


def flowing(text: str) -> str:
    """Text as one paragraph, whatever line breaks and hyphens at line ends the document has."""
    return printable(" ".join(reading_text(text).split()))


def wrapped(text: str) -> list[str]:
    """Lines that fit the terminal, with styled text counted by what is seen of it."""
    width = min(shutil.get_terminal_size((100, 24)).columns, 100) - 3
    lines: list[str] = []
    room = 0
    for word in text.split(" "):
        seen = len(click.unstyle(word))
        if not lines or seen + 1 > room:
            lines.append(word)
            room = width - seen
        else:
            lines[-1] += f" {word}"
            room -= seen + 1
    return lines


@contextmanager
def progress(label: str) -> Iterator[Callable[..., None]]:
    """A bar on stderr, or a line now and then where stderr is no terminal.

    What is yielded takes ``(done, total)`` and, if it likes, a note.
    """
    if not sys.stderr.isatty():
        yield _lines(label)
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        task = bar.add_task(label, total=None, note="")

        def tell(done: int, total: int, note: str = "") -> None:
            bar.update(task, completed=done, total=total, note=note)

        yield tell


def _lines(label: str) -> Callable[..., None]:
    """Return a function that says on stderr, now and then, how far long work has come."""
    said = time.monotonic()

    def tell(done: int, total: int, note: str = "") -> None:
        nonlocal said
        if time.monotonic() - said > _LINE_SECONDS:
            said = time.monotonic()
            click.echo(", ".join(filter(None, (f"{label} {done:,}/{total:,}", note))), err=True)

    return tell


@contextmanager
def stages() -> Iterator[Callable[[str, int, int, str], None]]:
    """For work in stages: a bar for each on a terminal, a line now and then elsewhere (stderr).

    What is yielded takes the stage's name, ``done``, ``total`` and a note.
    """
    with ExitStack() as open_bars:
        bar: Callable[..., None] | None = None
        current = ""
        said = 0.0

        def tell(stage: str, done: int, total: int, note: str = "") -> None:
            nonlocal bar, current, said
            if stage != current:
                open_bars.close()
                if sys.stderr.isatty():
                    bar = open_bars.enter_context(progress(stage))
                current = stage
            if bar is not None:
                bar(done, total, note)
            elif done == total or time.monotonic() - said > _LINE_SECONDS:
                said = time.monotonic()
                click.echo(f"{stage} {done:,}/{total:,} {note}".rstrip(), err=True)

        yield tell
