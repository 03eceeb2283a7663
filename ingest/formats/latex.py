"""LaTeX: the words that would be printed, through pylatexenc, under their headings.

Macros of the author's own and pictures are not run; their arguments are read as words.
"""

from __future__ import annotations

import logging
import re

from pylatexenc.latex2text import LatexNodes2Text

from docqa.ingest.formats import Extracted
from docqa.ingest.formats.composer import Composer
from docqa.ingest.formats.encoding import decode

# pylatexenc reports on every oddity that it could read nonetheless.
logging.getLogger("pylatexenc").setLevel(logging.CRITICAL)

_LEVELS = {
    "part": 1, "chapter": 1, "section": 2, "subsection": 3, "subsubsection": 4, "paragraph": 5,
}  # fmt: skip
_ARGUMENT = r"\{((?:[^{}\\]|\\.|\{(?:[^{}\\]|\\.|\{[^{}]*\})*\})*)\}"
_HEADING = re.compile(rf"\\({'|'.join(_LEVELS)})\*?\s*(?:\[[^\]]*\])?\s*{_ARGUMENT}")
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
    source = _COMMENT.sub(r"\1", decode(data).replace("\r\n", "\n"))
    title = _TITLE.search(source)
    body = _BODY.search(source)
    source = _OPTION.sub(r"\1", _UNPRINTED.sub("", body[1] if body else source))
    composer = Composer()
    title_words = _words(title[1]) if title else ""
    composer.paragraph(title_words)
    # Split on headings: what is before, then for each its kind, its words, what follows.
    before, *rest = _HEADING.split(source)
    _write(before, composer)
    for kind, words, text in zip(rest[::3], rest[1::3], rest[2::3], strict=True):
        composer.heading(_words(words), _LEVELS[kind])
        _write(text, composer)
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
        words = _plain(paragraph)
        composer.paragraph("\n".join(" ".join(line.split()) for line in words.strip().split("\n")))


def _words(source: str) -> str:
    return " ".join(_plain(source).split())


def _plain(source: str) -> str:
    try:
        return str(LatexNodes2Text(math_mode="text", keep_comments=False).latex_to_text(source))
    except (LookupError, ValueError, TypeError, AttributeError):  # a macro that it knows amiss
        return _MACRO.sub(" ", source)
