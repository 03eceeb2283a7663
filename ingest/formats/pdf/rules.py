"""Lines that a page draws, and the tables whose cells they rule."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from itertools import groupby
from typing import Any

import pypdfium2.raw as pdfium

from docqa.ingest.formats.pdf.coordinates import Coordinates

# Left, top, right and bottom of a cell on the page as it is shown.
CellBox = tuple[float, float, float, float]
# Rows from top to bottom, each with its cells from left to right; a cell of several rows is in the
# first of them.
Table = list[list[CellBox]]
# Where a line is (across it), and where it begins and ends.
Rule = tuple[float, float, float]

_Point = tuple[float, float]
_Matrix = tuple[float, float, float, float, float, float]
_AS_IT_IS: _Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)

# Drawings of more parts than this are pictures, not tables.
_MOST_OBJECTS = 5000
_MOST_PARTS = 10_000
_MOST_CROSSINGS = 10_000
_DEEPEST = 4
# In points: how thick a line is at most, how short at least, and how near is at the same place.
_THICKEST = 3.0
_SHORTEST = 4.0
_SLANT = 0.5
_SAME = 1.5
_NEAR = 3.0
_LEAST_CELL = 5.0


def drawn_rules(page: Any, place: Coordinates) -> tuple[list[Rule], list[Rule]]:
    """Return the lines that a page draws from left to right, and from top to bottom.

    Args:
        page: pdfium's.
        place: of things on it.
    """
    across: list[Rule] = []
    down: list[Rule] = []
    for start, end in _edges(page):
        (x1, y1), (x2, y2) = place.point(*start), place.point(*end)
        if abs(y1 - y2) <= _SLANT and abs(x1 - x2) >= _SHORTEST:
            across.append(((y1 + y2) / 2, min(x1, x2), max(x1, x2)))
        elif abs(x1 - x2) <= _SLANT and abs(y1 - y2) >= _SHORTEST:
            down.append(((x1 + x2) / 2, min(y1, y2), max(y1, y2)))
    return across, down


def tables_of(across: list[Rule], down: list[Rule]) -> list[Table]:
    """Return the tables that lines rule: two rows and two columns at least.

    Args:
        across: lines that run from left to right.
        down: lines that run from top to bottom.
    """
    across, down = _joined(across), _joined(down)
    if len(across) * len(down) > _MOST_CROSSINGS:
        return []
    down = _joined(down + _ends(across, down))
    across = _joined(across + _ends(down, across))
    tables = []
    for boxes in _beside(_boxes(across, down)):
        rows: Table = []
        for box in sorted(boxes, key=lambda box: (box[1], box[0])):
            if rows and box[1] - rows[-1][0][1] <= _NEAR:
                rows[-1].append(box)
            else:
                rows.append([box])
        if len(rows) > 1 and max(map(len, rows)) > 1:
            tables.append([sorted(row) for row in rows])
    return tables


# Lines -------------------------------------------------------------------------------------------


def _edges(page: Any) -> Iterator[tuple[_Point, _Point]]:
    """Yield the edges of what a page draws with lines, in its own coordinates."""
    left_parts = _MOST_PARTS
    count = pdfium.FPDFPage_CountObjects(page)
    waiting = [
        (pdfium.FPDFPage_GetObject(page, at), _AS_IT_IS, 0)
        for at in range(min(count, _MOST_OBJECTS))
    ]
    while waiting and left_parts > 0:
        item, outer, depth = waiting.pop()
        kind = pdfium.FPDFPageObj_GetType(item)
        if kind == pdfium.FPDF_PAGEOBJ_FORM and depth < _DEEPEST:
            inner = _times(_matrix(item), outer)
            count = min(pdfium.FPDFFormObj_CountObjects(item), _MOST_OBJECTS)
            waiting += [
                (pdfium.FPDFFormObj_GetObject(item, at), inner, depth + 1) for at in range(count)
            ]
        elif kind == pdfium.FPDF_PAGEOBJ_PATH:
            parts = pdfium.FPDFPath_CountSegments(item)
            left_parts -= max(1, parts)
            if left_parts > 0 and _is_drawn(item, outer):
                yield from _path_edges(item, parts, _times(_matrix(item), outer))


def _is_drawn(path: Any, outer: _Matrix) -> bool:
    """Tell whether a path has a pen's lines, or is as thin as one."""
    filled, stroked = ctypes.c_int(), ctypes.c_int()
    if not pdfium.FPDFPath_GetDrawMode(path, filled, stroked):
        return False
    if stroked.value:
        return True
    edges = [ctypes.c_float() for _ in range(4)]
    if not filled.value or not pdfium.FPDFPageObj_GetBounds(path, *edges):
        return False
    left, bottom, right, top = (edge.value for edge in edges)
    (x1, y1), (x2, y2) = _moved(left, bottom, outer), _moved(right, top, outer)
    return min(abs(x1 - x2), abs(y1 - y2)) <= _THICKEST


