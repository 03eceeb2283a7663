"""The formats beside text, HTML, Word and PDF: small files made on the spot, whole and broken."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from datetime import date, datetime, timedelta
from email.message import EmailMessage
from functools import cache

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont

from docqa.ingest.errors import IngestError
from docqa.ingest.formats import FORMATS, Extracted, extract
from tests.compound import compound_file


def zipped(members: dict[str, str | bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def headings(extracted: Extracted) -> list[tuple[str, int]]:
    """The outline's words and levels, once it is sure that they stand where it says."""
    for heading in extracted.outline:
        assert extracted.text.startswith(heading.text, heading.start)
    return [(heading.text, heading.level) for heading in extracted.outline]


# Rows


def test_rows_say_their_headers() -> None:
    text = extract("csv", b"Country,Capital,Population\nNorway,Oslo,5.5 million\nMalta,,0.5\n").text
    assert text == (
        "Country: Norway, Capital: Oslo, Population: 5.5 million.\nCountry: Malta, Population: 0.5."
    )


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"Name;Price\nDesk;1,5\nChair;2,5\n", "Name: Desk, Price: 1,5.\nName: Chair, Price: 2,5."),
        (b"Invoice\tA-7\nDue date:\t3 May\n", "Invoice: A-7\nDue date: 3 May"),
        (b"1,2,3\n4,5,6\n", "1\t2\t3\n4\t5\t6"),
        (b"Prices of 2024,,\n\nA,B,C\nx,y,z\n", "Prices of 2024\n\nA: x, B: y, C: z."),
        (b'a,b,c\n"one\ntwo",2,"say ""x"""\n', 'a: one two, b: 2, c: say "x".'),
        ("\ufeffä,ö,ü\n1,2,3\n".encode(), "ä: 1, ö: 2, ü: 3."),
        (b"only\nwords\nhere\n", "only\nwords\nhere"),
    ],
)
def test_tables_of_all_kinds(data: bytes, text: str) -> None:
    assert extract("csv", data).text == text


def workbook(*sheets: tuple[str, list[list[object]]]) -> openpyxl.Workbook:
    made = openpyxl.Workbook()
    made.remove(made.worksheets[0])
    for title, rows in sheets:
        sheet = made.create_sheet(title)
        for row in rows:
            sheet.append(row)
    return made


def saved(book: openpyxl.Workbook) -> bytes:
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def test_excel_shows_values_as_its_cells_do() -> None:
    book = workbook(
        (
            "Staff",
            [["Name", "Since", "Salary", "Share"], ["Anna", date(2019, 3, 1), 48000.5, 0.25]],
        ),
        ("Secret", [["a", "b"], ["c", "d"]]),
    )
    book["Staff"]["C2"].number_format = '"€"#,##0.00'
    book["Staff"]["D2"].number_format = "0%"
    book["Secret"].sheet_state = "hidden"
    book.properties.title = "People"
    extracted = extract("xlsx", saved(book))
    assert extracted.title == "People"
    assert headings(extracted) == [("Staff", 1)]
    assert extracted.text == (
        "Staff\n\nName: Anna, Since: 2019-03-01, Salary: €48,000.50, Share: 25%."
    )
    assert extracted.gaps == ("the hidden sheet Secret is left out",)


@pytest.mark.parametrize(
    ("value", "number_format", "words"),
    [
        (7, "General", "7"),
        (0.1 + 0.2, "General", "0.3"),
        (1234567, "#,##0", "1,234,567"),
        (12.5, '#,##0.00 "kg"', "12.50 kg"),
        (9.5, "[$CHF-807] #,##0.00", "CHF 9.50"),
        (0.125, "0.0%", "12.5%"),
        (True, "General", "TRUE"),
        (None, "General", ""),
    ],
)
def test_numbers_in_excel(value: object, number_format: str, words: str) -> None:
    from docqa.ingest.formats.xlsx import shown

    assert shown(value, number_format) == words


