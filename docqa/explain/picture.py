"""An explanation as a picture: each window's text with a bar over and under every token.

Text stands on a grid of equally wide characters, so that bars can be drawn where it is.
"""

from __future__ import annotations

import textwrap
import unicodedata
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from docqa.errors import DocQAError
from docqa.explain.explanation import Explanation, WindowExplanation
from docqa.explain.pieces import Piece, Shades, pieces
from docqa.explain.sentence import flowing
from docqa.explain.wording import (
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
from docqa.ingest.windows import reading_text
from docqa.printable import printable

# All lengths are in points.
_SIZE = 10.0  # of the text of windows
_CELL = 0.602 * _SIZE  # how wide a character is in DejaVu Sans Mono
_COLUMNS = 104
_MARGIN = 28.0
_BAR = 6.0
_ROW = _SIZE + 2 * _BAR + 5.0
_WIDTH = 2 * _MARGIN + _COLUMNS * _CELL
_FAINT = 0.1
# Pixels: of an inch, and of the tallest picture that Agg can draw.
_DPI, _TALLEST = 110, 65_000
_INK, _QUIET, _LINE = "#1c1f24", "#5d6673", "#dfe3e8"
_START, _END, _BEST, _OTHER, _EXPECTED = "#2563eb", "#ea580c", "#fde68a", "#e5e7eb", "#15803d"
_GOOD, _BAD = "#15803d", "#b45309"


@dataclass(frozen=True, slots=True)
class _Text:
    x: float
    y: float  # of the middle of the line, from the top
    text: str
    size: float
    color: str
    bold: bool
    mono: bool


@dataclass(frozen=True, slots=True)
class _Box:
    x: float
    y: float
    width: float
    height: float
    color: str


@dataclass
class _Sheet:
    """What is to be drawn, from the top down; ``y`` is how far it has come."""

    y: float = _MARGIN
    texts: list[_Text] = field(default_factory=list)
    boxes: list[_Box] = field(default_factory=list)

    def paragraph(
        self,
        text: str,
        size: float = _SIZE,
        color: str = _INK,
        bold: bool = False,
        mono: bool = False,
    ) -> None:
        """Lines of text as wide as the sheet."""
        columns = int(_COLUMNS * _CELL / (size * (0.602 if mono or bold else 0.55)))
        for line in textwrap.wrap(text, columns, break_on_hyphens=False):
            self.y += size * 0.75
            self.texts.append(_Text(_MARGIN, self.y, line, size, color, bold, mono))
            self.y += size * 0.75


def write_picture(explanation: Explanation, file: Path) -> None:
    """Write the picture as PNG; whole or not at all.

    Raises:
        DocQAError: matplotlib is not installed.
        OSError: it can't be written.
    """
    require_matplotlib()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    sheet = _laid_out(explanation)
    height = sheet.y + _MARGIN
    figure = Figure(figsize=(_WIDTH / 72, height / 72), facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, _WIDTH), ylim=(height, 0))
    axes.set_axis_off()
    for box in sheet.boxes:
        axes.add_patch(
            Rectangle((box.x, box.y), box.width, box.height, color=box.color, linewidth=0)
        )
    for text in sheet.texts:
        axes.text(
            text.x,
            text.y,
            text.text,
            size=text.size,
            color=text.color,
            weight="bold" if text.bold else "normal",
            family="DejaVu Sans Mono" if text.mono else "DejaVu Sans",
            verticalalignment="center_baseline",
            parse_math=False,
        )
    with replaced(file) as part, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # it becomes a box
        figure.savefig(part, format="png", dpi=min(_DPI, _TALLEST * 72 / height))


