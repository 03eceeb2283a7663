# ruff: noqa: RUF001, E501 (signs, and pages)
"""HTML pages as a reader sees them."""

from __future__ import annotations

import re

import pytest

from docqa.ingest.formats import Extracted, extract


def page(body: str) -> Extracted:
    return extract("html", body.encode())


@pytest.mark.parametrize(
    ("body", "text"),
    [
        # Struck-out text was read as valid.
        ("<p>The fee is <del>$50</del> <ins>$75</ins>.", "The fee is $75."),
        ("<p>It was <s>20</s><strike>21</strike>25 euros", "It was 25 euros"),
        ("<p><span style='text-decoration: line-through red'>$50</span> $75", "$75"),
        (
            "<style>p .x{} .old, b.old{text-decoration:line-through}</style><b class='a old'>9</b>5",
            "5",
        ),
        (
            "<style>@media print{.x{display:none}} #gone{display:none}</style><p id=gone>a<p class=x>b",
            "b",
        ),
        # Raised digits joined the number before them.
        ("3.5 × 10<sup>6</sup> cells", "3.5 × 10⁶ cells"),
        (
            "10<sup>&minus;3</sup>, 2<sup>n</sup>, x<sup>k</sup>, x<sup>k+1</sup>",
            "10⁻³, 2ⁿ, x^k, x^(k+1)",
        ),
        ("H<sub>2</sub>O, x<sub>i</sub>", "H₂O, x_i"),
        ("a<span style='vertical-align:super'>2</span>", "a²"),
        (
            "the 1<sup>st</sup>, X<sup>TM</sup>, n<sup>o</sup> 3, M<sup>me</sup> A",
            "the 1st, X™, nº 3, Mme A",
        ),
        ("paid by transfer<sup>2</sup> now", "paid by transfer ² now"),
        ("in 1999<sup><a href='#n'>3</a></sup> and", "in 1999 ³ and"),
        ("in 1999<a href='#n'><sup>3</sup></a> and", "in 1999 ³ and"),
        ("It ended.<sup>[4]</sup> Then", "It ended. [4] Then"),
        # What a form holds was lost, and all options were read.
        ("Name <input value=Ada> of <input type=date value=2024-05-03>", "Name Ada of 2024-05-03"),
        ("a<input type=hidden value=b><input type=password value=c>", "a"),
        ("In <select><option>France<option selected>Portugal</select>", "In Portugal"),
        ("In <select><optgroup><option>France<option>Spain</select>", "In France"),
        ("In <select multiple><option>a<option selected>b<option selected>c</select>", "In b, c"),
        ("<label><input type=radio checked>yes</label> <input type=checkbox>no", "[x] yes [ ] no"),
        ("Notes <textarea>none <b>so</b></textarea>", "Notes none <b>so</b>"),
        # Numbers of lists were lost.
        ("<ol start=4><li>a<li><p>b</p><li value=9>c</ol>", "4. a\n5. b\n\n9. c"),
        ("<ol reversed><li>a<li>b</ol><ol type=i><li>c</ol>", "2. a\n1. b\n\ni. c"),
        ("<ol style='list-style-type: upper-alpha'><li>a</ol><ul><li>b</ul>", "A. a\n\nb"),
        ("<ol><li>a<ol type=a><li>b</ol></ol>", "1. a\n\na. b"),
        # Formulas were read twice, or letter by letter.
        ("<math><mi>E</mi><mo>=</mo><mi>m</mi><msup><mi>c</mi><mn>2</mn></msup></math>", "E = mc²"),
        (
            "<span class=katex><span class=katex-mathml><math><semantics><mfrac><mn>1</mn><mi>x</mi>"
            "</mfrac><annotation encoding='application/x-tex'>\\frac1x</annotation></semantics></math>"
            "</span><span class=katex-html aria-hidden=true>1x</span></span>",
            "1/x",
        ),
        (
            "<span class=mwe-math-element><span class=mwe-math-mathml-inline style='display: none;'>"
            "<math><msqrt><mi>x</mi></msqrt></math></span><img class=mwe-math-fallback alt='x'></span>",
            "√x",
        ),
        (
            "<math><munderover><mo>∑</mo><mi>i</mi><mi>N</mi></munderover><mi>x</mi></math>",
            "∑_i^N x",  # what followed seemed to be raised with it
        ),
        # Inline elements that are set as blocks were glued.
        (
            "<span style='display:block'>Price: 49</span><span style='display:block'>b",
            "Price: 49\nb",
        ),
        ("<style>.r{display:block}</style><span class=r>a</span><span class=r>b</span>", "a\nb"),
        (
            "<div><span>Price</span><span>49 euros</span><span>Weight</span></div>",
            "Price 49 euros Weight",
        ),
        ("<p><span>Ja</span><span>nuary</span> <b>A</b>4", "January A4"),
        ("<button>Buy</button><button>Cancel</button>", "Buy Cancel"),
        # Text of drawings, and what stands in for scripts, was left out.
        (
            "<svg><title>t</title><text y=1>2019</text><text y=1>5<tspan> m</tspan></text>"
            "<text y=2>2020</text></svg>",
            "2019 5 m\n2020",
        ),
        ("<noscript><p>The price is 5</p></noscript>", "The price is 5"),
        ("a<noscript>Please enable JavaScript</noscript>", "a"),
        # Rows were torn by the paragraphs in their cells.
        (
            "<table><tr><th><p>Due</p><p>date</p></th><td>3 May<br>2024</td></tr>"
            "<tr><td>Sum</td><td>5</td></tr></table>",
            "Due date\t3 May 2024\nSum\t5",
        ),
        ("<ruby>東京<rp>(</rp><rt>とうきょう</rt><rp>)</rp></ruby>で", "東京で"),
        ("<p>He said <q>no</q>.", "He said “no”."),
        ("<h1>A<a class=headerlink href='#a'>¶</a></h1>", "A"),
    ],
)
def test_the_text_is_what_a_reader_sees(body: str, text: str) -> None:
    assert page(body).text == text