def test_excel_leaves_out_what_is_struck_or_hidden_and_keeps_powers_apart() -> None:
    power = CellRichText("Cells 10", TextBlock(InlineFont(vertAlign="superscript"), "6"))
    price = CellRichText("was ", TextBlock(InlineFont(strike=True), "50"), " 75")
    book = workbook(
        (
            "One",
            [
                ["Item", "Price", "Note", "Secret"],
                ["Fee", 50, "x", "no"],
                [power, price, "y", "no"],
                ["Row", 99, "no", "no"],
                ["Last", 1234.5, "z", "no"],
            ],
        )
    )
    sheet = book["One"]
    sheet["B2"].font = openpyxl.styles.Font(strike=True)
    sheet["B5"].number_format = ";;;"
    sheet.row_dimensions[4].hidden = True
    sheet.column_dimensions["D"].hidden = True
    extracted = extract("xlsx", saved(book))
    assert extracted.text == (
        "One\n\nItem: Fee, Note: x.\nItem: Cells 10\u2076, Price: was 75, Note: y.\n"
        "Item: Last, Note: z."
    )
    assert extracted.gaps == ("hidden rows or columns of the sheet One are left out",)


# Packages

_SLIDE = (
    '<p:sld xmlns:p="p" xmlns:a="a"><p:sp><p:ph type="title"/><a:p><a:t>{0}</a:t></a:p></p:sp>'
    "<p:sp><a:p><a:t>{1}</a:t></a:p><a:p><a:t>two </a:t><a:t>runs</a:t></a:p></p:sp>"
    '<p:sp><p:ph type="ftr"/><a:p><a:t>Footer</a:t></a:p></p:sp>'
    "<a:tbl><a:tr><a:tc><a:p><a:t>c</a:t></a:p></a:tc><a:tc><a:p><a:t>d</a:t></a:p></a:tc></a:tr>"
    "</a:tbl></p:sld>"
)
_RELATIONS = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'


def presentation() -> dict[str, str | bytes]:
    def relations(*found: tuple[str, str, str]) -> str:
        return (
            _RELATIONS
            + "".join(
                f'<Relationship Id="{id}" Type="http://x/{kind}" Target="{target}"/>'
                for id, kind, target in found
            )
            + "</Relationships>"
        )

    return {
        "_rels/.rels": relations(("r1", "officeDocument", "ppt/presentation.xml")),
        "ppt/presentation.xml": '<p:p xmlns:p="p" xmlns:r="r"><p:sldId r:id="r2"/>'
        '<p:sldId r:id="r1"/></p:p>',
        "ppt/_rels/presentation.xml.rels": relations(
            ("r1", "slide", "slides/slide1.xml"), ("r2", "slide", "/ppt/slides/slide2.xml")
        ),
        "ppt/slides/slide1.xml": _SLIDE.format("Last", "The end"),
        "ppt/slides/slide2.xml": _SLIDE.format("First", "The start"),
        "ppt/slides/_rels/slide2.xml.rels": relations(
            ("r1", "notesSlide", "../notesSlides/notes.xml")
        ),
        "ppt/notesSlides/notes.xml": '<n xmlns:a="a"><sp><a:p><a:t>A note</a:t></a:p></sp></n>',
        "docProps/core.xml": '<c xmlns:dc="dc"><dc:title>The talk</dc:title></c>',
    }


def test_slides_are_pages_in_the_order_shown() -> None:
    extracted = extract("pptx", zipped(presentation()))
    assert extracted.title == "The talk"
    assert headings(extracted) == [("First", 1), ("Last", 1)]
    begin, middle = extracted.page_starts
    first, second = extracted.text[begin:middle], extracted.text[middle:]
    assert first.strip() == "First\n\nThe start\ntwo runs\n\nc\td\n\nA note"
    assert second == "Last\n\nThe end\ntwo runs\n\nc\td"


_OPEN = (
    '<office:document-content xmlns:office="o" xmlns:text="t" xmlns:table="b" xmlns:draw="d" '
    'xmlns:presentation="p"><office:body>{}</office:body></office:document-content>'
)


def opened(body: str, **members: str) -> Extracted:
    return extract("opendocument", zipped({"content.xml": _OPEN.format(body), **members}))


def test_names_of_places_that_xml_does_not_allow_cost_nothing() -> None:
    # libxml2 refused the whole file for one.
    body = '<office:text><text:p xml:id="geo1#dec09">It is here.</text:p></office:text>'
    assert opened(body).text == "It is here."


