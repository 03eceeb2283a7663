"""PDF: what a reader of the page sees, in reading order; a page that can't be read costs itself."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from itertools import pairwise

import pypdf
import pytest
from fpdf import FPDF
from PIL import Image
from pypdf.generic import (
    DecodedStreamObject,
    NameObject,
)
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from docqa.ingest.errors import IngestError
from docqa.ingest.formats import Extracted, extract
from tests.pdfs import by_hand, drawn, with_note, written


def text_of(*pages: Callable[[Canvas], None]) -> str:
    return extract("pdf", drawn(*pages)).text


# Numbers and letters -----------------------------------------------------------------------------


def test_raised_and_lowered_digits_do_not_join_the_number() -> None:
    # A page that shows 10 with a raised 6 said "106".
    def draw(canvas: Canvas) -> None:
        text = canvas.beginText(60, 700)
        for words, rise, size in [
            ("It has 3.5 \u00d7 10", 0, 12), ("6", 5, 8), (" cells per m", 0, 12), ("2", 5, 8),
            (", H", 0, 12), ("2", -3, 8), ("O, and as shown", 0, 12), ("17", 5, 8),
            (" on the 1", 0, 12), ("st", 5, 8), (" of May", 0, 12),
        ]:  # fmt: skip
            text.setFont("Helvetica", size)
            text.setRise(rise)
            text.textOut(words)
        canvas.drawText(text)

    assert text_of(draw) == (
        "It has 3.5 \u00d7 10\u2076 cells per m\u00b2, H\u2082O, and as shown \u00b9\u2077 on the "
        "1st of May"
    )


def test_letters_printed_twice_to_look_bold_are_there_once() -> None:
    def draw(canvas: Canvas) -> None:
        for shift in (0, 0.3, 0.6):
            written("Total amount: 4488 euros, all of it", x=60 + shift)(canvas)

    assert text_of(draw) == "Total amount: 4488 euros, all of it"


def test_the_mark_of_a_note_stands_before_the_note() -> None:
    """Fault: the raised number was a line of its own, apart from what it numbers."""

    def draw(canvas: Canvas) -> None:
        written("as the rules of the club say in their third part, which is", y=700)(canvas)
        for number, note in ((13, "First of all."), (14, "Then again.")):
            y = 100 - 14 * (number - 13)
            written(str(number), x=62, y=y + 3.8, size=7)(canvas)
            written(note, x=75, y=y, size=9)(canvas)

    assert text_of(draw).split("\n")[1:] == [
        "\u00b9\u00b3 First of all.",
        "\u00b9\u2074 Then again.",
    ]


def test_a_raised_digit_is_of_its_own_column_where_a_line_beside_stands_as_high() -> None:
    def draw(canvas: Canvas) -> None:
        column(0, 60)(canvas)
        for at in range(12):
            y = 700 - 11.7 * at + 4
            written(" ".join(FLOWING[5 * at : 5 * at + 5]), x=310, y=y, size=9)(canvas)
        end = 60 + canvas.stringWidth(" ".join(FLOWING[:5]), "Helvetica", 9)
        written("17", x=end, y=704, size=6)(canvas)

    assert text_of(draw).startswith("The committee met in the \u00b9\u2077\nold hall")


def test_letters_that_a_logo_moves_off_the_line_stay_in_their_word() -> None:
    """Fault: TeX's logo was "T X", and its E was a line of its own."""

    def draw(canvas: Canvas) -> None:
        text = canvas.beginText(60, 700)
        for words, rise, size, kern in [
            ("set with L", 0, 11, -3.8), ("A", 2.1, 7.7, -1.6), ("T", 0, 11, -1.8),
            ("E", -2.4, 11, -1.4), ("X, as books are", 0, 11, 0),
        ]:  # fmt: skip
            text.setFont("Times-Roman", size)
            text.setRise(rise)
            text.textOut(words)
            text.moveCursor(canvas.stringWidth(words, "Times-Roman", size) + kern, 0)
        canvas.drawText(text)

    assert text_of(draw) == "set with LATEX, as books are"


def test_single_letters_of_type_of_one_width_stay_apart() -> None:
    """Fault: "a4 a a a" lost its blanks where the file has none, as if letters were spaced."""

    def draw(canvas: Canvas) -> None:
        canvas.setFont("Courier", 10)
        for x, word in zip((60, 78, 90, 102, 114), ("a4", "a", "a", "a", "|"), strict=True):
            canvas.drawString(x, 700, word)

    assert text_of(draw) == "a4 a a a |"


