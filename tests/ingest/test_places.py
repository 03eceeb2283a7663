"""Where a stretch of a PDF's text stands on the page, and the picture of the page."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import threading
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from reportlab.pdfgen.canvas import Canvas

from docqa.ingest.document import Document, LoadLimits
from docqa.ingest.errors import IngestError
from docqa.ingest.load import load
from docqa.ingest.places import Box, boxes, page_size, render_page
from tests.pdfs import by_hand, drawn, with_note, written

HEIGHT = 842


def saved(tmp_path: Path, *pages: Callable[[Canvas], None], data: bytes | None = None) -> Document:
    path = tmp_path / "a.pdf"
    path.write_bytes(data or drawn(*pages))
    return load(str(path), LoadLimits())


def boxes_of(document: Document, words: str, start: int = 0) -> list[Box]:
    start = document.text.index(words, start)
    end = start + len(words)
    found = boxes(document.path, start, end, source=document)
    assert boxes(document.path, start, end, expected=words) == found  # without the source as well
    return found


def close_to(box: Box, page: int, left: float, base: float, right: float, size: float) -> bool:
    """Whether a box holds a line of a size, and no line beside it."""
    return (
        box.page == page
        and abs(box.left - left) < 0.1 * size
        and abs(box.right - right) < 0.1 * size
        and base - 1.1 * size < box.top < base - 0.7 * size
        and base + 0.2 * size < box.bottom < base + 0.4 * size
    )


def width(words: str, size: float) -> float:
    from reportlab.pdfbase.pdfmetrics import stringWidth

    return float(stringWidth(words, "Helvetica", size))


def test_words_are_boxed_where_they_were_drawn(tmp_path: Path) -> None:
    document = saved(tmp_path, written("The rent is due in May.", "It is paid to the bank."))
    [box] = boxes_of(document, "rent is due")
    left = 60 + width("The ", 11)
    assert close_to(box, 1, left, HEIGHT - 780, left + width("rent is due", 11), 11)


def test_each_line_and_each_page_has_a_box_of_its_own(tmp_path: Path) -> None:
    document = saved(
        tmp_path, written("The rent is due", "on the first"), written("of May.", "Else a fee.")
    )
    found = boxes_of(document, "due\non the first\nof May")
    assert [box.page for box in found] == [1, 1, 2]
    assert found[0].left > found[1].left == pytest.approx(60, abs=1)
    assert found[0].bottom < found[1].bottom


def test_running_heads_left_out_of_the_text_move_no_box(tmp_path: Path) -> None:
    def page(number: int) -> Callable[[Canvas], None]:
        def draw(canvas: Canvas) -> None:
            written("Handbook of pumps", y=800)(canvas)
            written(f"The pump {number} is blue.", "Handbook of pumps", y=600)(canvas)
            written(f"Page {number}", y=40)(canvas)

        return draw

    document = saved(tmp_path, *map(page, range(1, 6)))
    start = document.page_starts[2]
    assert document.text[start : document.page_starts[3]].count("Handbook of pumps") == 1
    [box] = boxes_of(document, "pump 3 is")
    assert close_to(box, 3, 60 + width("The ", 11), HEIGHT - 600, box.right, 11)
    [box] = boxes_of(document, "Handbook of pumps", start)  # those of the text, not the head
    assert close_to(box, 3, 60, HEIGHT - 600 + 14.3, 60 + width("Handbook of pumps", 11), 11)


def test_a_raised_digit_is_in_the_box_of_its_line(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        text = canvas.beginText(60, 700)
        for words, rise, size in [("It has 3.5 x 10", 0, 12), ("6", 5, 8), (" cells", 0, 12)]:
            text.setFont("Helvetica", size)
            text.setRise(rise)
            text.textOut(words)
        canvas.drawText(text)

    document = saved(tmp_path, draw)
    [box] = boxes_of(document, "10\u2076 cells")
    left = 60 + width("It has 3.5 x ", 12)
    right = left + width("10", 12) + width("6", 8) + width(" cells", 12)
    assert close_to(box, 1, left, HEIGHT - 700, right, 12)
    [box] = boxes_of(document, "10\u2076")
    assert box.right == pytest.approx(left + width("10", 12) + width("6", 8), abs=1)


def test_leaders_and_cells_of_a_row_move_no_box(tmp_path: Path) -> None:
    document = saved(tmp_path, written("Pumps . . . . . . . . . . . . . . . . 17 and more"))
    assert document.text == "Pumps\t17 and more"
    [box] = boxes_of(document, "17")
    left = 60 + width("Pumps . . . . . . . . . . . . . . . . ", 11)
    assert close_to(box, 1, left, HEIGHT - 780, left + width("17", 11), 11)


def test_words_in_cells_of_a_ruled_table_have_a_box_in_each_cell(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        for edge in (60, 160, 260):
            canvas.line(edge, 700, edge, 780)
        for edge in (700, 740, 780):
            canvas.line(60, edge, 260, edge)
        written("Rent", "of May", x=65, y=765, size=10)(canvas)
        written("950 euros", x=165, y=758, size=10)(canvas)
        written("Heating", x=65, y=718, size=10)(canvas)
        written("120 euros", x=165, y=718, size=10)(canvas)

    document = saved(tmp_path, draw)
    assert document.text == "Rent\nof May\t950 euros\nHeating\t120 euros"
    may, rent = boxes_of(document, "May\t950 euros")
    assert close_to(may, 1, 65 + width("of ", 10), HEIGHT - 752, 65 + width("of May", 10), 10)
    assert close_to(rent, 1, 165, HEIGHT - 758, 165 + width("950 euros", 10), 10)
    [heating] = boxes_of(document, "Heating\t120 euros")
    assert close_to(heating, 1, 65, HEIGHT - 718, 165 + width("120 euros", 10), 10)


def test_the_value_of_a_field_has_the_box_of_its_field(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        written("Surname:", y=700)(canvas)
        canvas.acroForm.textfield(name="a", value="Okonkwo", x=150, y=692, width=200, height=20)

    document = saved(tmp_path, draw)
    assert boxes_of(document, "Okonkwo") == [Box(1, 150, HEIGHT - 712, 350, HEIGHT - 692)]


def test_a_typed_note_has_the_box_of_its_note(tmp_path: Path) -> None:
    page = drawn(lambda canvas: (written("Above")(canvas), written("Below", y=500)(canvas)))
    document = saved(tmp_path, data=with_note(page, "/FreeText", "Paid in May"))
    assert boxes_of(document, "Paid in May") == [Box(1, 60, HEIGHT - 660, 300, HEIGHT - 640)]


def test_a_page_that_is_turned_is_boxed_as_it_is_shown(tmp_path: Path) -> None:
    content = b"BT /F1 12 Tf 0 1 -1 0 200 100 Tm (The quiet harbour lies north) Tj ET"
    document = saved(tmp_path, data=by_hand(content, page=b"/Rotate 90 /CropBox [50 40 595 842]"))
    assert page_size(document.path, 1) == (802, 545)
    [box] = boxes_of(document, "quiet harbour")
    left = 100 - 40 + width("The ", 12)
    assert close_to(box, 1, left, 200 - 50, left + width("quiet harbour", 12), 12)


def test_a_box_holds_the_ink_of_its_words_and_no_other(tmp_path: Path) -> None:
    document = saved(tmp_path, written("Agreed by Quigley today", "gypsum jug", "Against it"))
    [box] = boxes_of(document, "gypsum jug")
    pixels, wide = decoded(render_page(document.path, 1, 1190))
    scale = wide / 595
    dark = [(at % wide / scale, at // wide / scale) for at, grey in enumerate(pixels) if grey < 128]
    inside = [p for p in dark if box.left <= p[0] <= box.right and box.top <= p[1] <= box.bottom]
    line = [p for p in dark if abs(p[1] - (HEIGHT - 780 + 14.3)) < 7]
    assert len(inside) > 0.97 * len(line)
    assert max(x for x, _ in inside) > 60 + width("gypsum ju", 11)


def decoded(png: bytes) -> tuple[bytes, int]:
    """The pixels of a grey PNG whose rows say what they differ from the one above; its width."""
    wide, high, _, kind = struct.unpack(">IIBB", png[16:26])
    assert (png[:8], kind) == (b"\x89PNG\r\n\x1a\n", 0)
    size = struct.unpack(">I", png[33:37])[0]
    rows = zlib.decompress(png[41 : 41 + size])
    assert len(rows) == high * (wide + 1)
    above, out = bytes(wide), []
    for row in range(high):
        line = rows[row * (wide + 1) + 1 : (row + 1) * (wide + 1)]
        above = bytes((a + b) & 0xFF for a, b in zip(above, line, strict=True))
        out.append(above)
    return b"".join(out), wide


def test_a_picture_shows_colours_and_form_values_and_has_a_bound(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.setFillColorRGB(1, 0, 0)
        canvas.rect(100, 100, 300, 300, fill=1)

    document = saved(
        tmp_path, written("Grey"), lambda canvas: (written("Red")(canvas), draw(canvas))
    )
    grey, red = (render_page(document.path, page, 300) for page in (1, 2))
    assert (grey[25], red[25]) == (0, 2)  # kinds of PNG: grey and colour
    assert struct.unpack(">II", red[16:24]) == (300, round(300 * 842 / 595))
    wide, high = struct.unpack(">II", render_page(document.path, 1, 1_000_000)[16:24])
    assert 4_900_000 < wide * high <= 5_010_000


def test_a_file_that_has_changed_is_said_to_have_changed(tmp_path: Path) -> None:
    document = saved(tmp_path, written("The rent is 900 euros."), written("The end."))
    saved(tmp_path, written("The rent is 950 euros."), written("The end."))
    with pytest.raises(IngestError, match="changed since it was indexed"):
        boxes(document.path, 4, 8, source=document)
    with pytest.raises(IngestError, match="changed since it was indexed"):
        boxes(document.path, 12, 15, expected="900")
    saved(tmp_path, written("The rent is 900 euros."))
    with pytest.raises(IngestError, match="changed since it was indexed"):
        boxes(document.path, *(at + document.text.index("end") for at in (0, 3)), source=document)
    (tmp_path / "a.pdf").unlink()
    with pytest.raises(IngestError, match="no such file"):
        boxes(document.path, 4, 8, source=document)


def test_formats_without_pages_have_no_boxes_and_say_so_for_pictures(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("The rent is 900 euros.")
    assert boxes(str(path), 4, 8) == []
    with pytest.raises(IngestError, match="no pages"):
        render_page(str(path), 1, 100)


def test_a_member_of_an_archive_has_boxes(tmp_path: Path) -> None:
    """Fault: the member's path was looked for as a file where no index gave its text."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("lease.pdf", drawn(written("The rent is 900 euros.")))
    [box] = boxes(str(tmp_path / "a.zip" / "lease.pdf"), 4, 8, expected="rent")
    assert box.page == 1


