"""OpenDocument as its printed pages are read."""

from __future__ import annotations

import io
import zipfile

import pytest

from docqa.ingest.formats import Extracted, extract

_NAMES = " ".join(
    f'xmlns:{name}="urn:x:{name}"'
    for name in "office style text table draw form field loext presentation xlink fo".split()
)


def file_of(
    body: str,
    automatic: str = "",
    styles: str = "",
    kind: str = "text",
    members: dict[str, str] | None = None,
) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(
            "content.xml",
            f"<office:document-content {_NAMES}>"
            f"<office:automatic-styles>{automatic}</office:automatic-styles>"
            f"<office:body><office:{kind}>{body}</office:{kind}></office:body>"
            "</office:document-content>",
        )
        if styles:
            archive.writestr(
                "styles.xml",
                f"<office:document-styles {_NAMES}>{styles}</office:document-styles>",
            )
        for name, content in (members or {}).items():
            archive.writestr(name, content)
    return file.getvalue()


def read(body: str, automatic: str = "", styles: str = "", kind: str = "text") -> Extracted:
    return extract("opendocument", file_of(body, automatic, styles, kind))


def style(name: str, properties: str, family: str = "text", parent: str = "") -> str:
    return (
        f'<style:style style:name="{name}" style:family="{family}" '
        f'style:parent-style-name="{parent}"><style:text-properties {properties}/></style:style>'
    )


def paragraph(words: str, name: str = "") -> str:
    return f'<text:p text:style-name="{name}">{words}</text:p>'


def span(words: str, name: str = "T") -> str:
    return f'<text:span text:style-name="{name}">{words}</text:span>'


def items(*contents: str) -> str:
    return "".join(f"<text:list-item>{content}</text:list-item>" for content in contents)


def a_list(content: str, attributes: str = 'text:style-name="L"') -> str:
    return f"<text:list {attributes}>{content}</text:list>"


def list_style(*levels: str, name: str = "L") -> str:
    return (
        f'<text:list-style style:name="{name}">'
        + "".join(
            f'<text:list-level-style-number text:level="{number}" {level}/>'
            for number, level in enumerate(levels, 1)
        )
        + "</text:list-style>"
    )


_RAISED = 'style:text-position="33% 58%"'
_STRUCK = 'style:text-line-through-style="solid"'


@pytest.mark.parametrize(
    ("body", "automatic", "text"),
    [
        (f"10{span('6')} cells", style("T", _RAISED), "10\u2076 cells"),
        # A style says nothing itself: the one that it builds on does.
        (
            f"10{span('6')} cells",
            style("T", "", parent="Up") + style("Up", 'style:text-position="super 58%"'),
            "10\u2076 cells",
        ),
        # Struck and hidden text was read as valid.
        (f"fee {span('50')} 75", style("T", _STRUCK), "fee 75"),
        (f"fee {span('50')} 75", style("T", 'style:text-line-through-type="double"'), "fee 75"),
        (f"fee {span('50')} 75", style("T", 'style:text-line-through-style="none"'), "fee 50 75"),
        (f"fee {span('50')} 75", style("T", 'text:display="none"'), "fee 75"),
        (
            'x<text:hidden-text text:is-hidden="true" text:string-value="no">no</text:hidden-text>',
            "",
            "x",
        ),
        ('x <text:hidden-text text:is-hidden="false" text:string-value="yes"/>', "", "x yes"),
        ("The \ufb01nal o\ufb03cer", "", "The final officer"),
        # What a field asks for, where nobody has filled it in.
        (
            'Name: <loext:content-control loext:showing-place-holder="true">Click'
            "</loext:content-control>",
            "",
            "Name:",
        ),
    ],
)
def test_runs_are_read_as_they_are_printed(body: str, automatic: str, text: str) -> None:
    assert read(paragraph(body), automatic).text == text


def test_hidden_and_struck_paragraphs_and_sections_are_left_out() -> None:
    body = (
        f"{paragraph('no', 'P')}{paragraph('x')}"
        f'<text:section text:display="none">{paragraph("no")}</text:section>'
        f'<text:section text:condition="c" text:is-hidden="true">{paragraph("no")}</text:section>'
    )
    body += paragraph('no<text:hidden-paragraph text:is-hidden="true"/>')
    assert read(body, style("P", _STRUCK, "paragraph")).text == "x"


def test_lists_have_their_automatic_numbers() -> None:
    # Clauses were there without their numbers.
    inner = a_list(items(paragraph("sub a"), paragraph("sub b")), "")
    body = (
        a_list(items(paragraph("one") + inner, paragraph("two")))
        + paragraph("between")
        + a_list(items(paragraph("three")), 'text:style-name="L" text:continue-numbering="true"')
        + a_list(items(paragraph("anew")))
    )
    levels = list_style(
        'style:num-format="1" style:num-suffix="."',
        'style:num-format="a" style:num-suffix=")"',
    )
    assert read(body, levels).text.split("\n\n") == [
        "1. one", "a) sub a", "b) sub b", "2. two", "between", "3. three", "1. anew"
    ]  # fmt: skip


def test_a_list_goes_on_behind_another_and_an_item_says_its_number() -> None:
    body = (
        a_list(items(paragraph("one")), 'text:style-name="L" xml:id="first"')
        + a_list(items(paragraph("bullet")), 'text:style-name="B"')
        + a_list(
            items(paragraph("two"), a_list(items(paragraph("deep")), "")),
            'text:style-name="L" text:continue-list="first"',
        )
        + a_list(
            f"<text:list-header>{paragraph('head')}</text:list-header>"
            f'<text:list-item text:start-value="5">{paragraph("five")}</text:list-item>'
        )
    )
    levels = list_style(
        'style:num-format="I" style:num-prefix="(" style:num-suffix=")"',
        'style:num-format="1" text:display-levels="2"',
    )
    bullets = (
        '<text:list-style style:name="B"><text:list-level-style-bullet text:level="1"/>'
        "</text:list-style>"
    )
    assert read(body, levels + bullets).text.split("\n\n") == [
        "(I) one", "bullet", "(II) two", "II.1 deep", "head", "(V) five"
    ]  # fmt: skip