def test_leaders_are_a_tab_and_four_dots_in_a_sentence_are_none() -> None:
    lines = written(
        "Choose Assign as payment.... The window opens.",
        "1 Payments .......... 17",
        "Signed: .............. on the .......... of May",
    )
    assert text_of(lines).split("\n") == [
        "Choose Assign as payment.... The window opens.",
        "1 Payments\t17",
        "Signed:\ton the\tof May",
    ]


def test_ligatures_become_all_of_their_letters() -> None:
    # As TeX sets them: one glyph of the font says two or three letters.
    font = (
        b"6 0 obj\n<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /FirstChar 97 /LastChar 98 "
        b"/Widths [584 500] /ToUnicode 7 0 R >>\nendobj\n7 0 obj\n<< /Length 61 >>\nstream\n"
        b"2 beginbfchar\n<61> <00660066>\n<62> <006600660069>\nendbfchar\nendstream\nendobj\n"
    )
    content = (
        b"BT /F1 12 Tf 60 700 Td (di) Tj /F2 12 Tf (a) Tj "
        b"/F1 12 Tf (erent o) Tj /F2 12 Tf (b) Tj ET"
    )
    data = by_hand(content, more=font).replace(b"/F1 5 0 R", b"/F1 5 0 R /F2 6 0 R")
    assert extract("pdf", data).text == "different offi"


def test_accents_set_over_their_letter_are_composed() -> None:
    content = b"BT /F1 12 Tf 60 700 Td (caf) Tj 17.0 0 Td (\xb4) Tj -1.34 0 Td (e noir) Tj ET"
    assert extract("pdf", by_hand(content)).text == "caf\u00e9 noir"


def test_the_text_that_a_file_says_for_its_glyphs_is_taken() -> None:
    content = (
        b"BT /F1 12 Tf 60 700 Td /Span << /ActualText (fish) >> BDC (xyz) Tj EMC ( soup) Tj ET"
    )
    assert extract("pdf", by_hand(content)).text == "fish soup"


def test_a_font_without_a_map_is_read_by_its_own_table_or_reported(tmp_path: object) -> None:
    # Pages of control characters were indexed as text.
    codes = b"".join(b"%04x" % code for code in range(1, 31))
    font = (
        b"6 0 obj\n<< /Type /Font /Subtype /Type0 /BaseFont /X /Encoding /Identity-H "
        b"/DescendantFonts [7 0 R] >>\nendobj\n7 0 obj\n<< /Type /Font /Subtype /CIDFontType2 "
        b"/BaseFont /X /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> "
        b"/DW 500 >>\nendobj\n"
    )
    content = b"BT /F2 12 Tf 60 700 Td <%b> Tj ET" % codes
    data = by_hand(content, more=font).replace(b"/F1 5 0 R", b"/F1 5 0 R /F2 6 0 R")
    with pytest.raises(IngestError, match="letters can't be told"):
        extract("pdf", data)


TO_LETTERS = b"2 beginbfchar\n<61> <006d>\n<62> <006d>\nendbfchar"


def test_a_font_with_two_glyphs_for_one_letter_cuts_no_word() -> None:
    """Fault: "m ay", "com m and" all over: a narrow m's width was taken for the wide one's."""
    font = (
        b"6 0 obj\n<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /FirstChar 97 /LastChar 98 "
        b"/Widths [833 600] /ToUnicode 7 0 R >>\nendobj\n7 0 obj\n<< /Length %d >>\nstream\n%b\n"
        b"endstream\nendobj\n" % (len(TO_LETTERS), TO_LETTERS)
    )
    content = (
        b"BT /F1 12 Tf 60 700 Td (co) Tj /F2 12 Tf (aa) Tj /F1 12 Tf (on, a) Tj /F2 12 Tf (a) Tj "
        b"/F1 12 Tf (ong) Tj ET"
    )
    data = by_hand(content, more=font).replace(b"/F1 5 0 R", b"/F1 5 0 R /F2 6 0 R")
    assert extract("pdf", data).text == "common, among"


