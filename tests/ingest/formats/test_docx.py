# ruff: noqa: RUF001, RUF003 (signs are the point)
"""Word documents as their printed pages are read."""

from __future__ import annotations

import io
import zipfile

import docx
import pytest
from docx.oxml import parse_xml

from docqa.ingest.errors import IngestError
from docqa.ingest.formats import Extracted, extract

_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_M = "http://schemas.openxmlformats.org/officeDocument/2006/math"
_R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_W14 = "http://schemas.microsoft.com/office/word/2010/wordml"
_NAMES = f'xmlns:w="{_W}" xmlns:m="{_M}" xmlns:r="{_R}" xmlns:w14="{_W14}"'


def run(text: str, properties: str = "") -> str:
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def word(body: str, styles: str = "", numbering: str | None = None) -> docx.document.Document:
    document = docx.Document()
    root = parse_xml(f"<w:body {_NAMES}>{body}</w:body>")
    for at, element in enumerate(list(root)):
        document.element.body.insert(at, element)
    for style in parse_xml(f"<w:styles {_NAMES}>{styles}</w:styles>"):
        document.styles.element.append(style)
    if numbering is not None:
        element = document.part.numbering_part.element
        for found in list(element):
            element.remove(found)
        for found in list(parse_xml(f"<w:numbering {_NAMES}>{numbering}</w:numbering>")):
            element.append(found)
    return document


def saved(document: docx.document.Document) -> bytes:
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def read(body: str, styles: str = "", numbering: str | None = None) -> Extracted:
    return extract("docx", saved(word(body, styles, numbering)))


def text_of(*runs: str, styles: str = "") -> str:
    return read(f"<w:p>{''.join(runs)}</w:p>", styles).text


UP = '<w:vertAlign w:val="superscript"/>'
DOWN = '<w:vertAlign w:val="subscript"/>'


@pytest.mark.parametrize(
    ("runs", "text"),
    [
        # Raised digits joined the number before them: 3.5 × 106.
        ([run("3.5 × 10"), run("6", UP), run(" cells")], "3.5 × 10⁶ cells"),
        ([run("10"), run("-", UP), run("3", UP), run(" m")], "10⁻³ m"),
        ([run("CO"), run("2", DOWN), run(" and v"), run("max", DOWN)], "CO₂ and v_max"),
        ([run("50 m"), run("2", UP)], "50 m²"),
        ([run("transfer"), run("2", UP), run(" before")], "transfer ² before"),
        ([run("the 1"), run("st", UP), run(" of May")], "the 1st of May"),
        ([run("10"), run("n+1", UP)], "10ⁿ⁺¹"),
        ([run("10"), run("6", '<w:position w:val="8"/>')], "10⁶"),
        # Struck and hidden text was read as valid.
        ([run("pay "), run("900 ", "<w:strike/>"), run("950")], "pay 950"),
        ([run("pay "), run("900 ", "<w:dstrike/>"), run("950")], "pay 950"),
        ([run("pay "), run("900 ", '<w:strike w:val="0"/>'), run("950")], "pay 900 950"),
        ([run("pay "), run("900 ", "<w:vanish/>"), run("950")], "pay 950"),
        # Signs of fonts that have no code points were left out.
        (['<w:r><w:sym w:font="Symbol" w:char="F061"/></w:r>', run(" = 5")], "α = 5"),
        (['<w:r><w:sym w:font="Wingdings" w:char="F0FE"/></w:r>', run(" yes")], "[x] yes"),
        (
            [
                "<w:r><w:ruby><w:rubyPr/><w:rt><w:r><w:t>とうきょう</w:t></w:r></w:rt>"
                "<w:rubyBase><w:r><w:t>東京</w:t></w:r></w:rubyBase></w:ruby></w:r>",
                run("で"),
            ],
            "東京で",
        ),
        (
            [
                '<w:sdt><w:sdtPr><w14:checkbox><w14:checked w14:val="1"/></w14:checkbox></w:sdtPr>'
                "<w:sdtContent><w:r><w:t>☒</w:t></w:r></w:sdtContent></w:sdt>",
                run("paid"),
            ],
            "[x] paid",
        ),
    ],
)
def test_runs_are_read_as_they_are_printed(runs: list[str], text: str) -> None:
    assert text_of(*runs) == text


