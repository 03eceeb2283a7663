"""What docqa and other libraries take out of pages: navigation that stays, text that is lost.

    python benchmarks/html_text.py [--pages 8] [--seed 0] [--each] FOLDER

FOLDER holds a folder for each site of ``SITES``, with its pages below it; for instance unpacked
packages of Debian (``dpkg -x apache2-doc_*.deb FOLDER/apache2``). Of each site as many pages are
drawn. Which part of a page is its text is known from the site's templates.

- ``navigation left`` is the share of the words outside of the text that a library returns,
- ``text lost`` the share of the words of the text that it does not return,
- ``pages/s`` how many pages one processor reads in a second.

Words are counted, wherever they stand. Lists of a page's own contents and numbers of lines of code
count neither way.
"""

from __future__ import annotations

import argparse
import random
import re
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from lxml import html

from docqa.ingest.errors import IngestError
from docqa.ingest.formats import extract

_WORD = re.compile(r"\w+")
_RAISED = re.compile("[⁰¹²³⁴-⁹₀-₉]+")
_LEAST_WORDS = 100  # of text: less is a page that only leads to others
_INLINE = frozenset(
    "a abbr acronym b big cite code dfn em font i kbd q samp small span strong tt u var wbr".split()
)
_UNSEEN = "//script | //style | //noscript | //template | //head | //comment()"


def _of_class(*names: str) -> str:
    return " or ".join(f'contains(concat(" ", @class, " "), " {name} ")' for name in names)


_DOCBOOK = _of_class(
    "refentry", "section", "sect1", "chapter", "part", "preface", "appendix", "article", "book"
)
_SPHINX = '//div[@role="main"] | //main'


@dataclass(frozen=True)
class Site:
    """Where the pages of a maker have their text, as XPath.

    Attributes:
        maker: the program that makes the pages.
        pages: which files are its pages.
        text: the elements that hold the text.
        furniture: what in the text belongs to the site.
        contents: lists of the page's own contents, and numbers of lines of code.
    """

    maker: str
    pages: str
    text: str
    furniture: str = "./self::none"
    contents: str = f".//*[{_of_class('toc', 'Contents_element', 'lineno', 'linenos')}]"


SITES = {
    "apache2": Site(
        "XSLT of its own",
        "*.html",
        '//*[@id="page-content"]',
        f".//*[{_of_class('toplang', 'bottomlang', 'top', 'permalink')}] | .//button",
        './/*[@id="toc"]',
    ),
    "ant": Site("by hand", "manual/**/*.html", "//body"),
    "cmake": Site("Sphinx 5", "*.html", _SPHINX, './/a[@class="headerlink"]'),
    "debian-policy": Site("Sphinx 5", "*.html", _SPHINX, './/a[@class="headerlink"]'),
    "debian-reference": Site("DocBook XSL", "*.en.html", f"//body/div[{_DOCBOOK}]"),
    "exim4": Site("xfpt and XSLT", "ch*.html", '//*[@id="chapter"]'),
    "git-doc": Site("AsciiDoc", "*.html", '//body/div[@id="header" or @id="content"]'),
    "libboost1.81": Site("BoostBook", "doc/html/**/*.html", f"//body/div[{_DOCBOOK}]"),
    "libcommons": Site("Javadoc 17", "*.html", "//main"),
    "libeigen3": Site(
        "Doxygen",
        "*.html",
        '//div[@class="headertitle"] | //div[@class="contents"]',
    ),
    "libgtk": Site("gtk-doc", "*.html", f"//body/div[{_DOCBOOK}]"),
    "openjdk": Site("Javadoc 17", "api/java.base/**/*.html", "//main"),
    "postgresql": Site("DocBook XSL", "*.html", f"//body/div[{_DOCBOOK}]"),
    "python-django": Site("Sphinx", "*.html", '//*[@id="yui-main"]//div[@class="yui-b"]/div'),
    "python3.11": Site("Sphinx 5", "*.html", _SPHINX, './/a[@class="headerlink"]'),
    "r-doc": Site("Texinfo", "*.html", "//body", f".//*[{_of_class('header', 'nav-panel')}]"),
    "sqlite3": Site("Tcl of its own", "*.html", "//body", './div[@class="nosearch"]'),
}


class Parts(NamedTuple):
    """The words of a page: of its text, of what counts neither way, and of the rest."""

    text: Counter[str]
    neither: Counter[str]
    others: Counter[str]