def test_names_of_glyphs_are_read_and_those_of_notes_of_music_are_no_letters() -> None:
    """Fault: music was read as "h hP N T", and TeX's brackets as letters."""
    font = (
        b"6 0 obj\n<< /Type /Font /Subtype /Type1 /BaseFont /X /FirstChar 104 /LastChar 107 "
        b"/Widths [500 500 500 500] /Encoding << /Type /Encoding /Differences [104 /noteheads.s2 "
        b"/angbracketleft /angbracketright /f_f_i] >> >>\nendobj\n"
    )
    content = (
        b"BT /F1 12 Tf 60 700 Td (set the ) Tj /F2 12 Tf (i) Tj /F1 12 Tf (key) Tj /F2 12 Tf (j) Tj"
        b" /F1 12 Tf ( o) Tj /F2 12 Tf (k) Tj /F1 12 Tf (ce) Tj 0 -30 Td /F2 12 Tf (h) Tj ET"
    )
    data = by_hand(content, more=font).replace(b"/F1 5 0 R", b"/F1 5 0 R /F2 6 0 R")
    assert extract("pdf", data).text == "set the \u27e8key\u27e9 office"


# What isn't seen ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "hidden",
    [
        lambda canvas: canvas._code.append("BT /F1 12 Tf 3 Tr 60 600 Td (not this) Tj 0 Tr ET"),
        lambda canvas: (canvas.setFillGray(1), canvas.drawString(60, 600, "not this")),
        lambda canvas: canvas.drawString(700, 600, "not this"),
        lambda canvas: (canvas.setFont("Helvetica", 0.1), canvas.drawString(60, 600, "not this")),
        lambda canvas: (canvas.drawString(60, 600, "not this"), canvas.rect(50, 590, 99, 30, 0, 1)),
        lambda canvas: (canvas.setFillAlpha(0), canvas.drawString(60, 600, "not this")),
    ],
    ids=["no ink", "white", "off the page", "tiny", "blacked out", "transparent"],
)
def test_text_that_is_not_seen_is_left_out(hidden: Callable[[Canvas], None]) -> None:
    def draw(canvas: Canvas) -> None:
        written("The total is 12 euros.")(canvas)
        hidden(canvas)

    assert text_of(draw) == "The total is 12 euros."


def test_hidden_text_on_visible_text_is_left_out_and_white_on_black_is_read() -> None:
    def draw(canvas: Canvas) -> None:
        written("The total is 12 euros.")(canvas)
        canvas._code.append("BT /F1 11 Tf 3 Tr 60 780 Td (The total is 99 euros.) Tj 0 Tr ET")
        canvas.rect(50, 690, 300, 30, 0, 1)
        canvas.setFillGray(1)
        canvas.drawString(60, 700, "Paid in full")

    assert text_of(draw) == "The total is 12 euros.\nPaid in full"


def test_layers_that_are_off_are_left_out_even_where_another_layer_is_shown() -> None:
    content = (
        b"/OC /On BDC BT /F1 12 Tf 60 700 Td (closes in August) Tj ET EMC "
        b"/OC /Off BDC BT /F1 12 Tf 60 700 Td (schliesst im Mai) Tj ET EMC"
    )
    more = (
        b"6 0 obj\n<< /Type /OCG /Name (en) >>\nendobj\n"
        b"7 0 obj\n<< /Type /OCG /Name (de) >>\nendobj\n"
    )
    data = by_hand(content, b"/Properties << /On 6 0 R /Off 7 0 R >>", more)
    layers = b"/OCProperties << /OCGs [6 0 R 7 0 R] /D << /OFF [7 0 R] >> >>"
    data = data.replace(b"/Type /Catalog", b"/Type /Catalog " + layers)
    assert extract("pdf", data).text == "closes in August"


def test_the_text_layer_of_a_scan_is_read() -> None:
    scan = scanned("Minutes of May")

    def draw(canvas: Canvas) -> None:
        canvas.drawImage(ImageReader(scan), 0, 0, 595, 842)
        canvas._code.append("BT /F1 24 Tf 3 Tr 60 700 Td (Minutes of May) Tj 0 Tr ET")
        written("EXHIBIT 7", y=30)(canvas)

    assert text_of(draw) == "Minutes of May\nEXHIBIT 7"


def scanned(words: str) -> object:
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("L", (595, 842), 255)
    ImageDraw.Draw(image).text((60, 122), words, font=ImageFont.load_default(24), fill=0)
    return image


# Forms and notes ---------------------------------------------------------------------------------