def test_headings_have_the_numbers_of_the_outline() -> None:
    heading = '<text:h text:outline-level="{}">{}</text:h>'.format
    outline = (
        '<text:outline-style style:name="Outline">'
        '<text:outline-level-style text:level="1" style:num-format="1"/>'
        '<text:outline-level-style text:level="2" style:num-format="1" text:display-levels="2"/>'
        "</text:outline-style>"
    )
    extracted = read(
        heading(1, "Start") + heading(2, "Sub") + heading(2, "Next") + heading(1, "End"),
        styles=outline,
    )
    assert [(found.text, found.level) for found in extracted.outline] == [
        ("1 Start", 1), ("1.1 Sub", 2), ("1.2 Next", 2), ("2 End", 1)
    ]  # fmt: skip


def test_formulas_are_text() -> None:
    # A formula is a file of its own; it was left out.
    body = paragraph(
        'k is <draw:frame><draw:object xlink:href="./Object 1"/>'
        '<draw:image xlink:href="x.svm"/></draw:frame> here'
    )
    formula = (
        '<math xmlns="http://www.w3.org/1998/Math/MathML"><semantics><mrow><mfrac><mi>a</mi>'
        "<mn>2</mn></mfrac><mo>+</mo><msup><mn>10</mn><mn>6</mn></msup></mrow>"
        '<annotation encoding="StarMath 5.0">a over 2</annotation></semantics></math>'
    )
    data = file_of(body, members={"Object 1/content.xml": formula})
    assert extract("opendocument", data).text == "k is a/2 + 10\u2076 here"


def test_a_form_says_what_was_filled_in() -> None:
    forms = (
        "<office:forms><form:form>"
        '<form:text form:id="c1" form:value="no" form:current-value="Okonkwo"/>'
        '<form:checkbox form:id="c2" form:label="Resident" form:current-state="checked"/>'
        '<form:listbox form:id="c3"><form:option form:label="Petrol"/>'
        '<form:option form:label="Diesel" form:current-selected="true"/></form:listbox>'
        '<form:radio form:id="c4" form:label="Yes" form:current-selected="true"/>'
        '<form:password form:id="c5" form:current-value="no"/>'
        '<form:textarea form:id="c6"><text:p>two</text:p><text:p>lines</text:p></form:textarea>'
        "</form:form></office:forms>"
    )
    controls = (f'<draw:control draw:control="c{number}"/>' for number in range(1, 7))
    assert read(forms + "".join(map(paragraph, controls))).text.split("\n\n") == [
        "Okonkwo", "[x] Resident", "Diesel", "[x] Yes", "two lines"
    ]  # fmt: skip


def test_fields_of_old_forms() -> None:
    kind = "vnd.oasis.opendocument.field."
    param = '<field:param field:name="{}" field:value="{}"/>'.format
    body = (
        f'<field:fieldmark field:type="{kind}FORMCHECKBOX">'
        f"{param(kind + 'Checkbox_Checked', 'true')}</field:fieldmark> Fuel: "
        f'<field:fieldmark field:type="{kind}FORMDROPDOWN">{param("Dropdown_ListEntry", "Petrol")}'
        f"{param('Dropdown_ListEntry', 'Diesel')}{param('Dropdown_Selected', '1')}"
        "</field:fieldmark>"
    )
    assert read(paragraph(body)).text == "[x] Fuel: Diesel"


def test_heads_and_feet_of_pages_are_read_once_without_their_numbers() -> None:
    head = paragraph("Contract 4711")
    foot = paragraph(
        "Page <text:page-number>1</text:page-number> of <text:page-count>3</text:page-count>"
    )
    styles = (
        f'<office:master-styles><style:master-page style:name="Standard">'
        f"<style:header>{head}</style:header><style:footer>{foot}</style:footer>"
        f"<style:header-left>{head}</style:header-left></style:master-page></office:master-styles>"
    )
    assert read(paragraph("body"), styles=styles).text == "body\n\nContract 4711"


def cell(*words: str) -> str:
    return f"<table:table-cell>{''.join(map(paragraph, words))}</table:table-cell>"


def test_a_table_in_a_cell_is_read_once() -> None:
    inner = (
        f"<table:table><table:table-row>{cell('Basic')}{cell('9')}</table:table-row></table:table>"
    )
    row = f"{cell('Plan')}<table:table-cell>{inner}</table:table-cell>"
    table = f"<table:table><table:table-row>{row}</table:table-row></table:table>"
    assert read(table).text == "Plan\tBasic 9"


def test_hidden_sheets_rows_and_columns_are_left_out() -> None:
    hidden = 'table:visibility="collapse"'
    body = (
        f'<table:table table:name="One"><table:table-column/><table:table-column {hidden}/>'
        f"<table:table-row>{cell('a')}{cell('no')}</table:table-row>"
        f"<table:table-row {hidden}>{cell('no')}</table:table-row></table:table>"
        f'<table:table table:name="Two" table:style-name="ta">'
        f"<table:table-row>{cell('no')}</table:table-row></table:table>"
    )
    off = (
        '<style:style style:name="ta" style:family="table">'
        '<style:table-properties table:display="false"/></style:style>'
    )
    extracted = read(body, off, kind="spreadsheet")
    assert extracted.text == "One\n\na"
    assert extracted.gaps == ("the hidden sheet Two is left out",)
