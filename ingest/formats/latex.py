"""LaTeX: the words that would be printed, through pylatexenc, under their headings.

Macros of the author's own and pictures are not run; their arguments are read as words.
"""

from __future__ import annotations

import logging
import re

from pylatexenc.latex2text import LatexNodes2Text, MacroTextSpec
from pylatexenc.latex2text import get_default_latex_context_db as get_default_latex2text_db
from pylatexenc.latexwalker import LatexWalker, get_default_latex_context_db

from docqa.ingest.formats import Extracted
from docqa.ingest.formats.composer import Composer
from docqa.ingest.formats.encoding import decode
from docqa.ingest.formats.latex_numbers import HeadingNumbers, with_item_numbers
from docqa.ingest.formats.raised import lowered, raised

# pylatexenc reports on every oddity that it could read nonetheless.
logging.getLogger("pylatexenc").setLevel(logging.CRITICAL)

# Made once: to make them takes longer than to read a paragraph.
_MACROS = get_default_latex_context_db()
_WORDS = get_default_latex2text_db()
# Of a macro that it doesn't know, its arguments are words.
_WORDS.set_unknown_macro_spec(MacroTextSpec("", discard=False))
_PRINTER = LatexNodes2Text(math_mode="text", keep_comments=False, latex_context=_WORDS)

_LEVELS = {
    "part": 1, "chapter": 1, "section": 2, "subsection": 3, "subsubsection": 4, "paragraph": 5,
}  # fmt: skip
_ARGUMENT = r"\{((?:[^{}\\]|\\.|\{(?:[^{}\\]|\\.|\{[^{}]*\})*\})*)\}"
_HEADING = re.compile(rf"\\({'|'.join(_LEVELS)})(\*?)\s*(?:\[[^\]]*\])?\s*{_ARGUMENT}")
_TITLE = re.compile(rf"\\title\s*(?:\[[^\]]*\])?\s*{_ARGUMENT}")
_COMMENT = re.compile(r"(?<!\\)((?:\\\\)*)%.*")
_BODY = re.compile(r"\\begin\s*\{document\}(.*?)(?:\\end\s*\{document\}|\Z)", re.DOTALL)
_EMPTY_LINES = re.compile(r"\n[ \t]*\n\s*")
# What has an argument that is not printed: an address, a name of a place, a size.
_UNPRINTED = re.compile(
    r"\\(?:href|hypertarget|textcolor|hyperref)\s*(?:\[[^\]]*\])?\s*\{[^{}]*\}(?=\s*\{)"
    r"|\\(?:maketitle|tableofcontents)\b|\\def\s*\\[a-zA-Z]+\{(?:[^{}]|\{[^{}]*\})*\}"
    r"|\\(?:label|index|vspace\*?|hspace\*?|includegraphics|bibliographystyle|bibliography|pagestyle"
    r"|input|include|usepackage|setlength|color)\s*(?:\[[^\]]*\])?\s*\{[^{}]*\}"
)
# Struck out, left blank, or left out by whoever wrote it.
_UNSEEN = re.compile(
    rf"\\(?:sout|xout|st|cancel|bcancel|xcancel|hcancel|[hv]?phantom)\s*{_ARGUMENT}"
    r"|\\iffalse\b.*?\\fi\b|\\begin\s*\{comment\}.*?\\end\s*\{comment\}|\\-",
    re.DOTALL,
)
_SCRIPT = re.compile(rf"\\text(super|sub)script\s*{_ARGUMENT}")
_VERBATIM = re.compile(r"\\(?:verb|lstinline)\*?([^\w\s{*])(.*?)\1")
_SPECIAL = re.compile(r"[\\{}$&#^_~%]")
_ESCAPES = {"\\": r"\textbackslash{}", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}"}
_NOTE = re.compile(rf"\\footnote\s*(?:\[[^\]]*\])?\s*{_ARGUMENT}")
_SPANNING = re.compile(
    r"\\multi(?:column|row)\s*(?:\[[^\]]*\])?\s*\{[^{}]*\}\s*\{[^{}]*\}(?=\s*\{)"
)
_LOOK_BACK = 20
_OPTION = re.compile(r"(\\begin\s*\{[^{}]*\})\s*\[[^\]]*\]")
_TABLE = re.compile(
    r"\\begin\s*\{(tabular[x*]?|longtable|array)\}(?:\{(?:[^{}]|\{[^{}]*\})*\})*(.*?)"
    r"\\end\s*\{\1\}",
    re.DOTALL,
)
_ROW_END = re.compile(r"\\\\(?:\[[^\]]*\])?|\\tabularnewline\b")
_RULE = re.compile(r"\\(?:hline|toprule|midrule|bottomrule|cline\{[^}]*\})")
_MACRO = re.compile(r"\\(?:begin|end)\s*\{[^{}]*\}|\\[a-zA-Z]+\*?|[{}$]|\\(?=[%&#_$])")