def slide(*shapes: str) -> str:
    names = "xmlns:p='p' xmlns:a='a' xmlns:mc='mc' xmlns:m='{}'".format(
        "http://schemas.openxmlformats.org/officeDocument/2006/math"
    )
    members = presentation()
    members["ppt/slides/slide1.xml"] = f"<p:sld {names}>{''.join(shapes)}</p:sld>"
    return extract("pptx", zipped(members)).text


def shape(*paragraphs: str, marks: str = "") -> str:
    return f"<p:sp><p:nvSpPr><p:cNvPr id='1' {marks}/></p:nvSpPr>{''.join(paragraphs)}</p:sp>"


def words(text: str, properties: str = "", level: int = 0, bullet: str = "") -> str:
    return (
        f"<a:p><a:pPr lvl='{level}'>{bullet}</a:pPr>"
        f"<a:r><a:rPr {properties}/><a:t>{text}</a:t></a:r></a:p>"
    )


def test_struck_text_and_hidden_shapes_are_not_on_the_slide() -> None:
    text = slide(
        shape(words("gone", "strike='sngStrike'"), words("75", "strike='noStrike'")),
        shape(words("gone"), marks="hidden='1'"),
        f"<mc:AlternateContent><mc:Fallback>{shape(words('gone'))}</mc:Fallback></mc:AlternateContent>",
    )
    assert "gone" not in text
    assert "75" in text


def test_slides_have_automatic_numbers_lines_and_formulas() -> None:
    # Numbers of lists and equations were lost, and rows stood behind all other text.
    first = "<a:buAutoNum type='arabicPeriod'/>"
    inner = "<a:buAutoNum type='alphaLcParenR' startAt='3'/>"
    power = (
        "<m:sSup><m:e><m:r><m:t>10</m:t></m:r></m:e><m:sup><m:r><m:t>6</m:t></m:r></m:sup></m:sSup>"
    )
    table = f"<a:tbl><a:tr><a:tc>{words('a')}</a:tc><a:tc>{words('b')}</a:tc></a:tr></a:tbl>"
    text = slide(
        shape(
            words("One", bullet=first),
            words("sub", level=1, bullet=inner),
            words("Two", bullet=first),
            words("Bullet", bullet="<a:buChar char='-'/>"),
            words("Anew", bullet=first),
        ),
        f"<p:graphicFrame>{table}</p:graphicFrame>",
        shape(
            "<a:p><a:r><a:t>Price: 49</a:t></a:r><a:br/><a:r><a:t>Weight: 2</a:t></a:r></a:p>",
            f"<a:p><a:r><a:t>is </a:t></a:r><m:oMath>{power}</m:oMath></a:p>",
        ),
    )
    assert (
        "1. One\nc) sub\n2. Two\nBullet\n1. Anew\n\na\tb\n\nPrice: 49\nWeight: 2\nis 10\u2076"
    ) in text


def test_opendocument_text() -> None:
    extracted = opened(
        "<office:text><text:tracked-changes><text:p>gone</text:p></text:tracked-changes>"
        '<text:h text:outline-level="2">Notice</text:h>'
        "<text:p>Ninety<text:s/>days<text:note><text:note-body><text:p>In writing.</text:p>"
        "</text:note-body></text:note>, <text:span>or more</text:span>.</text:p>"
        "<text:list><text:list-item><text:p>one</text:p></text:list-item></text:list>"
        "<table:table><table:table-row><table:table-cell><text:p>a</text:p></table:table-cell>"
        "<table:table-cell><text:p>b</text:p></table:table-cell></table:table-row></table:table>"
        "</office:text>"
    )
    assert headings(extracted) == [("Notice", 2)]
    assert extracted.text == "Notice\n\nNinety days, or more.\n\nIn writing.\n\none\n\na\tb"


