# ruff: noqa: RUF001 (signs are the point)
"""RTF as its printed pages are read."""

from __future__ import annotations

import pytest

from docqa.ingest.formats import Extracted, extract

_HEAD = (
    r"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\fswiss\fcharset0 Arial;}"
    r"{\f1\fcharset238 Arial CE;}{\f2\fcharset2 Symbol;}{\f3\fcharset204 Arial Cyr;}"
    r"{\f4\fcharset128 MS Mincho;}}"
    r"{\stylesheet{\s0 Normal;}{\s1\outlinelevel0 Clause;}{\s2 heading 2;}{\*\cs9 no;}}"
)


def read(body: str) -> Extracted:
    return extract("rtf", (_HEAD + body + "}").encode("latin-1"))


_PRINTED = [
    # Digits that are raised joined the number before them.
    (r"10{\super 6} cells, H{\sub 2}O, 10\super 6\nosupersub  x", "10⁶ cells, H₂O, 10⁶ x"),
    (r"10{\up6 6} and 10{\up8\fs16 7} and x{\dn4 i}", "10⁶ and 10⁷ and x_i"),
    (r"10{\super\'32} and t{\super\u178?}", "10² and t²"),
    # Struck, hidden and deleted text was read as valid.
    (r"fee {\strike 50} 75, \strike 60\strike0  80, {\striked1 5}6", "fee 75, 80, 6"),
    (r"a {\v no}b \v no\v0 c {\deleted no}d {\strike \u233?\'e9}e", "a b c d e"),
    (r"The fee is sev{\deleted\par}enty euros.\par", "The fee is seventy euros."),
    # The address of a link stood amid the clause.
    (
        r'{\field{\*\fldinst{HYPERLINK "http://x.y/z"}}{\fldrslt the site}} is up',
        "the site is up",
    ),
    # Numbers of lists, as old and new programs write them.
    (
        r"{\pntext\f0 1.\tab}{\*\pn\pnlvlbody\pndec{\pntxta .}}One\par"
        r"{\listtext\pard\plain\f2 \'b7\tab}Bullet\par{\listtext\pard (a)\tab}\ls1 Alpha\par",
        "1. One\nBullet\n(a) Alpha",
    ),
    # A form's boxes and lists.
    (
        r"{\field{\*\fldinst{FORMCHECKBOX {\*\formfield{\fftype1\ffres1{\*\ffname C}"
        r"\ffdefres0}}}}{\fldrslt}}Resident, fuel "
        r"{\field{\*\fldinst{FORMDROPDOWN {\*\formfield{\fftype2\ffres1{\*\ffname D}"
        r"{\*\ffl Petrol}{\*\ffl Diesel}}}}}{\fldrslt}}, name "
        r"{\field{\*\fldinst{FORMTEXT {\*\formfield{\fftype0{\*\ffdeftext no}}}}}"
        r"{\fldrslt Okonkwo}}",
        "[x] Resident, fuel Diesel, name Okonkwo",
    ),
    (
        r"\trowd\cellx1\cellx2\pard\intbl Country\cell Population\cell\row"
        r"\trowd\pard\intbl Latvia\cell 1.9 million\cell\row\pard After\par",
        "Country\tPopulation\nLatvia\t1.9 million\nAfter",
    ),
    # Characters of all kinds of fonts.
    (
        r"{\f1 P\'f8\'edli\'9a} {\f3\'cf\'f0\'e8} {\f2 a\'b3} \u-10179?\u-8704? \u8364\'80 "
        r"{\uc0\u233}{\uc2\u12354\'82\'a0}{\f4\'82\'a0\'82\'a2}",
        "Příliš При α≥ \U0001f600 € éああい",
    ),
    (r'{\field{\*\fldinst SYMBOL 97 \\f "Symbol" \\s 12}{\fldrslt\f2 a}} = 5', "α = 5"),
    (
        r"{\mmath{\*\moMath{\mr k=}{\mf{\mfPr{\mctrlPr\f0}}{\mnum{\mr a}}{\mden{\mr 2}}}"
        r"{\mr +}{\msSup{\me{\mr 10}}{\msup{\mr 6}}}}} here",
        "k=a/2 + 10⁶ here",
    ),
    # Boxes of text, and what is drawn for programs that know none.
    (
        r"{\shp{\*\shpinst{\sp{\sn t}{\sv 202}}{\shptxt \pard Boxed\par}}"
        r"{\shprslt{\*\do no}}}Words\par",
        "Words\n\nBoxed",
    ),
    (
        r"{\pict\pngblip 89504e47}{\object{\*\objdata 0105}{\result{\pict 00}Shown}}"
        r"{\*\annotation no}{\*\unknown no}\bin3 }}} after",
        "Shown after",
    ),
    (r"a\~b\_c\-d \emdash  \lquote q\rquote", "a b-cd — ‘q’"),
    (
        r"{\header\pard Contract 4711\par}"
        r"{\footer\pard Page {\field{\*\fldinst PAGE}{\fldrslt 1}}"
        r" of {\field{\*\fldinst NUMPAGES}{\fldrslt 3}}\par}"
        r"Body {\footnote\pard See annex.}on.\par",
        "Body on.\n\nSee annex.\n\nContract 4711",
    ),
]
# All of it in one file.
WHOLE = (_HEAD + r"\par ".join(body for body, _ in _PRINTED) + "}").encode("latin-1")


@pytest.mark.parametrize(("body", "text"), _PRINTED)
def test_text_is_read_as_it_is_printed(body: str, text: str) -> None:
    assert read(body).text == text


def test_headings_come_from_styles_and_levels() -> None:
    extracted = read(
        r"\pard\s1 Fees\par\pard\s0 It costs.\par\pard\s2 Sub\par\pard\outlinelevel2 Third\par"
    )
    assert [(found.text, found.level) for found in extracted.outline] == [
        ("Fees", 1), ("Sub", 2), ("Third", 3)
    ]  # fmt: skip
    for heading in extracted.outline:
        assert extracted.text.startswith(heading.text, heading.start)