STYLES = (
    '<w:style w:type="character" w:styleId="Old"><w:name w:val="Old"/>'
    "<w:rPr><w:strike/></w:rPr></w:style>"
    '<w:style w:type="character" w:styleId="Older"><w:basedOn w:val="Old"/></w:style>'
    '<w:style w:type="paragraph" w:styleId="Secret"><w:rPr><w:vanish/></w:rPr></w:style>'
    '<w:style w:type="paragraph" w:styleId="Loop"><w:basedOn w:val="Loop"/></w:style>'
    '<w:style w:type="paragraph" w:styleId="Clause"><w:name w:val="Clause"/>'
    '<w:basedOn w:val="Heading2"/></w:style>'
)


def test_styles_strike_and_hide_text() -> None:
    old = run("900 ", '<w:rStyle w:val="Older"/>')
    assert text_of(run("pay "), old, run("950"), styles=STYLES) == "pay 950"
    hidden = f'<w:p><w:pPr><w:pStyle w:val="Secret"/></w:pPr>{run("no")}</w:p>'
    assert read(f"{hidden}<w:p>{run('yes')}</w:p>", STYLES).text == "yes"


@pytest.mark.parametrize(
    ("equation", "text"),
    [
        ("<m:r><m:t>k=2.75</m:t></m:r>", "k=2.75"),
        (
            "<m:f><m:num><m:r><m:t>a+b</m:t></m:r></m:num>"
            "<m:den><m:r><m:t>2</m:t></m:r></m:den></m:f>",
            "(a+b)/2",
        ),
        (
            "<m:sSup><m:e><m:r><m:t>c</m:t></m:r></m:e>"
            "<m:sup><m:r><m:t>2</m:t></m:r></m:sup></m:sSup>",
            "c²",
        ),
        (
            '<m:rad><m:radPr><m:degHide m:val="1"/></m:radPr><m:deg/>'
            "<m:e><m:r><m:t>x</m:t></m:r></m:e></m:rad>",
            "√x",
        ),
    ],
)
def test_equations_are_text(equation: str, text: str) -> None:
    # Nothing of an equation was read.
    assert text_of(run("is "), f"<m:oMath>{equation}</m:oMath>", run(" so")) == f"is {text} so"


def level(at: int, text: str, format: str = "decimal", more: str = "") -> str:
    return (
        f'<w:lvl w:ilvl="{at}"><w:start w:val="1"/><w:numFmt w:val="{format}"/>{more}'
        f'<w:lvlText w:val="{text}"/></w:lvl>'
    )


def item(text: str, at: int = 0, list_id: int = 1) -> str:
    properties = f'<w:numPr><w:ilvl w:val="{at}"/><w:numId w:val="{list_id}"/></w:numPr>'
    return f"<w:p><w:pPr>{properties}</w:pPr>{run(text)}</w:p>"


NUMBERING = (
    f'<w:abstractNum w:abstractNumId="0">{level(0, "Article %1", "upperRoman")}'
    f"{level(1, '%1.%2', more='<w:isLgl/>')}{level(2, '(%3)', 'lowerLetter')}</w:abstractNum>"
    f'<w:abstractNum w:abstractNumId="1">{level(0, "•", "bullet")}</w:abstractNum>'
    '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>'
    '<w:num w:numId="2"><w:abstractNumId w:val="0"/><w:lvlOverride w:ilvl="0">'
    '<w:startOverride w:val="1"/></w:lvlOverride></w:num>'
    '<w:num w:numId="3"><w:abstractNumId w:val="1"/></w:num>'
)


def test_clauses_have_their_automatic_numbers() -> None:
    # Numbers that Word makes itself were lost.
    body = (
        item("a")
        + item("b", 1)
        + item("c", 1)
        + item("d", 2)
        + item("e", 2)
        + item("f")
        + item("g", 1)
        + item("h", 0, 2)
        + item("i", 0, 2)
        + item("j", 0, 3)
    )
    assert read(body, numbering=NUMBERING).text.splitlines() == [
        "Article I a",
        "1.1 b",
        "1.2 c",
        "(a) d",
        "(b) e",
        "Article II f",
        "2.1 g",
        "Article I h",
        "Article II i",
        "j",
    ]


def test_a_paragraph_whose_end_was_deleted_goes_on_in_the_next() -> None:
    mark = '<w:pPr><w:rPr><w:del w:id="3" w:author="a"/></w:rPr></w:pPr>'
    body = f"<w:p>{mark}{run('sev')}</w:p><w:p>{run('enty euros')}</w:p><w:p>{run('x')}</w:p>"
    assert read(body).text == "seventy euros\nx"