def test_opendocument_sheets_do_not_repeat_emptiness() -> None:
    cell = "<table:table-cell><text:p>{}</text:p></table:table-cell>"
    row = "<table:table-row>{}</table:table-row>"
    empty = '<table:table-cell table:number-columns-repeated="16384"/>'
    rows = [row.format("".join(map(cell.format, cells)) + empty) for cells in ("ABC", "xyz")]
    nothing = f'<table:table-row table:number-rows-repeated="999999999">{empty}</table:table-row>'
    sheet = f'<table:table table:name="One">{"".join(rows)}{nothing}</table:table>'
    extracted = opened(f"<office:spreadsheet>{sheet}</office:spreadsheet>")
    assert extracted.text == "One\n\nA: x, B: y, C: z."


def test_cells_that_are_repeated_without_end_are_refused() -> None:
    cell = '<table:table-cell table:number-columns-repeated="1000"><text:p>x</text:p>'
    row = f'<table:table-row table:number-rows-repeated="1000">{cell}</table:table-cell>'
    table = f"<table:table>{(row + '</table:table-row>') * 9}</table:table>"
    with pytest.raises(IngestError, match="more cells"):
        opened(f"<office:spreadsheet>{table}</office:spreadsheet>")


def test_opendocument_slides_are_pages() -> None:
    page = (
        '<draw:page><draw:frame presentation:class="title"><draw:text-box><text:p>{}</text:p>'
        "</draw:text-box></draw:frame><draw:frame><draw:text-box><text:p>words</text:p>"
        "</draw:text-box></draw:frame></draw:page>"
    )
    extracted = opened(
        f"<office:presentation>{page.format('One')}{page.format('Two')}</office:presentation>"
    )
    assert headings(extracted) == [("One", 1), ("Two", 1)]
    assert extracted.text == "One\n\nwords\n\nTwo\n\nwords"
    assert extracted.page_starts == (0, 12)


def book(**changes: str | bytes) -> dict[str, str | bytes]:
    members: dict[str, str | bytes] = {
        "META-INF/container.xml": '<c><rootfile full-path="OEBPS/book.opf"/></c>',
        "OEBPS/book.opf": (
            '<package xmlns:dc="dc"><dc:title>The book</dc:title>'
            '<item id="n" href="toc.ncx" media-type="application/x-dtbncx+xml"/>'
            '<item id="a" href="a%20b.xhtml" media-type="application/xhtml+xml"/>'
            '<item id="b" href="b.xhtml" media-type="application/xhtml+xml"/>'
            '<item id="c" href="cover.xhtml" media-type="application/xhtml+xml"/>'
            '<itemref idref="c"/><itemref idref="b"/><itemref idref="a"/></package>'
        ),
        "OEBPS/toc.ncx": (
            '<ncx><navPoint><navLabel><text>Chapter 2</text></navLabel><content src="b.xhtml#x"/>'
            "<navPoint><navLabel><text>In it</text></navLabel>"
            '<content src="b.xhtml#y"/></navPoint></navPoint></ncx>'
        ),
        "OEBPS/a b.xhtml": "<html><body><p>The last words.</p></body></html>",
        "OEBPS/b.xhtml": "<html><body><div>Chapter 2</div><p>In it, words.</p></body></html>",
        "OEBPS/cover.xhtml": "<html><body><img src='x'/></body></html>",
    }
    return members | {name.replace("__", "/"): content for name, content in changes.items()}


def test_a_book_is_its_chapters_in_their_order_with_its_contents() -> None:
    extracted = extract("epub", zipped(book()))
    assert extracted.title == "The book"
    assert headings(extracted) == [("Chapter 2", 1), ("In it", 2)]
    assert extracted.text == "Chapter 2\n\nIn it, words.\n\nThe last words."


def test_the_style_sheets_of_a_book_count() -> None:
    # Publishers' programs raise, strike and hide by classes of a sheet beside the chapter.
    chapter = (
        '<html xmlns="http://www.w3.org/1999/xhtml"><head>'
        '<link rel="stylesheet" type="text/css" href="css/book.css"/></head><body><p>'
        '10<span class="char-3">6</span> <span class="x">no</span>cells.'
        '<a epub:type="noteref" href="#n">1</a></p></body></html>'
    )
    sheet = "span.char-3 { vertical-align: super; font-size: 70% } .x { display: none }"
    members = {**book(), "OEBPS/b.xhtml": chapter, "OEBPS/css/book.css": sheet}
    assert "10\u2076 cells. \u00b9" in extract("epub", zipped(members)).text