def test_character_data_of_xhtml_is_text() -> None:
    # It was dropped.
    head = "<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'><body>"
    assert page(f"{head}<p>in <![CDATA[Kiruna & <Boden>]]>.</p>").text == "in Kiruna & <Boden>."
    assert page(f"{head}<p>a <![CDATA[b").text.startswith("a")


SITE = """<body>
<header><a href=/>Home</a> <a href=/a>About us</a></header>
<nav><ul><li><a href=/b>Products</a><li><a href=/c>Prices</a></ul></nav>
<div id="cookie-banner">We use cookies. <button>Accept</button></div>
{}
<div class="footer"><a href=/d>Imprint</a> © 2020 The Firm</div>
</body>"""


@pytest.mark.parametrize(
    "main",
    [
        "<main><h1>Rent</h1><p>It is 5 euros.</p></main>",
        "<article><header><h1>Rent</h1></header><p>It is 5 euros.</p></article>",
        "<header><h1>Rent</h1></header><div class=menu><p>It is 5 euros.</div>",
        "<h1>Rent</h1><nav>It is 5 euros.</nav>",
        "<h1>Rent</h1><div class='cookie-recipes'>It is 5 euros.</div>",
    ],
)
def test_what_belongs_to_the_site_is_left_out_and_the_text_stays(main: str) -> None:
    assert page(SITE.format(main)).text.split() == ["Rent", "It", "is", "5", "euros."]


TRAIL = "<p><a href=/>Docs</a> &gt; <a href=/v>Version 2</a> &gt; Rent</p>"
HEAD = "<table><tr><td><a href=/>Home</a><td><a href=/l>Library</a><td><a href=/f>FAQ</a></table>"
COLUMN = "<td><a href=/a>News</a><br><a href=/b>Products</a><br><a href=/c>Jobs</a></td>"
LANGUAGES = (
    "<p>In: <a hreflang=de href=de>de</a> | <a hreflang=en href=en>en</a> | <a href=.>fr</a>"
)
RIGHTS = "<table><tr><td>Copyright © 2016-2022 A. Person <p>Distributed under a Licence</table>"
BETWEEN = (
    "<p>Next: <a rel=next href=b>B</a>, Up: <a rel=up href=.>Top</a> [<a rel=index href=i>I</a>]"
)


@pytest.mark.parametrize(
    "body",
    [
        # None of these has a name that says what it is; all were read as text.
        f"{HEAD}<h1>Rent</h1><p>It is 5 euros, and is due on the third day.",
        f"{TRAIL}<h1>Rent</h1><p>It is 5 euros, and is due on the third day.",
        f"<div>{HEAD}{TRAIL}</div><h1>Rent</h1><p>It is 5 euros, and is due on the third day.",
        f"<table><tr>{COLUMN}<td><h1>Rent</h1><p>It is 5 euros, and is due on the third day.",
        f"<h1>Rent</h1>{LANGUAGES}<p>It is 5 euros, and is due on the third day.{LANGUAGES}",
        f"<h1>Rent</h1>{BETWEEN}<p>It is 5 euros, and is due on the third day.{BETWEEN}",
        f"<h1>Rent</h1><p>It is 5 euros, and is due on the third day.{HEAD}",
        "<h1>Rent</h1><p>It is 5 euros, and is due on the third day."
        " And more of it, to be the page that the foot belongs to, in length and in all."
        f"{RIGHTS}",
        # A menu of pictures has no words in its links.
        "<div class=navheader><b>Chapter</b> <a href=n><img src=n.png></a></div>"
        "<h1>Rent</h1><p>It is 5 euros, and is due on the third day.",
        "<form action=/search>Search <select><option>all<option>some</select></form>"
        "<h1>Rent</h1><p>It is 5 euros, and is due on the third day.",
        "<h1>Rent</h1><p>It is 5 euros, and is due on the third day."
        "<pre><span class=lineno>1</span></pre>",
    ],
)
def test_menus_without_a_name_are_left_out(body: str) -> None:
    left = page(body).text.split(" And more")[0]
    assert " ".join(left.split()) == "Rent It is 5 euros, and is due on the third day."