def _path_edges(path: Any, parts: int, matrix: _Matrix) -> Iterator[tuple[_Point, _Point]]:
    x, y = ctypes.c_float(), ctypes.c_float()
    first: _Point | None = None
    before: _Point | None = None
    for at in range(parts):
        part = pdfium.FPDFPath_GetPathSegment(path, at)
        pdfium.FPDFPathSegment_GetPoint(part, x, y)
        point = _moved(x.value, y.value, matrix)
        kind = pdfium.FPDFPathSegment_GetType(part)
        if kind == pdfium.FPDF_SEGMENT_LINETO and before is not None:
            yield before, point
        elif kind == pdfium.FPDF_SEGMENT_MOVETO:
            first = point
        before = point
        if pdfium.FPDFPathSegment_GetClose(part) and first is not None:
            yield point, first


def _matrix(item: Any) -> _Matrix:
    matrix = pdfium.FS_MATRIX()
    if not pdfium.FPDFPageObj_GetMatrix(item, matrix):
        return _AS_IT_IS
    return matrix.a, matrix.b, matrix.c, matrix.d, matrix.e, matrix.f


def _times(one: _Matrix, other: _Matrix) -> _Matrix:
    """Return the matrix that does what one does, and then what the other does."""
    a, b, c, d, e, f = one
    (ax, ay), (cx, cy) = _turned(a, b, other), _turned(c, d, other)
    return ax, ay, cx, cy, *_moved(e, f, other)


def _turned(x: float, y: float, matrix: _Matrix) -> _Point:
    a, b, c, d, _, _ = matrix
    return a * x + c * y, b * x + d * y


def _moved(x: float, y: float, matrix: _Matrix) -> _Point:
    turned_x, turned_y = _turned(x, y, matrix)
    return turned_x + matrix[4], turned_y + matrix[5]


# Cells -------------------------------------------------------------------------------------------


def _joined(rules: list[Rule]) -> list[Rule]:
    """Join lines that go on one in another; lines side by side, as thick ones have, are one."""
    places: list[list[Rule]] = []
    for rule in sorted(rules):
        if places and rule[0] - places[-1][0][0] <= _SAME:
            places[-1].append(rule)
        else:
            places.append([rule])
    joined = []
    for place in places:
        where = sum(rule[0] for rule in place) / len(place)
        begin, end = None, 0.0
        for _, start, stop in sorted(place, key=lambda rule: rule[1]):
            if begin is None:
                begin, end = start, stop
            elif start <= end + _NEAR:
                end = max(end, stop)
            else:
                joined.append((where, begin, end))
                begin, end = start, stop
        if begin is not None:
            joined.append((where, begin, end))
    return joined


def _ends(rules: list[Rule], crossing: list[Rule]) -> list[Rule]:
    """Return the lines that close a table whose sides are open, at the ends of its lines.

    Args:
        rules: of one direction.
        crossing: of the other direction.
    """
    alike: list[list[Rule]] = []
    for rule in sorted(rules, key=lambda rule: rule[1:]):
        last = alike[-1][-1] if alike else None
        if last and rule[1] - last[1] <= _SAME and abs(rule[2] - last[2]) <= _SAME:
            alike[-1].append(rule)
        else:
            alike.append([rule])
    ends = []
    for group in alike:
        between = [other for other in crossing if sum(_cross(rule, other) for rule in group) > 1]
        if not between:
            continue
        first = min(min(rule[0] for rule in group), *(other[1] for other in between))
        last_end = max(max(rule[0] for rule in group), *(other[2] for other in between))
        _, begin, end = group[0]
        ends += [(begin, first, last_end), (end, first, last_end)]
    return ends


def _boxes(across: list[Rule], down: list[Rule]) -> list[CellBox]:
    """Return the smallest boxes whose four sides are lines."""
    at_top = [
        [column for column in range(len(down)) if _cross(row, down[column])] for row in across
    ]
    crossing = [set(columns) for columns in at_top]
    by_column: list[list[int]] = [[] for _ in down]
    for row, columns in enumerate(at_top):
        for column in columns:
            by_column[column].append(row)
    boxes = []
    for row, columns in enumerate(at_top):
        for at, column in enumerate(columns):
            box = next(
                (
                    (down[column][0], across[row][0], down[right][0], across[below][0])
                    for below in by_column[column]
                    if below > row and across[below][0] - across[row][0] >= _LEAST_CELL
                    for right in columns[at + 1 :]
                    if right in crossing[below] and down[right][0] - down[column][0] >= _LEAST_CELL
                ),
                None,
            )
            if box is not None:
                boxes.append(box)
    return boxes


def _cross(one: Rule, other: Rule) -> bool:
    """Tell whether two lines of different directions meet."""
    return (
        one[1] - _NEAR <= other[0] <= one[2] + _NEAR
        and other[1] - _NEAR <= one[0] <= other[2] + _NEAR
    )


def _beside(boxes: list[CellBox]) -> list[list[CellBox]]:
    """Gather boxes that touch one another."""
    group = list(range(len(boxes)))

    def root(at: int) -> int:
        while group[at] != at:
            group[at] = group[group[at]]
            at = group[at]
        return at

    by_top = sorted(range(len(boxes)), key=lambda at: boxes[at][1])
    for place, one in enumerate(by_top):
        for other in by_top[place + 1 :]:
            if boxes[other][1] > boxes[one][3] + _NEAR:
                break
            if (
                boxes[other][0] <= boxes[one][2] + _NEAR
                and boxes[one][0] <= boxes[other][2] + _NEAR
            ):
                group[root(other)] = root(one)
    numbers = sorted(range(len(boxes)), key=root)
    return [[boxes[at] for at in members] for _, members in groupby(numbers, key=root)]