def test_a_locked_book_says_so() -> None:
    locked = '<e><CipherReference URI="OEBPS/b.xhtml"/></e>'
    with pytest.raises(IngestError, match="DRM"):
        extract("epub", zipped({**book(), "META-INF/encryption.xml": locked}))


def test_entities_stay_closed_and_nothing_is_fetched() -> None:
    bomb = (
        '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">'
        '<!ENTITY f SYSTEM "file:///etc/hostname">]>'
    )
    content = bomb + _OPEN.format("<office:text><text:p>safe &b;&f;</text:p></office:text>")
    assert extract("opendocument", zipped({"content.xml": content})).text == "safe"


@pytest.mark.parametrize("format", ["opendocument", "epub", "pptx", "xlsx"])
def test_archives_that_unpack_to_too_much_are_refused(format: str) -> None:
    members: dict[str, str | bytes] = {**book(), **presentation(), "content.xml": b""}
    name = {
        "opendocument": "content.xml",
        "epub": "META-INF/container.xml",
        "pptx": "ppt/presentation.xml",
        "xlsx": "xl/sharedStrings.xml",
    }[format]
    with pytest.raises(IngestError, match="unpacks to more than 128 MB"):
        extract(format, zipped({**members, name: b" " * (129 << 20)}))


# Mail