def test_values_of_form_fields_stand_at_their_place() -> None:
    def draw(canvas: Canvas) -> None:
        written("Surname:", y=700)(canvas)
        canvas.acroForm.textfield(name="a", value="Okonkwo", x=150, y=692, width=200, height=20)
        written("Tenant:", y=660)(canvas)
        canvas.acroForm.checkbox(name="b", checked=True, x=150, y=652, size=18)
        written("Owner:", y=620)(canvas)
        canvas.acroForm.checkbox(name="c", checked=False, x=150, y=612, size=18)
        written("Fuel:", y=580)(canvas)
        canvas.acroForm.choice(
            name="d",
            value="Diesel",
            options=["Petrol", "Diesel"],
            x=150,
            y=572,
            width=90,
            height=20,
        )
        written("Signed in Bath", y=540)(canvas)

    assert text_of(draw) == (
        "Surname:\tOkonkwo\nTenant:\t\u2612\nOwner:\t\u2610\nFuel:\tDiesel\nSigned in Bath"
    )


def test_typed_notes_and_stamps_are_text_at_their_place() -> None:
    page = drawn(lambda canvas: (written("Above")(canvas), written("Below", y=500)(canvas)))
    for data in (
        with_note(page, "/FreeText", "Due on 4 May"),
        with_note(page, "/Stamp", "", b"BT /F1 12 Tf 5 5 Td (Due on 4 May) Tj ET"),
        with_note(page, "/FreeText", "x", b"BT /F1 12 Tf 5 5 Td (Due on 4 May) Tj ET"),
    ):
        assert extract("pdf", data).text == "Above\nDue on 4 May\nBelow"


# Order -------------------------------------------------------------------------------------------

FLOWING = (
    "The committee met in the old hall and heard what the wardens had to say about the state of "
    "the roof, the drains and the long wall beside the orchard, which had been leaning for years "
    "and was now thought to be a danger to whoever walked below it on the way to the river or to "
    "the mill, where the new wheel was to be set up before the harvest came in."
).split()


def column(start: int, x: float) -> Callable[[Canvas], None]:
    lines = [" ".join(FLOWING[at : at + 5]) for at in range(0, 60, 5)]
    return written(*(f"{line}" for line in lines[start:]), x=x, y=700, size=9)


def test_columns_are_read_one_after_another() -> None:
    def draw(canvas: Canvas) -> None:
        written("A heading that runs across both of the columns of this page", y=760)(canvas)
        column(0, 60)(canvas)
        column(0, 310)(canvas)

    lines = text_of(draw).split("\n")
    half = [" ".join(FLOWING[at : at + 5]) for at in range(0, 60, 5)]
    assert lines == ["A heading that runs across both of the columns of this page", *half, *half]


@pytest.mark.parametrize("by_column", [False, True])
def test_rows_of_a_table_stay_rows_with_their_cells_apart(by_column: bool) -> None:
    table = [["Country", "Capital", "People"], ["Norway", "Oslo", "5.5 million"]]
    table += [["Latvia", "Riga", "1.9 million"], ["Malta", "Valletta", "0.5 million"]]

    def draw(canvas: Canvas) -> None:
        cells = [(row, at) for row in range(4) for at in range(3)]
        for row, at in sorted(cells, key=lambda cell: cell[::-1]) if by_column else cells:
            canvas.drawString(60 + 120 * at, 700 - 20 * row, table[row][at])

    assert text_of(draw) == "\n".join("\t".join(row) for row in table)


def test_a_line_that_is_stretched_to_its_column_is_no_row_of_a_table() -> None:
    """Fault: "java1\tand\tjava2\tare removed" in the midst of a sentence."""

    def draw(canvas: Canvas) -> None:
        written("The rules of the club were changed by the members: both of")(canvas)
        words = ["the-older-ones", "and", "the-newer-ones", "are", "removed,", "with", "effect"]
        widths = [canvas.stringWidth(word, "Helvetica", 11) for word in words]
        end = 60 + canvas.stringWidth(
            "The rules of the club were changed by the members: both of", "Helvetica", 11
        )
        words, widths = words[:5], widths[:5]
        gap = (end - 60 - sum(widths)) / (len(words) - 1)
        x = 60.0
        for word, width in zip(words, widths, strict=True):
            canvas.drawString(x, 765.7, word)
            x += width + gap
        canvas.drawString(60, 751.4, "from the first of May on.")

    assert text_of(draw).split("\n")[1:] == [
        "the-older-ones and the-newer-ones are removed,",
        "from the first of May on.",
    ]


RULED = [
    (["Amsterdam", "Exchange, NL"], ["aex"], ["www.aex.nl", "with its", "futures"]),
    (["Athens, GR"], ["asegr"], ["www.ase.gr"]),
    (["BAMOSZ funds,", "HU"], ["bamosz"], ["www.bamosz.hu"]),
]
TOPS = (760, 700, 670, 630)


