from __future__ import annotations

import io

import docx
import pypdf
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from fpdf import FPDF

from docqa.ingest.errors import IngestError
from docqa.ingest.formats import extract


def html(body: str) -> str:
    return extract("html", body.encode()).text


def test_html_shows_what_a_reader_sees() -> None:
    page = (
        "<html><head><title>T</title><style>s</style></head><body><script>x()</script>"
        "<h1>Lease</h1><p>It <b>ends</b>\n in&nbsp;May.<p hidden>no</p>"
        "<div style='display: none'>no<br>no</div>before<br>after<!-- no -->"
        "<ul><li>one</li><li>two</li></ul></body></html>"
    )
    assert html(page) == "Lease\n\nIt ends in May.\n\nbefore\nafter\n\none\ntwo"


def test_html_tables_are_lines_of_cells() -> None:
    rows = "<tr><td></td><td><p>a</p></td><td>b</td></tr><tr><td>c</td><td>d</td></tr>"
    assert html(f"x<table>{rows}</table>y") == "x\n\na\tb\nc\td\n\ny"


def test_html_keeps_preformatted_text() -> None:
    assert html("<p>a</p><pre>if x:\n    y\n\n    z</pre>") == "a\n\nif x:\n    y\n\n    z"


def test_html_keeps_the_indents_of_coloured_code() -> None:
    """An indent before an element or an entity was left out, as if it stood at a line's end."""
    coloured = "<b>def</b> f():\n    <b>return</b> &quot;x&quot;\n  \n  &lt;y\n  "
    assert html(f"<p>a</p><pre>{coloured}</pre>z") == 'a\n\ndef f():\n    return "x"\n\n  <y\n\nz'
    assert html("<pre>x\n  </pre><pre>y</pre>") == "x\n\ny"


def test_html_soft_hyphens_do_not_break_words() -> None:
    assert html("<p>con&shy;tract</p>") == "contract"


def test_html_is_never_cut_off() -> None:
    assert html("<div>" * 5000 + "deep" + "</div>" * 5000 + "<p>after") == "deep\n\nafter"
    assert len(html("<p>" + "word " * 2_400_000)) == 5 * 2_400_000 - 1


@pytest.mark.parametrize(
    ("head", "encoding"),
    [
        ("<meta charset=windows-1251>", "cp1251"),
        ('<meta http-equiv="Content-Type" content="text/html; charset=Shift_JIS">', "cp932"),
        ('<?xml version="1.0" encoding="ISO-8859-5"?>', "iso8859_5"),
        ("<meta charset=latin1>", "utf-16"),
        ("<meta charset=no-such-thing>", "utf-8"),
    ],
)
def test_html_encodings(head: str, encoding: str) -> None:
    assert extract("html", f"{head}<p>Договор".encode(encoding)).text == "Договор"


def test_docx_in_the_order_of_the_body() -> None:
    document = docx.Document()
    document.add_paragraph("first")
    table = document.add_table(2, 2)
    for at, text in enumerate(["a", "b", "c", "d"]):
        table.cell(at // 2, at % 2).text = text
    document.add_paragraph("last\tone")
    assert extract("docx", saved(document)).text == "first\n\na\tb\nc\td\n\nlast one"


def test_docx_takes_insertions_and_leaves_deletions() -> None:
    document = docx.Document()
    runs = "<w:r><w:t xml:space='preserve'>old </w:t></w:r><w:ins><w:r><w:t>new</w:t></w:r></w:ins>"
    deleted = "<w:del><w:r><w:delText>gone</w:delText></w:r></w:del>"
    control = "<w:sdt><w:sdtContent><w:p><w:r><w:t>form</w:t></w:r></w:p></w:sdtContent></w:sdt>"
    names = nsdecls("w")
    document.element.body.insert(0, parse_xml(f"<w:p {names}>{runs}{deleted}</w:p>"))
    document.element.body.insert(1, parse_xml(control.replace("<w:sdt>", f"<w:sdt {names}>")))
    assert extract("docx", saved(document)).text == "old new\nform"


def test_an_old_or_encrypted_word_document_is_told_apart() -> None:
    with pytest.raises(IngestError, match="password"):
        extract("docx", b"\xd0\xcf\x11\xe0 and so on")


def test_pdf_pages() -> None:
    text, starts, *_ = extract("pdf", pdf("one page", "", "the third"))
    assert len(starts) == 3
    assert text[starts[0] : starts[1] - 1] == "one page"
    assert text[starts[2] :] == "the third"


def test_a_pdf_without_text_asks_for_ocr() -> None:
    with pytest.raises(IngestError, match="OCR"):
        extract("pdf", pdf(""))


def test_a_gap_between_words_is_a_blank_in_a_font_that_has_none() -> None:
    # As TeX sets them, with 600 for the width of the glyph that happens to be the 32nd.
    text = extract("pdf", tex_pdf("<00010002>-250<0020>20<0001>", "<0001>-250<0020>")).text
    assert text == "ab ca\na c"


def test_a_blank_in_a_font_keeps_its_width() -> None:
    (page,) = pypdf.PdfReader(io.BytesIO(pdf("two words"))).pages
    assert extract("pdf", pdf("two words")).text == page.extract_text() == "two words"


def test_fonts_that_are_damaged_do_not_cost_the_page() -> None:
    damaged = tex_pdf("<0001>").replace(b"/W [1 [500 500] 32 [600]]", b"/W 7")
    assert extract("pdf", damaged.replace(b"/DescendantFonts [", b"/Nothing [")).text == "a"


@pytest.mark.parametrize("keep", [0.3, 0.02])
def test_half_a_pdf_is_said_to_be_cut_short(keep: float) -> None:
    whole = pdf("one page")
    with pytest.raises(IngestError, match="cut short"):
        extract("pdf", whole[: int(len(whole) * keep)])


def tex_pdf(*shown: str) -> bytes:
    """A page a piece, in a font of three letters (codes 1, 2 and 32 are a, b and c)."""
    to_unicode = b"3 beginbfchar\n<0001> <0061>\n<0002> <0062>\n<0020> <0063>\nendbfchar"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"",
        b"<< /Type /Font /Subtype /Type0 /BaseFont /T /Encoding /Identity-H /ToUnicode 5 0 R "
        b"/DescendantFonts [4 0 R] >>",
        b"<< /Type /Font /Subtype /CIDFontType0 /BaseFont /T /W [1 [500 500] 32 [600]] >>",
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(to_unicode), to_unicode),
    ]
    kids = []
    for piece in shown:
        content = f"BT /F1 10 Tf 72 720 Td [{piece}] TJ ET".encode()
        kids.append(b"%d 0 R" % (len(objects) + 1))
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R "
            b"/Resources << /Font << /F1 3 0 R >> >> >>" % (len(objects) + 2)
        )
        objects.append(b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content))
    objects[1] = b"<< /Type /Pages /Count %d /Kids [%b] >>" % (len(kids), b" ".join(kids))
    bodies = b"".join(b"%d 0 obj\n%b\nendobj\n" % item for item in enumerate(objects, start=1))
    return b"%PDF-1.4\n" + bodies + b"trailer << /Root 1 0 R >>\nstartxref\n0\n%%EOF\n"


def pdf(*pages: str) -> bytes:
    document = FPDF()
    document.set_font("Helvetica")
    for page in pages:
        document.add_page()
        if page:
            document.cell(text=page)
    return bytes(document.output())


def saved(document: object) -> bytes:
    file = io.BytesIO()
    document.save(file)  # type: ignore[attr-defined]
    return file.getvalue()