def message(**changes: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = "Anna Berg <anna@example.org>"
    mail["To"] = "Jörg <j@example.org>"
    mail["Subject"] = changes.get("subject", "The lease für May")
    mail["Date"] = "Fri, 03 May 2024 10:00:00 +0200"
    mail.set_content("The lease ends in May.\n")
    return mail


def test_a_message_has_head_body_and_attachments() -> None:
    mail = message()
    mail.add_alternative("<p>The lease <b>ends</b> in May.</p>", subtype="html")
    mail.add_attachment(b"Name,Age,Town\nEva,7,Oslo\n", "text", "csv", filename="ages.csv")
    mail.add_attachment(b"\x89PNG", "image", "png", filename="logo.png")
    mail.add_attachment(b"\0\1\2", "application", "zip", filename="all.zip")
    mail.add_attachment(b"not a pdf", "application", "pdf", filename="x.pdf")
    mail.add_attachment(message(subject="Inner"))
    extracted = extract("eml", bytes(mail))
    assert extracted.title == "The lease für May"
    assert headings(extracted) == [
        ("The lease für May", 1),
        ("Attachment: ages.csv", 2),
        ("Inner", 2),
    ]
    assert extracted.text.startswith(
        "The lease für May\n\nFrom: Anna Berg <anna@example.org>\nTo: Jörg <j@example.org>\n"
        "Date: Fri, 03 May 2024 10:00:00 +0200\n\nThe lease ends in May.\n\n"
        "Attachment: ages.csv\n\nName: Eva, Age: 7, Town: Oslo.\n\nInner\n\n"
    )
    assert [gap.split(" is not")[0] for gap in extracted.gaps] == [
        "the attachment all.zip",
        "the attachment x.pdf",
    ]


def test_a_message_of_html_alone_in_an_old_encoding() -> None:
    data = (
        b"From: a@b.c\nContent-Type: text/html; charset=iso-8859-2\n"
        b"Content-Transfer-Encoding: quoted-printable\n\n<p>P=F8=EDli=B9</p>"
    )
    assert extract("eml", data).text == "From: a@b.c\n\nPříliš"


def _mixed(*parts: str) -> bytes:
    """A message of parts, each with its own head."""
    lines = ["From: a@b.c", "Content-Type: multipart/mixed; boundary=B", ""]
    for part in parts:
        lines += ["--B", part]
    return "\n".join([*lines, "--B--"]).encode()


def test_a_part_of_a_mail_that_is_shown_below_its_body_is_text() -> None:
    # Only one part was read: the foot that a list adds, in plain text, took the place of the body.
    body = "Content-Type: text/html\n\n<p>The rent is 5 euros.</p>"
    foot = "Content-Type: text/plain\n\nThe Tenants list"
    assert extract("eml", _mixed(body, foot)).text == (
        "From: a@b.c\n\nThe rent is 5 euros.\n\nThe Tenants list"
    )
    inner = _mixed("Content-Type: text/plain\n\nIt is due in May.").decode().replace("B", "C")
    inner = inner.removeprefix("From: a@b.c\n")
    plain = "Content-Type: text/plain\n\nSee below."
    assert extract("eml", _mixed(plain, inner)).text == (
        "From: a@b.c\n\nSee below.\n\nIt is due in May."
    )


def test_of_alternatives_in_a_mail_one_is_read() -> None:
    alternatives = "\n".join(
        [
            "Content-Type: multipart/alternative; boundary=C\n",
            "--C\nContent-Type: text/plain\n\nIt is 5 euros.",
            "--C\nContent-Type: text/html\n\n<b>It is 5 euros.</b>\n--C--",
        ]
    )
    attached = "Content-Type: text/plain\nContent-Disposition: attachment\n\nThe plan."
    assert extract("eml", _mixed(alternatives, attached)).text == (
        "From: a@b.c\n\nIt is 5 euros.\n\nAttachment: file.txt\n\nThe plan."
    )


def test_a_folder_of_messages() -> None:
    one = bytes(message(subject="One"))
    two = bytes(message(subject="Two")).replace(b"The lease", b">From here the lease")
    folder = b"From a Fri May  3\n" + one + b"\nFrom b Sat May  4\n" + two + b"\n"
    extracted = extract("mbox", folder)
    assert headings(extracted) == [("One", 1), ("Two", 1)]
    assert extracted.text.endswith("From here the lease ends in May.")


def outlook_message() -> bytes:
    def words(text: str) -> bytes:
        return text.encode("utf-16-le").ljust(4096, b"\0")

    ticks = (datetime(2024, 5, 3, 10) - datetime(1601, 1, 1)) // timedelta(microseconds=1) * 10
    sent = bytes(32) + b"\x40\0\x39\0" + bytes(4) + ticks.to_bytes(8, "little")
    attached = "__attach_version1.0_#00000000"
    return compound_file(
        {
            "__substg1.0_0037001F": words("The lease"),
            "__substg1.0_0C1A001F": words("Anna Berg"),
            "__substg1.0_5D01001F": words("anna@example.org"),
            "__substg1.0_0E04001F": words("Jörg"),
            "__substg1.0_1000001F": words("It ends\r\nin May."),
            "__properties_version1.0": sent,
            f"{attached}/__substg1.0_3707001F": words("ages.csv"),
            f"{attached}/__substg1.0_37010102": b"Name,Age,Town\nEva,7,Oslo\n",
        }
    )


def test_outlook_messages() -> None:
    extracted = extract("msg", outlook_message())
    assert extracted.title == "The lease"
    assert extracted.text == (
        "The lease\n\nFrom: Anna Berg <anna@example.org>\nTo: Jörg\nDate: 2024-05-03 10:00 UTC\n\n"
        "It ends\nin May.\n\nAttachment: ages.csv\n\nName: Eva, Age: 7, Town: Oslo."
    )


# Text of other kinds


def test_subtitles_are_what_is_said() -> None:
    srt = (
        b"1\r\n00:00:01,000 --> 00:00:02,000\r\n<i>Who</i> is\r\nthere?\r\n\r\n"
        b"2\n00:00:03,000 --> 00:00:04,000\n{\\an8}Me.\n"
    )
    assert extract("subtitles", srt).text == "Who is there?\nMe."
    vtt = (
        b"WEBVTT\n\nNOTE no\n\nSTYLE\n::cue{}\n\nid\n00:01.000 --> 00:02.000 align:left\n"
        b"<v Anna>Well &amp; good\n\n00:02.000 --> 00:03.000\n<00:02.5>Well\n"
    )
    assert extract("subtitles", vtt).text == "Anna: Well & good\nWell"


def test_json_values_stand_with_their_names() -> None:
    value = {
        "name": "Anna", "home_town": {"zip": 1050, "city": "Oslo"}, "none": None,
        "tags": ["a", "b"], "jobs": [{"at": "X", "full": True}, {"at": "Y"}], "big": 1,
    }  # fmt: skip
    data = json.dumps(value).replace('"big": 1', '"big": ' + "9" * 5000).encode()
    assert extract("json", data).text == (
        "name: Anna\nhome town zip: 1050\nhome town city: Oslo\ntags: a, b\njobs at: X\n"
        "jobs full: yes\njobs at: Y\nbig: " + "9" * 5000
    )
    lines = b'{"a": 1.50}\n\n{"a": 2}\n'
    assert extract("jsonl", lines).text == extract("json", lines).text == "a: 1.50\n\na: 2"
    with pytest.raises(IngestError, match="line 2 is not JSON"):
        extract("jsonl", b'{"a": 1}\n{"a"\n')
    with pytest.raises(IngestError, match="nested too deeply"):
        extract("json", b"[" * 100_000)


def test_notebooks() -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# Title\n", "Some words."]},
        {
            "cell_type": "code",
            "source": "print(6 * 7)",
            "outputs": [
                {"output_type": "stream", "text": ["42\n"]},
                {"output_type": "display_data", "data": {"image/png": "iVBO"}},
                {"output_type": "execute_result", "data": {"text/plain": "'yes'"}},
            ],
        },
    ]
    text = extract("notebook", json.dumps({"cells": cells, "nbformat": 4}).encode()).text
    assert "Some words." in text
    assert text.endswith("print(6 * 7)\n\n42\n\n'yes'")


