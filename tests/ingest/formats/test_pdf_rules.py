"""Tables of drawn lines: their cells are found however the lines are drawn."""

from __future__ import annotations

from itertools import accumulate, pairwise

from hypothesis import given
from hypothesis import strategies as st

from docqa.ingest.formats.pdf.rules import Rule, tables_of

widths = st.lists(st.integers(12, 200), min_size=2, max_size=6)


def edges(sizes: list[int]) -> list[float]:
    return [float(edge) for edge in accumulate(sizes, initial=50)]


@given(columns=widths, rows=widths, part=st.integers(0, 3), data=st.data())
def test_every_cell_of_a_grid_is_found(
    columns: list[int], rows: list[int], part: int, data: st.DataObject
) -> None:
    xs, ys = edges(columns), edges(rows)
    if part == 0:  # whole lines
        across: list[Rule] = [(y, xs[0], xs[-1]) for y in ys]
        down: list[Rule] = [(x, ys[0], ys[-1]) for x in xs]
    elif part == 1:  # the sides of each cell, a little beside those of the next
        across = [(y + d, x, e) for y in ys for x, e in pairwise(xs) for d in (-0.5, 0.5)]
        down = [(x + d, y, e) for x in xs for y, e in pairwise(ys) for d in (-0.5, 0.5)]
    elif part == 2:  # open at the sides
        across = [(y, xs[0], xs[-1]) for y in ys]
        down = [(x, ys[0], ys[-1]) for x in xs[1:-1]]
    else:  # open above and below
        across = [(y, xs[0], xs[-1]) for y in ys[1:-1]]
        down = [(x, ys[0], ys[-1]) for x in xs]
    [table] = tables_of(data.draw(st.permutations(across)), data.draw(st.permutations(down)))
    assert [[(round(a), round(b), round(c), round(d)) for a, b, c, d in row] for row in table] == [
        [(left, top, right, bottom) for left, right in pairwise(xs)] for top, bottom in pairwise(ys)
    ]


def test_cells_of_several_rows_and_columns_are_whole() -> None:
    across: list[Rule] = [(0, 0, 90), (20, 30, 90), (40, 30, 90), (60, 0, 90)]
    down: list[Rule] = [(0, 0, 60), (30, 0, 60), (60, 20, 60), (90, 0, 60)]
    [table] = tables_of(across, down)
    assert table == [
        [(0, 0, 30, 60), (30, 0, 90, 20)],
        [(30, 20, 60, 40), (60, 20, 90, 40)],
        [(30, 40, 60, 60), (60, 40, 90, 60)],
    ]


def test_a_heads_line_a_feet_line_and_a_line_between_columns_are_no_table() -> None:
    assert tables_of([(50, 60, 500), (780, 60, 500)], [(280, 50, 780)]) == []
