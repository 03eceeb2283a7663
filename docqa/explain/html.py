"""An explanation as a page of HTML that stands alone: no scripts, nothing fetched.

Documents are untrusted: the page is built as a tree, never as text, so that nothing in them is
read as markup, and its policy forbids scripts and anything from elsewhere besides.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from lxml import etree
from lxml.html.builder import E

from docqa.answer import Answer
from docqa.explain.diagnosis_sentence import flowing
from docqa.explain.explanation import Explanation, WindowExplanation
from docqa.explain.page_style import STYLE
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
from docqa.index.files import replaced
from docqa.ingest.reading_text import reading_text
from docqa.printable import printable

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_BREAK = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
# Shades below this are not drawn.
_FAINT = 0.1


def write_html(explanation: Explanation, file: Path) -> None:
    """Write the page; whole or not at all.

    Raises:
        OSError: it can't be written.
    """
    with replaced(file) as part:
        part.write_text(page(explanation), encoding="utf-8")


def page(explanation: Explanation) -> str:
    """Return the page."""
    shades = Shades.of(explanation)
    body = E.body(
        E.header(*_head(explanation)),
        E.main(
            _legend(explanation, shades),
            *(_window(window, explanation, shades) for window in explanation.windows),
        ),
    )
    tree = E.html(
        E.head(
            E.meta(charset="utf-8"),
            E.meta({"http-equiv": "Content-Security-Policy", "content": _POLICY}),
            E.meta(name="viewport", content="width=device-width, initial-scale=1"),
            E.title(f"docqa explain: {_clean(explanation.question)}"),
            E.style(STYLE),
        ),
        body,
        lang="en",
    )
    return etree.tostring(tree, method="html", doctype="<!DOCTYPE html>", encoding="unicode") + "\n"


def _head(explanation: Explanation) -> Iterator[etree._Element]:
    yield E.p("docqa explain", {"class": "kicker"})
    yield E.h1(_clean(explanation.question))
    if explanation.answers:
        yield E.ol(*map(_answer, explanation.answers), {"class": "answers"})
    else:
        yield E.p(no_answer_line(explanation), {"class": "none"})
    diagnosis = explanation.diagnosis
    if diagnosis is not None and explanation.sentence is not None:
        yield E.section(
            E.p(_clean(explanation.sentence)),
            {"class": "diagnosis right" if diagnosis.verdict == "right" else "diagnosis"},
        )
    yield E.p(read_line(explanation), {"class": "read"})


def _answer(answer: Answer) -> etree._Element:
    place = Path(answer.document).name or "text"
    if answer.page is not None:
        place += f", page {answer.page}"
    elif answer.line is not None:
        place += f", line {answer.line}"
    return E.li(
        E.strong(_clean(answer.text)),
        E.span(
            f"{_clean(place)} · score {answer.score:.2f} · confidence {percent(answer.confidence)}"
        ),
    )


def _legend(explanation: Explanation, shades: Shades) -> etree._Element:
    marks = [
        E.span(
            E.span("start", _bars(1.0, 0.0)),
            f" may start an answer (full bar: {percent(shades.start)})",
        ),
        E.span(E.span("end", _bars(0.0, 1.0)), f" may end one (full bar: {percent(shades.end)})"),
        E.span(E.mark("best span", {"class": "best"}), " of its window"),
        E.span(E.mark("runner-up", {"class": "other"}), " spans"),
    ]
    if any(window.expected for window in explanation.windows):
        marks.append(E.span(E.span("expected", {"class": "expected"}), " answer"))
    return E.aside(
        *marks,
        E.p("Point at a token for its numbers. Bars grow with the square root of the probability."),
        {"class": "legend"},
    )


def _window(window: WindowExplanation, explanation: Explanation, shades: Shades) -> etree._Element:
    lines = (retrieval_line(window), ranking_line(window), null_line(window))
    return E.section(
        E.h2(
            f"Window {window.rank} of {explanation.windows_read} ",
            E.small(_clean(window_place(window))),
        ),
        E.ul(*(E.li(line) for line in lines if line), {"class": "facts"}),
        E.div(*_text(window, shades), {"class": "text", "dir": "auto"}),
        _spans(window),
        E.p(
            "Likeliest starts: ",
            _clean(", ".join(likeliest(window, lambda token: token.start_probability))),
            E.br(),
            "Likeliest ends: ",
            _clean(", ".join(likeliest(window, lambda token: token.end_probability))),
            {"class": "likeliest"},
        ),
        {"class": "window"},
    )


def _text(window: WindowExplanation, shades: Shades) -> Iterator[etree._Element]:
    """Return the window's text: a span for each piece, in a mark for each span of the reader's."""
    mark: list[etree._Element] = []
    current = 0
    for piece in pieces(window):
        if piece.span != current:
            yield from _marked(mark, current)
            mark, current = [], piece.span
        mark.append(_piece(piece, shades))
    yield from _marked(mark, current)


def _marked(inside: Sequence[etree._Element], span: int) -> Iterator[etree._Element]:
    if span == 0:
        yield from inside
        return
    yield E.mark(E.sup(str(span)), *inside, {"class": "best" if span == 1 else "other"})


def _piece(piece: Piece, shades: Shades) -> etree._Element:
    attributes = _bars(*shades.of_piece(piece)) if piece.tokens else {}
    if piece.expected:
        attributes["class"] = f"{attributes.get('class', '')} expected".strip()
    if piece.tokens:
        starts = [token.start_logit for token in piece.tokens]
        ends = [token.end_logit for token in piece.tokens]
        attributes["title"] = (
            f"start {percent(piece.start_probability)} ({_logits(starts)}), "
            f"end {percent(piece.end_probability)} ({_logits(ends)})"
        )
    return E.span(_lines(piece.text), attributes)


def _bars(start: float, end: float) -> dict[str, str]:
    """Return the attributes of a token with its two bars."""
    bars = [f"--{name}:{shade:.2f}" for name, shade in (("s", start), ("e", end)) if shade > _FAINT]
    return {"class": "t", "style": ";".join(bars)} if bars else {"class": "t"}


def _logits(values: Sequence[float | None]) -> str:
    return " ".join("none" if value is None else f"{value:.2f}" for value in values)


def _spans(window: WindowExplanation) -> etree._Element:
    names = ("", "span", "what", "start", "end", "score", "confidence")
    rows = [
        E.tr(
            E.td(str(rank)),
            E.td(_clean(span.text), {"class": "words"}),
            E.td(span_role(span, rank)),
            E.td(f"{span.start_logit:.2f}"),
            E.td(f"{span.end_logit:.2f}"),
            E.td(f"{span.score:.2f}"),
            E.td(percent(span.confidence)),
        )
        for rank, span in enumerate(window.spans, 1)
    ]
    return E.table(E.thead(E.tr(*map(E.th, names))), E.tbody(*rows))


def _clean(text: str) -> str:
    return printable(flowing(text))


def _lines(text: str) -> str:
    """Return a text with the document's own lines and without what can't be seen."""
    return "".join(
        char if char == "\n" else " " if char.isspace() else printable(char)
        for char in _BREAK.sub("\n", reading_text(text))
    )