def test_rtf() -> None:
    data = (
        rb"{\rtf1\ansi\ansicpg1250{\info{\title The \b lease}}{\fonttbl{\f0 Arial;}}"
        rb"It \b ends\b0  in{\super\chftn}{\footnote See {\i annex}.} May\par a|b \'e8 \u8364?\par"
        rb"\trowd a\cell \pard b\par\cell\row c\cell d\cell\row}"
    )
    extracted = extract("rtf", data)
    assert extracted.title == "The lease"
    assert extracted.text == "It ends in May\na|b č €\na\tb\nc\td\n\nSee annex."


def test_a_raised_digit_never_joins_the_number_before_it() -> None:
    # 3.5 x 10⁶ was 3.5 x 106, another number
    rtf = rb"{\rtf1\ansi 3.5 x 10{\super 6} m{\b\super 2\b0} H{\sub 2}O 10\super 6\nosupersub .}"
    assert extract("rtf", rtf).text == "3.5 x 10⁶ m² H₂O 10⁶."
    style = (
        '<style:style xmlns:style="s" style:name="T1"><style:text-properties '
        'style:text-position="super 58%"/></style:style>'
    )
    words = '<text:p>3.5 x 10<text:span text:style-name="T1">6</text:span></text:p>'
    content = _OPEN.format(f"<office:text>{words}</office:text>").replace(
        "<office:body>", f"{style}<office:body>"
    )
    assert extract("opendocument", zipped({"content.xml": content})).text == "3.5 x 10⁶"
    members = presentation()
    run = '<a:r><a:rPr baseline="{}"/><a:t>{}</a:t></a:r>'.format
    members["ppt/slides/slide1.xml"] = (
        f'<p xmlns:a="a"><sp><a:p><a:t>3.5 x 10</a:t>{run(30000, 6)}{run(0, " H")}{run(-25000, 2)}'
        f"{run(0, 'O')}</a:p></sp></p>"
    )
    assert "3.5 x 10⁶ H₂O" in extract("pptx", zipped(members)).text