def ruled(is_open: bool) -> Callable[[Canvas], None]:
    """A table with the lines of its cells centred in them; open at its sides, or closed."""

    def draw(canvas: Canvas) -> None:
        written("Where the money is:", y=790)(canvas)
        edges = (60, 140, 190, 290)
        for top in TOPS[: 3 if is_open else 4]:
            canvas.line(edges[0], top, edges[-1], top)
        for edge in edges[1:-1] if is_open else edges:
            canvas.line(edge, TOPS[0], edge, TOPS[-1])
        for row, (top, bottom) in zip(RULED, pairwise(TOPS), strict=True):
            for lines, left in zip(row, edges, strict=False):
                y = (top + bottom) / 2 + 6 * len(lines) - 10
                written(*lines, x=left + 3, y=y, size=9)(canvas)
        written("And so on.", y=600)(canvas)

    return draw


@pytest.mark.parametrize("is_open", [False, True])
def test_cells_that_lines_rule_are_read_whole_and_row_by_row(is_open: bool) -> None:
    """Fault: the lines of cells of several lines were mixed with those of the cells beside them."""
    assert text_of(ruled(is_open)).split("\n") == [
        "Where the money is:",
        "Amsterdam",
        "Exchange, NL\taex\twww.aex.nl",
        "with its",
        "futures",
        "Athens, GR\tasegr\twww.ase.gr",
        "BAMOSZ funds,",
        "HU\tbamosz\twww.bamosz.hu",
        "And so on.",
    ]


def test_a_word_that_reaches_over_the_line_of_its_cell_stays_whole() -> None:
    """Fault: the line cut it, as in "ssh-askpass-gnom" and "e"."""

    def draw(canvas: Canvas) -> None:
        for edge in (60, 140, 260):
            canvas.line(edge, 700, edge, 780)
        for edge in (700, 740, 780):
            canvas.line(60, edge, 260, edge)
        written("ssh-askpass-gnome", x=63, y=755)(canvas)
        written("asks for a phrase", x=163, y=755)(canvas)
        written("ssh", x=63, y=715)(canvas)
        written("the client", x=143, y=715)(canvas)

    assert text_of(draw) == "ssh-askpass-gnome\tasks for a phrase\nssh\tthe client"


def test_a_frame_around_text_is_no_table() -> None:
    def draw(canvas: Canvas) -> None:
        canvas.rect(50, 650, 300, 150)
        canvas.line(50, 730, 350, 730)
        canvas.line(200, 650, 200, 800)
        written("A note that is drawn in", "a frame, and over its lines")(canvas)

    assert text_of(draw) == "A note that is drawn in\na frame, and over its lines"


def test_a_page_that_is_turned_is_read_upright() -> None:
    data = drawn(written("first line", "second line"))
    writer = pypdf.PdfWriter(clone_from=pypdf.PdfReader(io.BytesIO(data)))
    for turn in range(4):
        assert turn * 90 == writer.pages[0].rotation
        file = io.BytesIO()
        writer.write(file)
        lines = extract("pdf", file.getvalue()).text.split("\n")
        assert sorted(lines) == ["first line", "second line"]
        writer.pages[0].rotate(90)


def test_running_heads_and_feet_and_page_numbers_are_not_in_the_flow() -> None:
    def page(number: int) -> Callable[[Canvas], None]:
        def draw(canvas: Canvas) -> None:
            written(f"{'Roofs' if number < 4 else 'Drains'} \u2013 Handbook", y=810)(canvas)
            written(f"sentence {'abcdefg'[number]} goes on", f"and ends {'stuvwxy'[number]}")(
                canvas
            )
            written("Confidential, Ashby Ltd", y=50)(canvas)
            written(f"Page {number + 1} of 7", y=30)(canvas)

        return draw

    text, starts, *_ = extract("pdf", drawn(*map(page, range(7))))
    assert text.split("\n")[0] == "Roofs \u2013 Handbook"
    assert text.split("\n")[-1] == "Confidential, Ashby Ltd"
    flow = text.split("\n")[1:-1]
    expected = []
    for a, s in zip("abcdefg", "stuvwxy", strict=True):
        expected += [f"sentence {a} goes on", f"and ends {s}"]
    assert flow == expected
    assert text[starts[5] :].startswith("sentence f")


def test_the_letterhead_of_a_single_page_stays() -> None:
    page = written("Ashby Ltd, 4 Mill Lane", y=810), written("Dear Ann", y=600)
    assert text_of(lambda canvas: [draw(canvas) for draw in page]) == (
        "Ashby Ltd, 4 Mill Lane\nDear Ann"
    )


