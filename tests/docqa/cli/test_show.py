"""What is printed of an answer."""

from __future__ import annotations

import click
import pytest

from docqa.answer import Answer
from docqa.cli.show import print_answer
from docqa.ingest.document import Document, Heading


def printed(
    capsys: pytest.CaptureFixture[str], title: str | None, outline: tuple[Heading, ...]
) -> str:
    text = "Lease\n\n3.2 Notice periods\n\nNinety days."
    document = Document("/d/lease.txt", "text", text, (), "", 0, 0, title, outline)
    start = text.index("Ninety")
    print_answer(1, Answer.from_span(document, start, start + 11, (0, len(text)), 1.0, 0.5))
    return click.unstyle(capsys.readouterr().out)


def test_title_and_headings_say_where_an_answer_stands(capsys: pytest.CaptureFixture[str]) -> None:
    notice = Heading("3.2 Notice\x1b periods", 2, 7)
    assert "   Lease of 2024 \u203a 3.2 Notice\\x1b periods\n" in printed(
        capsys, "Lease of 2024", (notice,)
    )
    shown = printed(capsys, "Lease", (Heading("Lease", 1, 0), notice))
    assert "   Lease \u203a 3.2 Notice" in shown, "a title that is the first heading stands once"
    assert "\u203a" not in printed(capsys, "Lease", ())
    assert printed(capsys, None, ()).count("\n") == 3


@pytest.mark.parametrize(
    ("probability", "doubtful", "said"),
    [
        (0.344, True, "(doubtful: 34% sure)"),
        (0.001, True, "(doubtful: below 1% sure)"),
        (0.5, False, "(50% sure)"),
        (None, False, "(confidence 20%)"),
    ],
)
def test_a_doubtful_answer_is_called_so(
    probability: float | None, doubtful: bool, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    document = Document("/d/lease.txt", "text", "Ninety days.", (), "", 0, 0)
    span = (0, 11)
    print_answer(1, Answer.from_span(document, *span, span, 1.0, 0.2, probability, doubtful))
    assert said in click.unstyle(capsys.readouterr().out)
