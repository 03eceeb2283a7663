"""HTML as its styles show it: raised, struck, hidden, filled in, numbered, side by side."""

from __future__ import annotations

import pytest

from docqa.ingest.formats import extract


def text_of(body: str) -> str:
    return extract("html", body.encode()).text


def classed(sheet: str, body: str) -> str:
    return f"<style>{sheet}</style>{body}"


@pytest.mark.parametrize(
    "body",
    [
        # Digits that a style raises joined the number before them: 106.
        '<p>10<span style="vertical-align:super">6</span> cells',
        '<p>10<b style="vertical-align:super">6</b> cells',
        '<p>10<span style="vertical-align:4px;font-size:60%">6</span> cells',
        '<p>10<span style="position:relative;top:-0.5em;font-size:60%">6</span> cells',
        '<p>10<span style="vertical-align:text-top;font-size:8px">6</span> cells',
        '<p>10<span style="font-variant-position:super">6</span> cells',
        '<p>10<sup><a href="x">6</a></sup> cells',
        "<p>10<sup><small>6</small></sup> cells",
        "<p>10<big><sup>6</sup></big> cells",
        classed("p .u, td .u{vertical-align:super}", '<p>10<span class="u">6</span> cells'),
        classed("span.a.u{vertical-align:super}", '<p>10<span class="a u">6</span> cells'),
        classed("@media screen{.u{vertical-align:super}}", '<p>10<i class="u">6</i> cells'),
    ],
)
def test_what_a_style_raises_never_joins_the_number(body: str) -> None:
    assert text_of(body) == "10⁶ cells"


def test_a_power_of_a_power_stays_one() -> None:
    assert text_of("<p>e<sup>x<sup>2</sup></sup>") == "e^x²"


@pytest.mark.parametrize(
    "body",
    [
        # Text struck by a rule with more than one name in it was read as valid.
        classed(".p .old{text-decoration:line-through}", '<p class=p><i class="old">50</i> 75'),
        classed(".p > .old{text-decoration:line-through}", '<p class=p><i class="old">50</i> 75'),
        classed(".old.p{text-decoration:line-through}", '<p><i class="p old">50</i> 75'),
        classed("@media screen{.old{text-decoration:line-through}}", '<p><i class="old">50</i> 75'),
        classed("[data-old]{text-decoration:line-through}", "<p><span data-old>50</span> 75"),
        classed(".old{text-decoration:line-through!important}", '<p><i class="old">50</i> 75'),
        '<p><span style="text-decoration:none line-through red">50</span> 75',
        '<p style="text-decoration:line-through">50 <span>x</span></p><p>75',
        '<table><tr style="text-decoration:line-through"><td>50</tr><tr><td>75</table>',
        "<del><p>50</p></del><ins><p>75</p></ins>",
        # Names that are what they say wherever the style sheet is.
        '<p><span class="line-through text-gray-400">50</span> 75',
        '<p><span class="strikethrough">50</span> 75',
        '<p><span role="deletion">50</span> 75',
    ],
)
def test_struck_text_is_left_out_however_it_is_struck(body: str) -> None:
    assert text_of(body) == "75"


@pytest.mark.parametrize(
    "body",
    [
        # The later rule of the same weight wins.
        classed(
            ".a{text-decoration:line-through} .a{text-decoration:none}", "<p><i class=a>50</i> 75"
        ),
        classed("@media print{.old{display:none}}", '<p><span class="old">50</span> 75'),
        classed("@media (max-width:400px){.o{display:none}}", '<p><b class="o">50</b> 75'),
        classed(".o:hover{display:none}", '<p><b class="o">50</b> 75'),
        classed("i .o{display:none}", '<p><b class="o">50</b> 75'),
    ],
)
def test_rules_that_do_not_hold_hide_nothing(body: str) -> None:
    assert text_of(body) == "50 75"


@pytest.mark.parametrize(
    "style",
    [
        # Text that nobody sees was read.
        "opacity:0",
        "font-size:0",
        "font-size:0px",
        "position:absolute;left:-9999px",
        "display:inline-block;text-indent:-9999px",
        "color:#fff;background:#ffffff",
        "color:white",
        "color:rgb(255, 255, 255)",
        "color:transparent",
        "color:rgba(0,0,0,0)",
        "position:absolute;clip:rect(0,0,0,0)",
        "clip-path:inset(50%)",
        "transform:scale(0)",
        "visibility:hidden",
        "display:none!important",
        "mso-hide:all",
        "max-height:0;overflow:hidden",
        "width:0;height:0px;overflow:hidden",
    ],
)
def test_text_that_a_style_hides_is_left_out(style: str) -> None:
    assert text_of(f'<p>1 <span style="{style}">HID</span> 2') == "1 2"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ('<body style="background:black"><p><b style="color:white">seen</b>', "seen"),
        ('<table><td bgcolor="#000000"><font color="white">seen</font></table>', "seen"),
        ('<table><td background="x.png"><font color="white">seen</font></table>', "seen"),
        ('<div style="background:url(x)"><b style="color:white">seen</b></div>', "seen"),
        ('<link rel=stylesheet href=x.css><p><b style="color:white">seen</b>', "seen"),
        ('<div style="visibility:hidden">no<b style="visibility:visible">seen</b></div>', "seen"),
        ('<div style="font-size:0">no<b style="font-size:12px">seen</b></div>', "seen"),
        # What opens when it is clicked on.
        ('<div style="max-height:0;overflow:hidden;transition:all 1s">seen</div>', "seen"),
        ("<details><summary>Sum</summary>inner</details>", "Sum\ninner"),
        ('<p>1 <span class="sr-only">no</span><b class="visually-hidden">no</b> 2', "1 2"),
    ],
)
def test_what_is_seen_all_the_same_stays(body: str, text: str) -> None:
    assert text_of(body) == text


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ('<select><option label="Portugal" value=pt selected></option></select>', "Portugal"),
        (
            "<select><optgroup label=EU><option>Spain<option selected>Portugal</optgroup></select>",
            "Portugal",
        ),
        ("<select multiple><option selected>A<option>B<option selected>C</select>", "A, C"),
        ('<select><option value="" disabled hidden>Choose<option>A</select>', "A"),
        ("Name: <textarea>Allergic to\npenicillin</textarea>", "Name: Allergic to penicillin"),
        ("Date: <input type=date value=2024-05-03>", "Date: 2024-05-03"),
        ("Password <input type=password value=no> <input placeholder=no>", "Password"),
        ("<input type=radio> Petrol <input type=radio checked> Diesel", "[ ] Petrol [x] Diesel"),
        ("<div role=checkbox aria-checked=true>Agree</div>", "[x] Agree"),
        ("Total: <output>42 euros</output>", "Total: 42 euros"),
        ("<input list=l value=Lisbon><datalist id=l><option>Porto</datalist>", "Lisbon"),
        ("<dl><dt>Surname<dd><input disabled value=Okonkwo></dl>", "Surname\nOkonkwo"),
    ],
)
def test_a_form_says_what_was_filled_in(body: str, text: str) -> None:
    assert text_of(body) == text