def test_a_page_that_is_not_there_and_a_damaged_file_give_a_reason(tmp_path: Path) -> None:
    document = saved(tmp_path, written("The rent is 900 euros."))
    for page in (0, 2):
        with pytest.raises(IngestError, match=f"no page {page}: its pages are 1 to 1"):
            render_page(document.path, page, 100)
    (tmp_path / "b.pdf").write_bytes(b"%PDF-1.5 nothing")
    with pytest.raises(IngestError, match="damaged"):
        page_size(str(tmp_path / "b.pdf"), 1)


def test_a_page_that_only_pypdf_reads_has_no_boxes(tmp_path: Path) -> None:
    bomb = b"<< /Filter [/FlateDecode /FlateDecode] /Length 0 >>\nstream\n\nendstream"
    data = by_hand(
        b"BT /F1 12 Tf 60 700 Td (The rent) Tj ET", more=b"9 0 obj\n" + bomb + b"\nendobj\n"
    )
    document = saved(tmp_path, data=data)
    assert boxes(document.path, 0, 3, source=document) == []


def test_several_threads_ask_at_once(tmp_path: Path) -> None:
    document = saved(tmp_path, *(written(f"This is page {n} of them.", y=500) for n in range(1, 9)))
    found: dict[int, list[Box]] = {}

    def ask(page: int) -> None:
        start = document.page_starts[page - 1]
        found[page] = boxes(document.path, start, start + 4, source=document)

    threads = [threading.Thread(target=ask, args=[page]) for page in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {page: [box.page for box in row] for page, row in found.items()} == {
        page: [page] for page in range(1, 9)
    }


def test_the_worker_lives_between_calls_and_ends_with_its_parent(tmp_path: Path) -> None:
    document = saved(tmp_path, written("The rent is 900 euros."))
    code = (
        "import os, sys\n"
        "from docqa.ingest import places\n"
        "places.page_size(sys.argv[1], 1)\n"
        "first = places._SHARED._worker.pid\n"
        "places.render_page(sys.argv[1], 1, 100)\n"
        "assert places._SHARED._worker.pid == first\n"
        "print(first, flush=True)\n"
        "os._exit(0)\n"  # as where it is killed: nothing is closed
    )
    out = subprocess.run(
        [sys.executable, "-c", code, document.path], check=True, capture_output=True, text=True
    ).stdout
    while _is_alive(int(out)):
        pass


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/status").read_text().split("State:")[1].split()[0] != "Z"
    except (OSError, IndexError):
        return False


def test_boxes_of_a_member_of_an_archive(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("in/a.pdf", drawn(written("The lease ends in May.")))
    document = load(f"{path}/in/a.pdf", LoadLimits())
    start = document.text.index("May")
    assert [box.page for box in boxes(document.path, start, start + 3)] == [1]
