"""Cells of a page to lines in reading order: column by column, and row by row in a table."""

from __future__ import annotations

import re
import statistics
from bisect import bisect_right
from collections import Counter
from itertools import pairwise

from docqa.ingest.formats.pdf import right_to_left
from docqa.ingest.formats.pdf.line import SAME_BASE, WORD_GAP, Cell, Line

# Columns and tables need this many rows on either side.
_LEAST_ROWS = 3
_MOST_CUTS = 12
_MARKER = re.compile(r"(?:\(?[0-9]{1,3}(?:\.[0-9]{1,3})*[.)]?|\(?[A-Za-z][.)]|[^\w\s]{1,2})\Z")


def in_order(cells: list[Cell], depth: int = 0) -> list[Line]:
    """Return the lines of a region: its bands from top to bottom, columns one after another."""
    edge = _column_edge(cells) if depth < _MOST_CUTS else None
    if edge is None:
        return _as_rows(cells)
    lines: list[Line] = []
    for band in _bands(cells, edge):
        left = [cell for cell in band if cell.left < edge]
        right = [cell for cell in band if cell.left >= edge]
        if left and right and _are_columns(left, right, edge):
            if right_to_left.is_mostly("".join(cell.text for cell in band)):
                left, right = right, left
            lines += in_order(left, depth + 1) + in_order(right, depth + 1)
        else:
            lines += _as_rows(band)
    return lines


def _column_edge(cells: list[Cell]) -> float | None:
    """Return where a second column begins: the left edge with most text in columns beside it."""
    if len(cells) < 2 * _LEAST_ROWS:
        return None
    edges: Counter[int] = Counter(round(cell.left) for cell in cells)
    leftmost = min(edges)
    best: tuple[int, float] | None = None
    for place, count in edges.most_common(12):
        if count + edges[place - 1] + edges[place + 1] < _LEAST_ROWS or place < leftmost + 30:
            continue
        edge = place - 1.5
        good = 0
        for band in _bands(cells, edge):
            left = [cell for cell in band if cell.left < edge]
            right = [cell for cell in band if cell.left >= edge]
            if left and right and _are_columns(left, right, edge):
                good += len(band)
        if good and (best is None or good > best[0]):
            best = good, edge
    return best[1] if best else None


def _bands(cells: list[Cell], edge: float) -> list[list[Cell]]:
    """Cut a region above and below what runs across an edge."""
    bands: list[list[Cell]] = []
    crossing_before = None
    for cell in sorted(cells, key=lambda cell: (cell.base, cell.left)):
        crossing = cell.left < edge and cell.right > edge
        if crossing_before is None or crossing != crossing_before:
            bands.append([])
        bands[-1].append(cell)
        crossing_before = crossing
    return bands


def _are_columns(left: list[Cell], right: list[Cell], edge: float) -> bool:
    """Tell columns of running text from the cells of a table."""
    sides = [_as_rows(left), _as_rows(right)]
    if min(map(len, sides)) < _LEAST_ROWS:
        return False
    gutter = min(cell.left for cell in right) - max(cell.right for cell in left)
    size = statistics.median(cell.size for cell in left + right)
    if gutter < 0.6 * size:
        return False
    in_file = sorted([(cell.order, 0) for cell in left] + [(cell.order, 1) for cell in right])
    switches = sum(a[1] != b[1] for a, b in pairwise(in_file))
    rows = min(map(len, sides))
    bases = sorted(line.base for line in sides[0])
    aligned = sum(_has_near(bases, line.base, 0.25 * line.size) for line in sides[1])
    is_aligned = aligned > 0.8 * rows
    flowing = [_flows(lines) for lines in sides]
    if all(flowing):
        return switches <= 0.5 * rows or rows >= 8
    # Lists and code in columns: written column by column, and not in step.
    return switches <= 2 and rows >= 6 and not is_aligned


def _has_near(values: list[float], value: float, reach: float) -> bool:
    at = bisect_right(values, value - reach)
    return at < len(values) and values[at] <= value + reach


def _flows(lines: list[Line]) -> bool:
    """Tell whether lines are running text: long, and most of them as long as their column."""
    width = max(line.right for line in lines) - min(line.left for line in lines)
    full = statistics.median(line.right - line.left for line in lines) / max(1.0, width)
    letters = statistics.mean(len(line.text) for line in lines)
    tabs = sum("\t" in line.text for line in lines)
    return full > 0.6 and letters > 18 and tabs < 0.3 * len(lines)


def _as_rows(cells: list[Cell]) -> list[Line]:
    """Return lines from top to bottom, cells of one base line apart by a tab."""
    rows: list[list[Cell]] = []
    for cell in sorted(cells, key=lambda cell: (cell.base, cell.left)):
        beside = rows[-1][0] if rows and not rows[-1][0].lines and not cell.lines else None
        if beside and cell.base - beside.base <= SAME_BASE * min(cell.size, beside.size):
            rows[-1].append(cell)
        else:
            rows.append([cell])
    for row in rows:
        row.sort(key=lambda cell: cell.left)
    right = max(cell.right for cell in cells)
    lines = []
    for at, row in enumerate(rows):
        if row[0].lines:
            lines += row[0].lines
            continue
        near = rows[max(0, at - 1) : at] + rows[at + 1 : at + 2]
        is_marked = len(row) == 2 and _MARKER.match(row[0].text)
        is_text = is_marked or _is_stretched(row, near, right)
        longest = max(row, key=lambda cell: len(cell.text))
        leftmost = row[0].left
        if right_to_left.is_mostly("".join(cell.text for cell in row)):
            row = row[::-1]
        lines.append(
            Line(
                (" " if is_text else "\t").join(cell.text for cell in row),
                leftmost,
                max(cell.right for cell in row),
                row[0].base,
                longest.size,
                glyphs=[glyph for cell in row for glyph in cell.glyphs],
            )
        )
    return lines


def _is_stretched(row: list[Cell], beside: list[list[Cell]], right: float) -> bool:
    """Tell whether a row is a line of text that is stretched to the width of its column.

    All gaps between its words are as wide, it ends where the column ends, and it shares no edge
    with the rows beside it, as columns of a table do.

    Args:
        row: cells from left to right.
        beside: the rows before and after.
        right: where the column ends.
    """
    if len(row) < 2 or row[-1].right < right - 1:
        return False
    glyphs = [glyph for cell in row for glyph in cell.glyphs if not glyph.text.isspace()]
    gaps = [
        after.left - before.right
        for before, after in pairwise(glyphs)
        if before.text not in ".,;:!?"  # behind which some programs leave more
    ]
    gaps = [gap for gap in gaps if gap > WORD_GAP * row[0].size]
    if len(gaps) < 2 or max(gaps) > 1.15 * min(gaps):
        return False
    edges = _inner_edges(row)
    return not any(
        abs(edge - mine) < 1 for other in beside for edge in _inner_edges(other) for mine in edges
    )


def _inner_edges(row: list[Cell]) -> list[float]:
    return [cell.right for cell in row[:-1]] + [cell.left for cell in row[1:]]
