"""Where a passage stands in its document: the document's title, and the headings above it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePath

from docqa.ingest.document import Heading, Source

# The most characters of a line, so that it stays short beside the passage.
_LONGEST = 120
_STEP = " › "


def heading_path(outline: Sequence[Heading], offset: int) -> tuple[str, ...]:
    """Return the headings that an offset stands under, outermost first.

    Args:
        outline: a document's headings, in the order of its text.
        offset: into that text.
    """
    [path] = _paths(outline, [offset])
    return tuple(heading.text for heading in path)


def heading_lines(source: Source, starts: Sequence[int]) -> list[str]:
    """Return a line for each passage that says where it stands: the title, the headings above it.

    Headings in the passage itself are left out, since its text has them. A document that does not
    say what it is called goes by its file's name. Where a line gets too long, the outer headings
    are left out, then its end is.

    Args:
        source: the document.
        starts: where the passages start in its text, ascending.

    Example:
        >>> heading_lines(document, [10_500])
        ['Staff handbook › Leaving › Notice periods']
    """
    return lines_under(source.title or PurePath(source.path).stem, source.outline, starts)


def lines_under(title: str, outline: Sequence[Heading], starts: Sequence[int]) -> list[str]:
    """Return what :func:`heading_lines` does, of a title and headings."""
    return [
        _line(title, [heading.text for heading in path if heading.start < start])
        for start, path in zip(starts, _paths(outline, starts), strict=True)
    ]


def _line(title: str, above: list[str]) -> str:
    steps = [title, *above[above[:1] == [title] :]]
    while len(_STEP.join(steps)) > _LONGEST and len(steps) > 2:
        del steps[1]
    line = " ".join(_STEP.join(steps).split())[:_LONGEST]
    return line.encode("utf-8", "replace").decode()  # a file's name may hold lone surrogates


def _paths(outline: Sequence[Heading], offsets: Sequence[int]) -> Iterator[list[Heading]]:
    """Yield the headings above each offset; the offsets ascend."""
    path: list[Heading] = []
    passed = 0
    for offset in offsets:
        while passed < len(outline) and outline[passed].start <= offset:
            while path and path[-1].level >= outline[passed].level:
                path.pop()
            path.append(outline[passed])
            passed += 1
        yield path