@dataclass
class Counts:
    """Words of some pages."""

    pages: int = 0
    text: int = 0
    lost: int = 0
    others: int = 0
    left: int = 0
    seconds: float = 0.0

    def add(self, other: Counts) -> None:
        """Add those of others."""
        for name in vars(self):
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def row(self, *names: str) -> str:
        """Return a row of a table in Markdown."""
        cells = (
            *names,
            f"{self.pages}",
            f"{self.left / max(1, self.others):.1%}",
            f"{self.lost / max(1, self.text):.1%}",
            f"{self.pages / self.seconds:,.0f}" if self.seconds else "-",
        )
        return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print a table in Markdown, a row a library; with --each, a row a site and library, too."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pages", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--each", action="store_true")
    options = parser.parse_args()
    totals: dict[str, Counts] = {}
    if options.each:
        print("| site | made by | library | pages | navigation left | text lost | pages/s |")
        print("|---|---|---|---|---|---|---|")
    for name, site in SITES.items():
        found = sorted(path for path in (options.folder / name).rglob(site.pages) if path.is_file())
        random.Random(options.seed).shuffle(found)
        counts: dict[str, Counts] = {}
        used = 0
        for path in found:
            if used == options.pages:
                break
            data = path.read_bytes()
            page = parts(data, site)
            if page.text.total() < _LEAST_WORDS:
                continue
            used += 1
            for library, extractor in libraries().items():
                counts.setdefault(library, Counts()).add(measured(extractor, data, page))
        for library, counted in counts.items():
            totals.setdefault(library, Counts()).add(counted)
            if options.each:
                print(counted.row(name, site.maker, library), flush=True)
    print("| library | pages | navigation left | text lost | pages/s |\n|---|---|---|---|---|")
    for library, counted in totals.items():
        print(counted.row(library))


def parts(data: bytes, site: Site) -> Parts:
    """Return the words of a page's text, of what counts neither way, and of the rest."""
    tree = html.document_fromstring(data, html.HTMLParser(encoding="utf-8"))
    _drop(tree.xpath(_UNSEEN))
    whole = _words(tree)
    texts = tree.xpath(site.text)
    contents = [inner for element in texts for inner in element.xpath(site.contents)]
    neither = _counted(contents)
    _drop(contents)
    furniture = [inner for element in texts for inner in element.xpath(site.furniture)]
    _drop(furniture)
    text = _counted(texts)
    return Parts(text, neither, whole - text - neither)


def _counted(elements: list[html.HtmlElement]) -> Counter[str]:
    return sum(map(_words, elements), Counter())


def _drop(elements: list[html.HtmlElement]) -> None:
    for element in elements:
        if element.getparent() is not None:  # not beside the page, nor in what is gone already
            element.drop_tree()


def _words(element: html.HtmlElement) -> Counter[str]:
    return words("".join(_texts(element)))


def _texts(element: html.HtmlElement) -> Iterator[str]:
    """Yield the text of an element, its blocks and cells set apart."""
    apart = "" if element.tag in _INLINE else " "
    yield apart
    yield element.text or ""
    for child in element:
        yield from _texts(child)
        yield child.tail or ""
    yield apart


def words(text: str) -> Counter[str]:
    """Count the words of a text; raised and lowered digits are words of their own."""
    apart = _RAISED.sub(r" \g<0> ", text.lower())
    return Counter(_WORD.findall(unicodedata.normalize("NFKC", apart)))


def measured(extractor: Callable[[bytes], str], data: bytes, page: Parts) -> Counts:
    """Return what a library makes of a page."""
    start = time.process_time()
    found = extractor(data)
    seconds = time.process_time() - start
    there = words(found)
    return Counts(
        pages=1,
        text=page.text.total(),
        lost=(page.text - there).total(),
        others=page.others.total(),
        left=((there - page.text - page.neither) & page.others).total(),
        seconds=seconds,
    )


def libraries() -> dict[str, Callable[[bytes], str]]:
    """Return the libraries that are installed."""
    found: dict[str, Callable[[bytes], str]] = {"docqa": _docqa}
    try:
        import trafilatura
    except ModuleNotFoundError:
        pass
    else:
        found["trafilatura"] = lambda data: trafilatura.extract(data) or ""
        found["trafilatura, recall"] = lambda data: (
            trafilatura.extract(data, favor_recall=True) or ""
        )
    try:
        from resiliparse.extract.html2text import extract_plain_text
        from resiliparse.parse.encoding import bytes_to_str
    except ModuleNotFoundError:
        pass
    else:
        found["resiliparse"] = lambda data: extract_plain_text(bytes_to_str(data))
        found["resiliparse, main content"] = lambda data: extract_plain_text(
            bytes_to_str(data), main_content=True
        )
    return found


def _docqa(data: bytes) -> str:
    try:
        return extract("html", data).text
    except IngestError:
        return ""


if __name__ == "__main__":
    main()
