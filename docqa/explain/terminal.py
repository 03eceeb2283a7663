"""An explanation in the terminal: in colours where there are any, and clear without them.

What documents and users wrote is printed so that it can't steer the terminal.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.segment import Segment
from rich.style import Style
from rich.table import Table
from rich.text import Text

from docqa.answer import Answer
from docqa.explain.diagnosis_sentence import flowing
from docqa.explain.explanation import Explanation, WindowExplanation
from docqa.explain.pieces import Piece, Shades, pieces
from docqa.explain.wording import (
    likeliest,
    no_answer_line,
    null_line,
    percent,
    ranking_line,
    read_line,
    retrieval_line,
    span_role,
    window_place,
)
from docqa.ingest.reading_text import reading_text
from docqa.printable import printable, short_path

# From which shade on (the greatest probability is 1) a token is shown how.
_STRONG, _MIDDLE, _WEAK = 0.7, 0.32, 0.1
_COLOURS = {
    "start": (Style(color="white", bgcolor="#1d4ed8"), Style(color="#0b1f4d", bgcolor="#a9c5fb")),
    "end": (Style(color="white", bgcolor="#c2410c"), Style(color="#4a1a02", bgcolor="#fdc59a")),
    "both": (Style(color="white", bgcolor="#7e22ce"), Style(color="#33084f", bgcolor="#dcb8fa")),
}
_WEAK_COLOURS = {"start": "blue", "end": "red", "both": "magenta"}
# Marks around expected answers.
_OPEN, _CLOSE = "\u2039", "\u203a"
_SPACE = re.compile(r"\s+")


def show(explanation: Explanation, console: Console) -> None:
    """Print an explanation."""
    colours = console.color_system is not None and not console.no_color
    console.print(Group(*_parts(explanation, colours)))


def _parts(explanation: Explanation, colours: bool) -> Iterator[RenderableType]:
    yield Text(_clean(explanation.question), style="bold")
    for rank, answer in enumerate(explanation.answers, 1):
        yield Text.assemble(
            f"{rank}. ", (_clean(answer.text), "bold green"), (f"  {_place(answer)}", "dim")
        )
    if not explanation.answers:
        yield Text(no_answer_line(explanation))
    yield Text(read_line(explanation), style="dim")
    if explanation.diagnosis is not None and explanation.sentence is not None:
        right = explanation.diagnosis.verdict == "right"
        yield Text()
        yield Text(_clean(explanation.sentence), style="green" if right else "yellow")
    if not explanation.windows:
        return
    shades = Shades.of(explanation)
    for window in explanation.windows:
        yield Text()
        yield _window(window, explanation.windows_read, shades)
    yield Text()
    if colours:
        yield _colours(shades)
    yield _marks(any(window.expected for window in explanation.windows))


def _window(window: WindowExplanation, windows_read: int, shades: Shades) -> RenderableType:
    head = Text(f"Window {window.rank} of {windows_read}", style="bold")
    head.append(f"  {printable(window_place(window))}", style="not bold dim")
    lines = (retrieval_line(window), ranking_line(window), null_line(window))
    facts = Text("\n".join(line for line in lines if line))
    return Group(
        head,
        _Indented(facts),
        Text(),
        _Indented(_text(window, shades)),
        Text(),
        _Indented(_spans(window)),
        Text(),
        _Indented(_likeliest(window)),
    )


@dataclass(frozen=True, slots=True)
class _Indented:
    """Something with a margin on its left and, unlike rich's padding, no blanks on its right."""

    inside: RenderableType

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        narrower = options.update_width(max(options.max_width - 2, 1))
        for line in console.render_lines(self.inside, narrower, pad=False):
            yield Segment("  ")
            yield from line
            yield Segment.line()


def _text(window: WindowExplanation, shades: Shades) -> Text:
    """Return the window's text as one paragraph, with marks around spans and expected answers."""
    text = Text()
    span, expected = 0, False
    for piece in pieces(window):
        closing = (_CLOSE if expected and not piece.expected else "") + (
            "»" if span and piece.span != span else ""
        )
        text.append(closing, style="bold")
        shown = _clean_piece(piece)
        if piece.span and piece.span != span:
            text.append(f"«{piece.span} ", style="bold")
        if piece.expected and not expected:
            text.append(_OPEN, style="bold")
        span, expected = piece.span, piece.expected
        text.append(shown, style=_style(*shades.of_piece(piece)))
    text.append((_CLOSE if expected else "") + ("»" if span else ""), style="bold")
    return text


def _style(start: float, end: float) -> Style:
    """Return the look of a token: its kind by what it likely is, its strength by how likely."""
    shade = max(start, end)
    if shade < _WEAK:
        return Style.null()
    kind = "both" if min(start, end) > 0.6 * shade else "start" if start > end else "end"
    if shade < _MIDDLE:
        return Style(color=_WEAK_COLOURS[kind])
    strong, middle = _COLOURS[kind]
    return strong if shade >= _STRONG else middle


def _spans(window: WindowExplanation) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("", "span", "what"):
        table.add_column(name, overflow="fold")
    for name in ("start", "end", "score", "confidence"):
        table.add_column(name, justify="right", no_wrap=True)
    for rank, span in enumerate(window.spans, 1):
        table.add_row(
            f"«{rank}»",
            Text(_clean(span.text), style="bold" if rank == 1 else ""),
            span_role(span, rank),
            f"{span.start_logit:.2f}",
            f"{span.end_logit:.2f}",
            f"{span.score:.2f}",
            percent(span.confidence),
        )
    return table


def _likeliest(window: WindowExplanation) -> Text:
    """Return the likeliest tokens to start and to end an answer, for those who see no colours."""
    starts = likeliest(window, lambda token: token.start_probability)
    ends = likeliest(window, lambda token: token.end_probability)
    return Text(
        f"likeliest starts: {', '.join(map(_clean, starts))}\n"
        f"likeliest ends:   {', '.join(map(_clean, ends))}",
        style="dim",
    )


def _colours(shades: Shades) -> Text:
    """Return what the colours of tokens mean."""
    legend = Text()
    legend.append("Tokens that may ", style="dim")
    for kind, name in (("start", "start"), ("end", "end"), ("both", "start and end")):
        legend.append(f" {name} ", style=_COLOURS[kind][0])
        legend.append(f" {name} ", style=_COLOURS[kind][1])
        legend.append(f" {name}  ", style=_WEAK_COLOURS[kind])
    legend.append(
        "an answer: from a half, a tenth and a hundredth of the greatest probability on "
        f"({percent(shades.start)} for a start, {percent(shades.end)} for an end)",
        style="dim",
    )
    return legend


def _marks(expected: bool) -> Text:
    """Return what the marks around words mean."""
    marks = "«1 best span of its window» «2 runner-up»"
    return Text(marks + (f" {_OPEN}expected answer{_CLOSE}" if expected else ""), style="dim")


def _place(answer: Answer) -> str:
    place = printable(short_path(answer.document)) or "text"
    if answer.page is not None:
        place += f", page {answer.page}"
    elif answer.line is not None:
        place += f", line {answer.line}"
    return f"{place}, score {answer.score:.2f}, confidence {percent(answer.confidence)}"


def _clean(text: str) -> str:
    return printable(flowing(text))


def _clean_piece(piece: Piece) -> str:
    return printable(_SPACE.sub(" ", reading_text(piece.text)))