# Hyphens -----------------------------------------------------------------------------------------


def test_a_word_that_a_line_end_cuts_gets_a_soft_hyphen() -> None:
    assert (
        text_of(written("the new observa-", "tory was met"))
        == "the new observa\u00ad\ntory was met"
    )


def test_a_word_that_a_page_end_cuts_gets_a_soft_hyphen() -> None:
    def page(line: str, number: str) -> Callable[[Canvas], None]:
        return lambda canvas: (written(line)(canvas), written(number, y=30)(canvas))

    text = text_of(page("the new observa-", "1"), page("tory was met", "2"), page("end", "3"))
    assert text.startswith("the new observa\u00ad\ntory was met")


def test_a_hyphen_of_the_word_itself_stays() -> None:
    text = text_of(
        written(
            "a well-known man", "and another well-", "known man, with X-", "rays, Anglo-", "Saxon"
        )
    )
    assert text.endswith("another well-\nknown man, with X-\nrays, Anglo-\nSaxon")


def test_a_word_in_capitals_and_the_part_of_a_compound_are_cut_by_a_line_end() -> None:
    text = text_of(
        written(
            "This DOCUMENT and self-employment:", "the DOCU-", "MENT is of self-em-", "ployment"
        )
    )
    assert text.endswith("the DOCU\u00ad\nMENT is of self-em\u00ad\nployment")


def test_a_hyphen_of_a_word_of_three_parts_stays() -> None:
    text = text_of(written("of lua-widow-control, and lua-", "widow-control again"))
    assert text.endswith("and lua-\nwidow-control again")


# Pages that cost themselves ----------------------------------------------------------------------


def spoilt(data: bytes, number: int) -> bytes:
    """The same PDF, with a page whose content is packed as nothing can unpack it."""
    writer = pypdf.PdfWriter(clone_from=pypdf.PdfReader(io.BytesIO(data)))
    stream = DecodedStreamObject()
    stream.set_data(b"\xff\x00 this was never packed \xff" * 9)
    stream[NameObject("/Filter")] = NameObject("/FlateDecode")
    writer.pages[number][NameObject("/Contents")] = writer._add_object(stream)
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def test_a_page_that_cannot_be_read_costs_that_page() -> None:
    pages = [written(f"this is {word}") for word in ("one", "two", "three")]
    read = extract("pdf", spoilt(drawn(*pages), 1))
    assert read.text.startswith("this is one")
    assert read.text[read.page_starts[2] :] == "this is three"
    (gap,) = read.gaps
    assert gap.startswith("page 2 can't be read")
    assert "Error" not in gap


def test_pages_that_are_pictures_are_named() -> None:
    scan = scanned("Minutes of May")

    def picture(canvas: Canvas) -> None:
        canvas.drawImage(ImageReader(scan), 0, 0, 595, 842)

    read = extract("pdf", drawn(written("one"), picture, written("three"), picture))
    assert len(read.page_starts) == 4
    (gap,) = read.gaps
    assert gap.startswith("pages 2 and 4 are pictures without text")
    assert "OCR" in gap


def test_an_empty_page_is_no_gap() -> None:
    read = extract("pdf", drawn(written("one"), lambda canvas: None, written("three")))
    assert read.gaps == ()
    assert (read.text, read.page_starts) == ("one\nthree", (0, 4, 4))
    read = extract("pdf", drawn(lambda canvas: None, written("two"), lambda canvas: None))
    assert (read.text, read.page_starts) == ("two", (0, 0, 3))


def test_no_blank_line_parts_a_sentence_that_goes_on_behind_an_empty_page() -> None:
    """Fault: where a blank line ends an answer, "Sir Edmund" was cut off such a name."""

    def page(number: int, *lines: str, y: float = 800) -> Callable[[Canvas], None]:
        def draw(canvas: Canvas) -> None:
            written("Handbook of the Rowing Club", y=800)(canvas)
            written(*lines, y=y)(canvas)
            written(f"Page {number} of 3", y=40)(canvas)

        return draw

    first = page(1, "The boathouse was given to the club by Sir Edmund", y=100)
    last = page(3, "Fitzalan-Harcourt in 1911.", y=760)
    text = text_of(first, lambda canvas: None, last)
    assert "given to the club by Sir Edmund\nFitzalan-Harcourt in 1911." in text


# Structure ---------------------------------------------------------------------------------------