def extract_latex(data: bytes) -> Extracted:
    """Read a LaTeX file; files that it includes are read for themselves.

    Raises:
        IngestError: not text, or nothing in it.
    """
    source, gaps = decode(data)
    source = _VERBATIM.sub(lambda found: _escaped(found[2]), source.replace("\r\n", "\n"))
    source = _COMMENT.sub(r"\1", source)
    numbers = HeadingNumbers(source)
    title = _TITLE.search(source)
    body = _BODY.search(source)
    source = _SPANNING.sub(" ", _UNSEEN.sub("", body[1] if body else source))
    source = with_item_numbers(_SCRIPT.sub(_moved, source))
    source = _OPTION.sub(r"\1", _UNPRINTED.sub("", source))
    composer = Composer(gaps)
    title_words = _words(title[1]) if title else ""
    composer.paragraph(title_words)
    # Split on headings: what is before, then for each its kind, its star, its words, what follows.
    before, *rest = _HEADING.split(source)
    _write(before, composer)
    for kind, star, words, text in zip(*(rest[at::4] for at in range(4)), strict=True):
        if "\\appendix" in before:
            numbers.begin_appendix()
        number = "" if star else numbers.number(kind)
        composer.heading(f"{number} {_words(words)}", _LEVELS[kind])
        _write(text, composer)
        before = text
    return composer.extracted(title_words)


def _write(source: str, composer: Composer) -> None:
    at = 0
    for table in _TABLE.finditer(source):
        _write_paragraphs(source[at : table.start()], composer)
        rows = (_RULE.sub("", row).split("&") for row in _ROW_END.split(table[2]))
        composer.paragraph("\n".join("\t".join(map(_words, row)).strip() for row in rows))
        at = table.end()
    _write_paragraphs(source[at:], composer)


def _write_paragraphs(source: str, composer: Composer) -> None:
    for paragraph in _EMPTY_LINES.split(source):
        words = _plain(_NOTE.sub("", paragraph))
        composer.paragraph("\n".join(" ".join(line.split()) for line in words.strip().split("\n")))
        for note in _NOTE.finditer(paragraph):
            composer.paragraph(_words(note[1]))


def _moved(script: re.Match[str]) -> str:
    """Return raised or lowered text in signs that are that."""
    before = script.string[max(0, script.start() - _LOOK_BACK) : script.start()]
    move = raised if script[1] == "super" else lowered
    return _escaped(move(before, _words(script[2])))


def _escaped(text: str) -> str:
    return _SPECIAL.sub(lambda sign: _ESCAPES.get(sign[0], f"\\{sign[0]}"), text)


def _words(source: str) -> str:
    return " ".join(_plain(source).split())


def _plain(source: str) -> str:
    try:
        nodes, *_ = LatexWalker(source, latex_context=_MACROS).get_latex_nodes()
        return str(_PRINTER.nodelist_to_text(nodes))
    except (LookupError, ValueError, TypeError, AttributeError):  # a macro that it knows amiss
        return _MACRO.sub(" ", source)