def test_what_was_deleted_whole_has_no_number() -> None:
    deleted = item("").replace("<w:numPr>", '<w:rPr><w:del w:id="1"/></w:rPr><w:numPr>', 1)
    deleted = deleted.replace("<w:r>", '<w:del w:id="2"><w:r>').replace("</w:r>", "</w:r></w:del>")
    assert read(item("a") + deleted + item("b"), numbering=NUMBERING).text == (
        "Article I a\nArticle II b"
    )


def test_rows_stay_rows() -> None:
    # Two paragraphs in a cell tore its row into lines.
    cell = "<w:tc>{}</w:tc>"
    first = cell.format(f"<w:p>{run('Due')}</w:p><w:p>{run('date')}</w:p>")
    second = cell.format(f"<w:p>{run('3 May')}</w:p>")
    row = f"<w:tr>{first}{second}</w:tr>"
    gone = row.replace("<w:tr>", '<w:tr><w:trPr><w:del w:id="1"/></w:trPr>')
    assert read(f"<w:tbl>{row}{gone}{row}</w:tbl>").text == "Due date\t3 May\nDue date\t3 May"


def test_a_text_box_stands_apart_from_its_paragraph() -> None:
    box = f"<w:r><w:pict><w:txbxContent><w:p>{run('box')}</w:p></w:txbxContent></w:pict></w:r>"
    assert text_of(run("It costs "), box, run("5 euros.")) == "It costs 5 euros.\nbox"


def test_headers_and_footers_are_read_once() -> None:
    document = word(f"<w:p>{run('body')}</w:p>")
    for section in (document.sections[0], document.add_section()):
        section.header.is_linked_to_previous = False
        section.header.paragraphs[0].text = "Contract 17"
        section.footer.is_linked_to_previous = False
        footer = section.footer.paragraphs[0]
        footer.text = "Page "
        field = f'<w:fldSimple {_NAMES} w:instr=" PAGE "><w:r><w:t>1</w:t></w:r></w:fldSimple>'
        footer._p.append(parse_xml(field))
    assert extract("docx", saved(document)).text == "body\n\nContract 17"


def test_title_and_outline_come_from_styles() -> None:
    document = word(
        f'<w:p><w:pPr><w:pStyle w:val="Title"/></w:pPr>{run("Lease")}</w:p>'
        f'<w:p><w:pPr><w:pStyle w:val="Heading1"/></w:pPr>{run("Terms")}</w:p>'
        f"<w:p>{run('text')}</w:p>"
        f'<w:p><w:pPr><w:pStyle w:val="Clause"/></w:pPr>{run("Notice")}</w:p>'
        f'<w:p><w:pPr><w:outlineLvl w:val="2"/></w:pPr>{run("Early")}</w:p>',
        STYLES,
    )
    extracted = extract("docx", saved(document))
    assert extracted.title == "Lease"
    found = [(heading.text, heading.level) for heading in extracted.outline]
    assert found == [("Terms", 1), ("Notice", 2), ("Early", 3)]
    for heading in extracted.outline:
        assert extracted.text[heading.start :].startswith(heading.text)