def test_title_and_outline_come_from_the_file() -> None:
    def page(heading: str, level: int) -> Callable[[Canvas], None]:
        def draw(canvas: Canvas) -> None:
            canvas.setTitle("Rules of the Club")
            canvas.bookmarkPage(heading)
            canvas.addOutlineEntry(heading, heading, level)
            written("before it", heading, "what it is about")(canvas)

        return draw

    read = extract("pdf", drawn(page("Boats", 0), page("Oars and sculls", 1)))
    assert read.title == "Rules of the Club"
    assert [(heading.text, heading.level) for heading in read.outline] == [
        ("Boats", 1),
        ("Oars and sculls", 2),
    ]
    for heading in read.outline:
        assert read.text[heading.start :].startswith(heading.text)


def test_without_bookmarks_larger_type_makes_the_outline() -> None:
    def draw(canvas: Canvas) -> None:
        written("Rules of the Club", size=24)(canvas)
        written("1 Boats", y=740, size=15)(canvas)
        written(*["Boats are kept in the boathouse, and nowhere else."] * 3, y=720)(canvas)
        written("2 Oars", y=640, size=15)(canvas)
        written(*["Oars are kept beside them, on the rack by the door."] * 3, y=620)(canvas)

    read: Extracted = extract("pdf", drawn(draw))
    assert read.title == "Rules of the Club"
    assert [(heading.text, heading.level) for heading in read.outline] == [
        ("Rules of the Club", 1),
        ("1 Boats", 2),
        ("2 Oars", 2),
    ]
    assert read.text[read.outline[2].start :].startswith("2 Oars\nOars are kept")


# Hostile -----------------------------------------------------------------------------------------


def test_outlines_that_loop_end() -> None:
    data = drawn(lambda canvas: (canvas.bookmarkPage("a"), canvas.addOutlineEntry("Boats", "a", 0),
                                 written("Boats")(canvas)))  # fmt: skip
    writer = pypdf.PdfWriter(clone_from=pypdf.PdfReader(io.BytesIO(data)))
    outlines = writer.root_object["/Outlines"]
    first = outlines["/First"]  # type: ignore[index]
    first[NameObject("/Next")] = outlines.raw_get("/First")  # type: ignore[attr-defined]
    first[NameObject("/First")] = outlines.raw_get("/First")  # type: ignore[attr-defined]
    file = io.BytesIO()
    writer.write(file)
    assert [heading.text for heading in extract("pdf", file.getvalue()).outline] == ["Boats"]


def test_forms_that_draw_themselves_end() -> None:
    more = (
        b"6 0 obj\n<< /Type /XObject /Subtype /Form /BBox [0 0 595 842] /Resources << /XObject "
        b"<< /X 6 0 R >> >> /Length 5 >>\nstream\n/X Do\nendstream\nendobj\n"
    )
    data = by_hand(
        b"BT /F1 12 Tf 60 700 Td (still read) Tj ET /X Do", b"/XObject << /X 6 0 R >>", more
    )
    assert extract("pdf", data).text == "still read"


def test_pages_of_absurd_sizes_are_read_or_named() -> None:
    content = b"BT /F1 12 Tf 60 700 Td (still read) Tj ET BT /F1 99999999 Tf 60 600 Td (A) Tj ET"
    data = by_hand(content).replace(b"[0 0 595 842]", b"[0 0 9999999 9999999]")
    try:
        assert "still read" in extract("pdf", data).text
    except IngestError as error:
        assert "page 1" in str(error)  # noqa: PT017


def test_an_old_font_of_another_maker_is_read() -> None:
    document = FPDF()
    document.set_font("Times", size=12)
    document.add_page()
    document.multi_cell(0, text="One line and\nanother line")
    assert extract("pdf", bytes(document.output())).text == "One line and\nanother line"


@pytest.mark.parametrize("is_packed", [False, True])
def test_the_way_before_an_empty_string_parts_two_words(is_packed: bool) -> None:
    """Fault: pdfium forgets the way, and pages of groff had "theEXAMPLES" and "an y"."""
    content = b"BT /F1 12 Tf 60 700 Td [(see) -250 (the) -250 ()] TJ [(EXAMPLES \\()-250()] TJ ET"
    if is_packed:
        packed = zlib.compress(content)
        data = by_hand(packed).replace(
            b"/Length %d" % len(packed), b"/Length %d /Filter /FlateDecode" % len(packed)
        )
    else:
        data = by_hand(content)
    assert extract("pdf", data).text == "see the EXAMPLES ("