@pytest.mark.parametrize(
    ("body", "text"),
    [
        # Elements that their parent or a style sets apart were glued.
        (
            classed(
                ".r{display:flex}",
                "<div class=r><span>Price</span><span>49 euros</span></div>"
                "<div class=r><span>Weight</span><span>2 kg</span></div>",
            ),
            "Price 49 euros\nWeight 2 kg",
        ),
        ('<div style="display:grid"><a>Price</a><a>49</a></div>', "Price 49"),
        (
            '<div style="display:flex;flex-direction:column"><b>Price: 4</b><b>Size: 2</b></div>',
            "Price: 4\nSize: 2",
        ),
        ('<span style="float:left">Price</span><span style="float:left">49</span>', "Price 49"),
        ("<x-row><x-cell>Price</x-cell><x-cell>49</x-cell></x-row>", "Price 49"),
        (
            classed(
                "x-row{display:table-row}x-cell{display:table-cell}",
                "<x-row><x-cell>Price</x-cell><x-cell>49</x-cell></x-row>"
                "<x-row><x-cell>Weight</x-cell><x-cell>2</x-cell></x-row>",
            ),
            "Price\t49\nWeight\t2",
        ),
        (
            '<div style="white-space:pre-line">Price: 49\nWeight: 2 kg</div>',
            "Price: 49\nWeight: 2 kg",
        ),
        ("<label>Price</label><label>49</label>", "Price 49"),
        (
            "<div>So: <a href=1>Home</a><a href=2>About</a></div>",
            "So: Home About",
        ),
        (
            '<i style="display:block">Ann</i>Bob<i style="display:list-item">Cid</i>',
            "Ann\nBob\nCid",
        ),
        ('<p>H<span style="display:inline">el</span>lo', "Hello"),
        ("<div>wiki<b>pedia</b></div>", "wikipedia"),
    ],
)
def test_what_stands_apart_on_the_page_is_apart(body: str, text: str) -> None:
    assert text_of(body) == text


_XHTML = '<html xmlns="http://www.w3.org/1999/xhtml"><body>{}</body></html>'


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (_XHTML.format("<p>in <![CDATA[Kiruna <b> & Boden]]>.</p>"), "in Kiruna <b> & Boden."),
        (
            '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "x"><html><body>'
            "<p>in <![CDATA[Kiruna & Boden]]>.</p></body></html>",
            "in Kiruna & Boden.",
        ),
        (_XHTML.format("<pre><![CDATA[a < b]]></pre>"), "a < b"),
        ("<svg><text><![CDATA[Kiruna & Boden]]></text></svg>", "Kiruna & Boden"),
        # The mark of a note, where no sup says that it is raised; and the way back from the note.
        ('<p>The end.<a epub:type="noteref" href="#f">1</a> More.', "The end. ¹ More."),
        ('<aside id=f>A note. <a href="#r" role="doc-backlink">↩︎</a></aside>', "A note."),
        # The number of a printed page, amid a name.
        (
            '<p>Sir Edmund<span epub:type="pagebreak" title="2">2</span> Fitzalan',
            "Sir Edmund Fitzalan",
        ),
        ('<p>Sir Edmund <span class="pagenum">[Pg 12]</span>Fitzalan', "Sir Edmund Fitzalan"),
    ],
)
def test_character_data_notes_and_printed_pages(body: str, text: str) -> None:
    assert text_of(body) == text


def test_a_sheet_that_is_there_a_thousand_times_counts_once() -> None:
    # Each of them was tried on each element.
    from docqa.ingest.formats.html.styles import Styles

    styles = Styles()
    for _ in range(1000):
        styles.add_sheet(".a{color:red} p .a{display:none}")
    assert sum(map(len, styles._rules.values())) == 2
    styles.add_sheet("".join(f".x{number} .a{{color:red}}" for number in range(5000)))
    assert sum(map(len, styles._rules.values())) <= 250
