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