def repacked(data: bytes, old: bytes, new: bytes) -> bytes:
    """A package with something else in all of its parts."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(file, "w") as target:
        for name in source.namelist():
            target.writestr(name, source.read(name).replace(old, new))
    return file.getvalue()


def test_macro_documents_are_read() -> None:
    data = saved(word(f"<w:p>{run('text')}</w:p>"))
    old = b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    macro = repacked(data, old, b"application/vnd.ms-word.document.macroEnabled.main+xml")
    assert macro != data
    assert extract("docx", macro).text == "text"


def test_strict_open_xml_is_read() -> None:
    data = saved(word(f"<w:p>{run('10')}{run('6', UP)}</w:p>"))
    for old, new in (
        (_W, "http://purl.oclc.org/ooxml/wordprocessingml/main"),
        (_R, "http://purl.oclc.org/ooxml/officeDocument/relationships"),
    ):
        data = repacked(data, old.encode(), new.encode())
    assert extract("docx", data).text == "10⁶"


def with_chunk(name: str, content: bytes) -> bytes:
    document = word(f'<w:p>{run("before")}</w:p><w:altChunk r:id="rId900"/><w:p>{run("end")}</w:p>')
    data = saved(document)
    relation = (
        f'<Relationship Id="rId900" Type="{_R}/aFChunk" Target="{name}"/></Relationships>'
    ).encode()
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(file, "w") as target:
        for part in source.namelist():
            content_of = source.read(part)
            if part == "word/_rels/document.xml.rels":
                content_of = content_of.replace(b"</Relationships>", relation)
            target.writestr(part, content_of)
        target.writestr(f"word/{name}", content)
    return file.getvalue()


def test_embedded_chunks_are_read_at_their_place() -> None:
    page = b"<h1>Fees</h1><p>It costs <s>4</s> 5 euros.</p>"
    extracted = extract("docx", with_chunk("chunk.htm", page))
    assert extracted.text == "before\n\nFees\n\nIt costs 5 euros.\n\nend"
    assert extracted.text[extracted.outline[0].start :].startswith("Fees")
    inner = saved(word(f"<w:p>{run('inner')}</w:p>"))
    assert extract("docx", with_chunk("chunk.docx", inner)).text == "before\n\ninner\n\nend"


def test_an_embedded_chunk_that_cannot_be_read_is_a_gap() -> None:
    extracted = extract("docx", with_chunk("chunk.rtf", b"{\\rtf1 x}"))
    assert extracted.text == "before\n\nend" or extracted.text == "before\nend"
    assert "chunk.rtf" in extracted.gaps[0]


def test_a_document_may_unpack_to_so_much_and_no_more() -> None:
    # Only the memory of the process bounded it: what fits in there was unpacked whole.
    with pytest.raises(IngestError, match="unpacks to more than 128 MB"):
        extract("docx", with_chunk("chunk.htm", " " * (129 << 20)))


def paragraph(*runs: str, properties: str = "") -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr>{''.join(runs)}</w:p>"


def cell(*content: str, properties: str = "") -> str:
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{''.join(content)}</w:tc>"


WHITE = '<w:color w:val="FFFFFF"/>'
DARK = '<w:shd w:val="clear" w:fill="000000"/>'


@pytest.mark.parametrize(
    ("body", "text"),
    [
        # Text that nobody sees on the printed page was read.
        (paragraph(run("a "), run("no", WHITE), run(" b")), "a b"),
        (paragraph(run("a "), run("no", '<w:sz w:val="2"/>'), run(" b")), "a b"),
        (paragraph(run("a "), run("yes", WHITE + DARK), run(" b")), "a yes b"),
        (paragraph(run("yes", WHITE), properties=DARK), "yes"),
        (f"<w:tbl><w:tr>{cell(paragraph(run('yes', WHITE)))}</w:tr></w:tbl>", "yes"),
        (
            f"<w:tbl><w:tr><w:trPr><w:hidden/></w:trPr>{cell(paragraph(run('no')))}</w:tr>"
            f"<w:tr>{cell(paragraph(run('x')))}</w:tr></w:tbl>",
            "x",
        ),
        (
            "<w:tbl><w:tr>"
            + cell(paragraph(run("no")), properties='<w:cellDel w:id="1"/>')
            + cell(paragraph(run("x")))
            + "</w:tr></w:tbl>",
            "x",
        ),
        # What a field asks for, where nobody has filled it in.
        (
            "<w:p><w:r><w:t>Name:</w:t></w:r><w:sdt><w:sdtPr><w:showingPlcHdr/></w:sdtPr>"
            f"<w:sdtContent>{run('Click here')}</w:sdtContent></w:sdt></w:p>",
            "Name:",
        ),
        # A struck formula.
        (
            '<w:p><m:oMath><m:borderBox><m:borderBoxPr><m:strikeH m:val="1"/></m:borderBoxPr>'
            "<m:e><m:r><m:t>no</m:t></m:r></m:e></m:borderBox><m:r><m:t>x</m:t></m:r></m:oMath>"
            "</w:p>",
            "x",
        ),
        (paragraph(run("The \ufb01nal o\ufb03cer")), "The final officer"),
    ],
)
def test_what_is_not_seen_is_left_out(body: str, text: str) -> None:
    assert read(body).text == text


def test_a_heading_whose_end_was_deleted_is_one_with_the_next() -> None:
    # The outline had both halves of "Fees of the club".
    style = '<w:pStyle w:val="Heading1"/>'
    deleted = f'{style}<w:rPr><w:del w:id="1"/></w:rPr>'
    extracted = read(
        paragraph(run("Fe"), properties=deleted) + paragraph(run("es"), properties=style)
    )
    assert [heading.text for heading in extracted.outline] == ["Fees"]
