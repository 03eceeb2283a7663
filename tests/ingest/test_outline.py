"""Where a passage stands: headings above it, and the line that says so."""

from __future__ import annotations

from docqa.ingest.document import Document, Heading
from docqa.ingest.outline import heading_lines, heading_path

OUTLINE = (
    Heading("Lease", 1, 0),
    Heading("1 Rent", 2, 10),
    Heading("1.1 Late fee", 3, 20),
    Heading("2 Notice", 2, 30),
    Heading("Annex", 1, 40),
)


def lines(
    starts: list[int],
    title: str | None = "Lease",
    outline: tuple[Heading, ...] = OUTLINE,
    path: str = "/d/lease 2024.pdf",
) -> list[str]:
    document = Document(path, "pdf", "x" * 60, (), "", 0, 0, title=title, outline=outline)
    return heading_lines(document, starts)


def test_headings_above_an_answer_are_its_path() -> None:
    assert heading_path(OUTLINE, 0) == ("Lease",)
    assert heading_path(OUTLINE, 25) == ("Lease", "1 Rent", "1.1 Late fee")
    assert heading_path(OUTLINE, 35) == ("Lease", "2 Notice")
    assert heading_path(OUTLINE, 99) == ("Annex",)
    assert heading_path(OUTLINE[1:], 5) == ()
    skipped = (Heading("a", 1, 0), Heading("b", 4, 1), Heading("c", 2, 2))
    assert heading_path(skipped, 9) == ("a", "c")


def test_a_line_has_title_and_headings_and_none_twice() -> None:
    found = lines([0, 5, 25, 35, 50])
    assert found[:2] == ["Lease", "Lease"]
    assert found[2:] == ["Lease › 1 Rent › 1.1 Late fee", "Lease › 2 Notice", "Lease › Annex"]
    assert lines([25], title="Flat 3")[0] == "Flat 3 › Lease › 1 Rent › 1.1 Late fee"


def test_a_heading_in_the_passage_itself_is_not_in_its_line() -> None:
    assert lines([10, 20, 40]) == ["Lease", "Lease › 1 Rent", "Lease"]


def test_a_document_without_a_title_goes_by_its_file_s_name() -> None:
    assert lines([0, 50], title=None, outline=()) == ["lease 2024", "lease 2024"]
    [odd] = lines([0], title=None, outline=(), path="/d/caf\udce9.pdf")
    assert odd == "caf?"


def test_a_long_line_leaves_out_outer_headings_first_and_has_an_end() -> None:
    deep = tuple(Heading(f"{level} " + "long " * 9, level, level) for level in range(1, 6))
    [line] = lines([50], outline=deep)
    assert line.startswith("Lease › ")
    assert line.endswith("5 long long long long long long long long long")
    assert "1 long" not in line
    assert len(line) <= 120
    assert len(lines([50], title="x" * 500)[0]) == 120


def test_a_line_is_one_line() -> None:
    assert lines([5], title="The\nlease\tof 2024", outline=()) == ["The lease of 2024"]