def test_latex() -> None:
    source = (
        "\\documentclass{article}\\title{The \\emph{lease}}\\begin{document}\\maketitle\n"
        "Words.% no\n\\section{Notice {\\bf periods}}\\label{s}\n"
        "It ends in \\textbf{May}, costs 5\\,\\% of \\href{http://x}{this} caf\\'e.\n\n"
        "\\begin{tabular}{ll}\\hline a & b \\\\ c & d\\\\\\end{tabular}\n\\end{document} no"
    )
    extracted = extract("latex", source.encode())
    assert extracted.title == "The lease"
    assert headings(extracted) == [("1 Notice periods", 2)]
    assert extracted.text == (
        "The lease\n\nWords.\n\n1 Notice periods\n\nIt ends in May, costs 5 % of this café.\n\n"
        "a\tb\nc\td"
    )


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (r"10\textsuperscript{6} H\textsubscript{2}O", "10\u2076 H\u2082O"),
        (r"fee \sout{50} 75, \st{60} 80, \cancel{9}", "fee 75, 80,"),
        (
            r"\begin{enumerate}\item One\item Two\begin{enumerate}\item Sub\end{enumerate}"
            r"\item Three\end{enumerate}",
            "1. One\n2. Two\n(a) Sub\n3. Three",
        ),
        (r"\begin{enumerate}[label=(\roman*)]\item A\item B\end{enumerate}", "(i) A\n(ii) B"),
        (r"\begin{enumerate}[a)]\item A\item B\end{enumerate}", "a) A\nb) B"),
        (
            r"\begin{enumerate}\setcounter{enumi}{2}\item C\item[9.] D\end{enumerate}",
            "3. C\n9. D",
        ),
        (r"\texttt{code} and \verb|x_y|", "code and x_y"),
        (r"Here\footnote{A note.} it is.", "Here it is.\n\nA note."),
        (r"\phantom{no}\iffalse no \fi\begin{comment}no\end{comment}x", "x"),
        (r"The observa\-tory", "The observatory"),
        (r"\begin{tabular}{ll}\multicolumn{2}{c}{x}\\1 & 2\end{tabular}", "x\n1\t2"),
        ("The \ufb01nal o\ufb03cer", "The final officer"),
    ],
)
def test_latex_is_read_as_it_is_printed(source: str, text: str) -> None:
    assert extract("latex", source.encode()).text == text


def test_headings_of_latex_have_their_numbers() -> None:
    source = (
        r"\documentclass{report}\begin{document}\chapter{A}a\section{B}b\section*{C}c"
        r"\chapter{D}d\section{E}e\appendix\chapter{F}f\end{document}"
    )
    outline = extract("latex", source.encode()).outline
    assert [found.text for found in outline] == ["1 A", "1.1 B", "C", "2 D", "2.1 E", "A F"]


# Hostile

_GOOD: dict[str, Callable[[], bytes]] = {
    "csv": lambda: b"A,B,C\n1,2,3\n",
    "xlsx": lambda: saved(workbook(("S", [["a", "b"], ["c", "d"]]))),
    "pptx": lambda: zipped(presentation()),
    "opendocument": lambda: zipped(
        {"content.xml": _OPEN.format("<office:text><text:p>x</text:p></office:text>")}
    ),
    "epub": lambda: zipped(book()),
    "eml": lambda: bytes(message()),
    "mbox": lambda: b"From a b\n" + bytes(message()),
    "subtitles": lambda: b"1\n00:00:01,000 --> 00:00:02,000\nHello\n",
    "json": lambda: b'{"a": [1, {"b": "c"}]}',
    "jsonl": lambda: b'{"a": 1}\n{"a": 2}\n',
    "notebook": lambda: b'{"cells": [{"cell_type": "markdown", "source": ["x"]}]}',
    "rtf": lambda: rb"{\rtf1 a\par b}",
    "latex": lambda: rb"\section{A} \textbf{b} $x^2$",
}


@cache
def good(format: str) -> bytes:
    return _GOOD[format]()


@pytest.mark.parametrize("format", sorted(_GOOD))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_damaged_files_are_read_or_refused(format: str, data: st.DataObject) -> None:
    whole = good(format)
    assert extract(format, whole).text
    at = data.draw(st.integers(0, len(whole)))
    junk = data.draw(st.binary(max_size=20))
    cut = data.draw(st.booleans())
    damaged = whole[:at] + junk + (b"" if cut else whole[at + len(junk) :])
    with_reason(format, damaged)


@pytest.mark.parametrize("format", [format.name for format in FORMATS if format.name != "pdf"])
@settings(max_examples=25, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(format: str, data: bytes) -> None:
    with_reason(format, data)


def with_reason(format: str, data: bytes) -> None:
    try:
        extracted = extract(format, data)
    except IngestError:
        return
    assert extracted.text.strip()
    assert all(0 <= start <= len(extracted.text) for start in extracted.page_starts)
    assert all(0 <= heading.start <= len(extracted.text) for heading in extracted.outline)