def require_matplotlib() -> None:
    """Make sure that a picture can be drawn.

    Raises:
        DocQAError: matplotlib is not installed.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise DocQAError(
            "the picture needs matplotlib, which is not installed: pip install 'docqa[train]'"
        ) from error


def _laid_out(explanation: Explanation) -> _Sheet:
    sheet = _Sheet()
    sheet.paragraph(_clean(explanation.question), 15, bold=True)
    sheet.y += 4
    for rank, answer in enumerate(explanation.answers, 1):
        where = f"page {answer.page}, " if answer.page is not None else ""
        sheet.paragraph(
            f"{rank}. {_clean(answer.text)}  ({where}score {answer.score:.2f}, "
            f"confidence {percent(answer.confidence)})"
        )
    if not explanation.answers:
        sheet.paragraph(no_answer_line(explanation))
    diagnosis = explanation.diagnosis
    if diagnosis is not None and explanation.sentence is not None:
        sheet.y += 6
        color = _GOOD if diagnosis.verdict == "right" else _BAD
        sheet.paragraph(_clean(explanation.sentence), color=color)
    sheet.y += 6
    sheet.paragraph(read_line(explanation), 9, _QUIET)
    shades = Shades.of(explanation)
    _legend(sheet, shades, any(window.expected for window in explanation.windows))
    for window in explanation.windows:
        _window(sheet, window, explanation.windows_read, shades)
    return sheet


def _legend(sheet: _Sheet, shades: Shades, expected: bool) -> None:
    """What bars and colours mean, in one row of text like those of the windows."""
    x, top = _MARGIN, sheet.y + 4
    entries = [
        (f"may start an answer (full bar {percent(shades.start)})", _START),
        (f"may end one (full bar {percent(shades.end)})", _END),
        ("best span", _BEST),
        ("runner-up", _OTHER),
    ]
    if expected:
        entries.append(("expected", _EXPECTED))
    for name, color in entries:
        width = len(name) * _CELL * 0.85 + 5
        height = 2.0 if color == _EXPECTED else _BAR if color in (_START, _END) else _SIZE + 3
        y = top if color == _START else top + _BAR + _SIZE + 3
        if color in (_BEST, _OTHER):
            y = top + _BAR
        sheet.boxes.append(_Box(x, y, width, height, color))
        sheet.texts.append(
            _Text(x + 1, top + _BAR + _SIZE / 2 + 1.5, name, _SIZE * 0.85, _INK, False, True)
        )
        x += width + 2 * _CELL
    sheet.y = top + _ROW


def _window(sheet: _Sheet, window: WindowExplanation, windows_read: int, shades: Shades) -> None:
    sheet.y += 12
    sheet.boxes.append(_Box(_MARGIN, sheet.y, _COLUMNS * _CELL, 0.8, _LINE))
    sheet.y += 10
    sheet.paragraph(
        f"Window {window.rank} of {windows_read}: {_clean(window_place(window))}", 11, bold=True
    )
    for line in (retrieval_line(window), ranking_line(window), null_line(window)):
        if line:
            sheet.paragraph(line, 9, _QUIET)
    sheet.y += 6
    for row in _rows(window):
        _row(sheet, row, shades)
    sheet.y += 4
    for rank, span in enumerate(window.spans, 1):
        sheet.boxes.append(
            _Box(_MARGIN, sheet.y + 1, _CELL * 3, 12.5, _BEST if rank == 1 else _OTHER)
        )
        sheet.paragraph(
            f" {rank}  {_short(_clean(span.text), 46):46}  "
            f"{span.start_logit:6.2f} + {span.end_logit:5.2f} = {span.score:5.2f}  "
            f"{span_role(span, rank)}",
            9,
            mono=True,
        )


@dataclass(frozen=True, slots=True)
class _Cell:
    """A character on the grid and the piece that it is of."""

    text: str
    columns: int
    piece: Piece


def _rows(window: WindowExplanation) -> Iterator[list[_Cell]]:
    """The window's text as one paragraph on the grid, broken where there are blanks."""
    row: list[_Cell] = []
    word: list[_Cell] = []
    for cell in [*_cells(window), None]:
        if cell is not None and cell.text != " " and _wide(word) < _COLUMNS:
            word.append(cell)
            continue
        if row and _wide(row) + _wide(word) > _COLUMNS:
            yield row
            row = []
        row += word
        word = []
        if cell is not None:
            (row if cell.text == " " else word).append(cell)
    if row:
        yield row


def _cells(window: WindowExplanation) -> Iterator[_Cell]:
    blank = True
    for piece in pieces(window):
        for char in reading_text(piece.text):
            if char.isspace():
                if not blank:
                    yield _Cell(" ", 1, piece)
                blank = True
                continue
            blank = False
            shown = printable(char)
            yield _Cell(shown, sum(map(_columns, shown)), piece)


def _columns(char: str) -> int:
    """How many columns of the grid a character takes."""
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _wide(cells: list[_Cell]) -> int:
    return sum(cell.columns for cell in cells)


def _row(sheet: _Sheet, row: list[_Cell], shades: Shades) -> None:
    """A line of text with its bars and marks."""
    x, top = _MARGIN, sheet.y
    for piece, group in groupby(row, key=lambda cell: cell.piece):
        cells = list(group)
        width = _wide(cells) * _CELL
        start, end = shades.of_piece(piece)
        if piece.span:
            color = _BEST if piece.span == 1 else _OTHER
            sheet.boxes.append(_Box(x, top + _BAR, width, _SIZE + 3, color))
        if piece.expected:
            sheet.boxes.append(_Box(x, top + _BAR + _SIZE + 1.2, width, 1.6, _EXPECTED))
        if start > _FAINT:
            sheet.boxes.append(_Box(x, top + _BAR * (1 - start), width, _BAR * start, _START))
        if end > _FAINT:
            sheet.boxes.append(_Box(x, top + _BAR + _SIZE + 3, width, _BAR * end, _END))
        middle = top + _BAR + _SIZE / 2 + 1.5
        for part, columns in _words(cells):
            sheet.texts.append(_Text(x, middle, part, _SIZE, _INK, False, True))
            x += columns * _CELL
    sheet.y += _ROW


def _words(cells: list[_Cell]) -> Iterator[tuple[str, int]]:
    """Cells as few pieces of text as stay on the grid: what is not one column wide stands alone."""
    for plain, group in groupby(cells, key=lambda cell: cell.columns == len(cell.text)):
        run = list(group)
        for part in [run] if plain else [[cell] for cell in run]:
            yield "".join(cell.text for cell in part), _wide(part)


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _clean(text: str) -> str:
    return printable(flowing(text))