def test_digits_raised_in_type_of_the_same_size_do_not_join_the_number() -> None:
    # They stood on a line of their own.
    def draw(canvas: Canvas) -> None:
        text = canvas.beginText(60, 700)
        text.setFont("Helvetica", 12)
        for words, rise in (("It has 10", 0), ("6", 5), (" cells, H", 0), ("2", -6), ("O", 0)):
            text.setRise(rise)
            text.textOut(words)
        canvas.drawText(text)

    assert text_of(draw) == "It has 10\u2076 cells, H\u2082O"


@pytest.mark.parametrize("is_filled", [False, True])
def test_text_that_a_line_runs_through_is_left_out(is_filled: bool) -> None:
    # A struck price was read as valid.
    def draw(canvas: Canvas) -> None:
        written("The fee is 50 euros 75 euros.", "It is due.", y=700, size=12)(canvas)
        left = 60 + canvas.stringWidth("The fee is ", "Helvetica", 12)
        width = canvas.stringWidth("50 euros", "Helvetica", 12)
        if is_filled:
            canvas.rect(left, 703.6, width, 0.7, stroke=0, fill=1)
        else:
            canvas.line(left, 704, left + width, 704)
        canvas.line(60, 682, 120, 682)  # under the second line

    assert text_of(draw) == "The fee is 75 euros.\nIt is due."


def test_lines_of_tables_strike_nothing_out() -> None:
    def draw(canvas: Canvas) -> None:
        for at, name in enumerate(("Norway", "Latvia", "Malta")):
            canvas.drawString(60, 700 - 16 * at, name)
            canvas.drawString(160, 700 - 16 * at, str(at))
            canvas.line(50, 704 - 16 * at, 400, 704 - 16 * at)  # badly set, through the words

    assert text_of(draw) == "Norway\t0\nLatvia\t1\nMalta\t2"


def test_what_a_note_strikes_out_is_left_out() -> None:
    data = with_note(drawn(written("The fee is 50.", "It is 75.", y=645)), "/StrikeOut", "")
    assert extract("pdf", data).text == "It is 75."


def test_a_scan_with_a_stamp_at_its_edge_is_named() -> None:
    # The number of the page was text enough for the page.
    noise = bytes(at * 7 % 256 for at in range(100 * 140 * 3))
    picture = ImageReader(Image.frombytes("RGB", (100, 140), noise))

    def scan(canvas: Canvas) -> None:
        canvas.drawImage(picture, 0, 0, 595, 842)
        written("ACME-000123", x=450, y=20, size=9)(canvas)

    extracted = extract("pdf", drawn(written("Minutes."), scan, written("Closed.")))
    assert extracted.text == "Minutes.\nACME-000123\nClosed."
    assert extracted.gaps[0].startswith("page 2 is a picture without text but that at the edge")


_WORDS = b"<< /Length 40 >>\nstream\nBT /F1 12 Tf 60 700 Td (Hello there) Tj ET \nendstream"
_LOOPS = {
    "contents": (b"[4 0 R 6 0 R]", b"6 0 obj\n%b\nendobj\n" % _WORDS, b""),
    "length": (_WORDS.replace(b"/Length 40", b"/Length 4 0 R"), b"", b""),
    "a number": (_WORDS, b"6 0 obj\n6 0 R\nendobj\n", b"/Rotate 6 0 R"),
    "a field": (
        _WORDS,
        b"6 0 obj\n<< /Subtype /Widget /FT /Tx /T (a) /Parent 6 0 R /Kids [6 0 R] "
        b"/Rect [0 0 9 9] >>\nendobj\n",
        b"/Annots [6 0 R 6 0 R]",
    ),
    "arrays in arrays": (_WORDS, b"", b"/X " + b"[" * 50_000),
}


@pytest.mark.parametrize("loop", _LOOPS)
def test_objects_that_hold_themselves_end(loop: str) -> None:
    content, more, page = _LOOPS[loop]
    data = by_hand(b"", more=more, page=page).replace(
        b"4 0 obj\n<< /Length 0 >>\nstream\n\nendstream", b"4 0 obj\n" + content
    )
    assert b"Hello there" in data
    assert extract("pdf", data).text == "Hello there"


def test_pages_that_hold_themselves_are_refused() -> None:
    data = by_hand(b"").replace(b"/Kids [3 0 R]", b"/Kids [2 0 R 3 0 R]")
    with pytest.raises(IngestError, match="damaged"):
        extract("pdf", data)