@pytest.mark.parametrize(
    "body",
    [
        "<p>See <a href=a>the lease</a> and <a href=b>the rules</a>.</p><p>It is 5 euros.",
        "<p>It is 5 euros.</p><p><a href=a>The lease</a> and <a href=b>the rules</a>",
        "<p>It is 5 euros.</p><h2>See also</h2><p><a href=a>Lease</a> <a href=b>Rules</a>",
        "<p>It is 5 euros.</p><p>Files:</p><p><a href=a>Lease</a> | <a href=b>Rules</a>",
        "<p>It is 5 euros.</p><p>See <a href=a>Lease</a>, <a href=b>Rules</a>.",
        "<p>It is 5 euros.</p><ul><li><a href=a>Lease</a><li><a href=b>Rules</a><li><a href=c>C</a>",
        "<p>Files</p><a href=a>Lease</a><br><a href=b>Rules</a><br><a href=c>Plan</a><p>It is 5 euros.",
        "<p><a href=#a>Due date</a> | <a href=#b>Deposit</a></p><p>It is 5 euros.",
        "<p>It is 5 euros.</p><table><tr><td><a href=a>a</a><td><a href=b>b</a>"
        "<tr><td><a href=c>c</a><td><a href=d>d</a><tr><td><a href=e>e</a><td><a href=f>f</a></table>",
        "<h1>Licence</h1><p>Copyright 2020 A. Person. You may copy the text as you like.",
        "<p><a href=a>Compare the German</a> with <a hreflang=de href=b>this</a> <p>It is 5 euros.",
        # The title of a page of Doxygen went with the links beside it.
        "<div class=header><p class=title>Rent</p><a href=#a>Members</a> | <a href=#b>Types</a></div>"
        "<p>It is 5 euros.",
        "<div class=menu><a name=top>The soup is 5 euros.</div>",
        "<form action=/search><h2>How to search</h2><p>Write words.</form>",
    ],
)
def test_links_that_belong_to_the_text_stay(body: str) -> None:
    bare = " ".join(re.sub("<[^>]+>", " ", body).split())
    assert page(body).text.split() == bare.replace(" .", ".").replace(" ,", ",").split()


def test_headings_stand_where_they_are_without_the_menus_before_them() -> None:
    extracted = page(f"{HEAD}<h1>Rent</h1><p>It is 5 euros.</p>{LANGUAGES}<h2>Due date</h2><p>3rd.")
    assert extracted.text == "Rent\n\nIt is 5 euros.\n\nDue date\n\n3rd."
    assert [extracted.text[heading.start :].split("\n")[0] for heading in extracted.outline] == [
        "Rent",
        "Due date",
    ]


def test_a_page_that_is_all_links_stays_whole() -> None:
    assert (
        page("<h1>Index</h1><nav>" + "<a href=a>word</a> " * 200 + "</nav>").text.count("word")
        == 200
    )


def test_title_and_outline() -> None:
    extracted = page("<title> A\npage</title><h1>One</h1>x<h3>Two <i>b</i></h3><svg><title>no")
    assert extracted.title == "A page"
    assert [(heading.text, heading.level) for heading in extracted.outline] == [
        ("One", 1),
        ("Two b", 3),
    ]
    for heading in extracted.outline:
        assert extracted.text[heading.start :].startswith(heading.text)
    assert page("<h2>Only</h2>").title == "Only"


@pytest.mark.parametrize(
    ("label", "encoding", "text"),
    [
        ("x-sjis", "cp932", "①契約"),
        ("windows-949", "cp949", "계약"),
        ("x-x-big5", "big5", "合約"),
        ("latin2", "iso8859_2", "Žižka"),
        ("l5", "cp1254", "Güneş"),
        ("koi", "koi8_r", "Договор"),
        ("dos-874", "cp874", "สัญญา"),
        ("iso-8859-8-i", "iso8859_8", "חוזה"),
        ("unicode-1-1-utf-8", "utf-8", "Žižka"),
        ("csisolatin1", "cp1252", "“€”"),
    ],
)
def test_labels_of_encodings_are_those_of_the_web(label: str, encoding: str, text: str) -> None:
    data = f"<meta charset='{label}'><p>{text}".encode(encoding)
    assert extract("html", data).text == text


def test_a_few_wrong_bytes_do_not_change_the_declared_encoding() -> None:
    data = b"<meta charset=windows-1251><p>" + "Договор ".encode("cp1251") * 100 + b"\x98"
    extracted = extract("html", data)
    assert extracted.text.startswith("Договор Договор")
    assert "1 of its characters" in extracted.gaps[0]
