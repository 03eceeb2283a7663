"""Whether a stretch of a PDF stands where docqa says: on its page, in its boxes.

    python benchmarks/places.py [--answers 200] [--seed 0] FILE ...

From each file as many stretches of 1 to 12 words are drawn. A stretch is right where

- its words are what poppler's ``pdftotext -bbox`` finds with its middle in the boxes (``words``;
  where poppler reads a word otherwise, ``letters`` counts the share of the stretch's letters and
  digits that it has there), and
- the page, drawn by docqa, has ink in every box, and no edge of a box cuts a letter (``ink``).

Lines, columns and slides of other files are checked by file_places.py.
"""

from __future__ import annotations

import argparse
import io
import os
import random
import re
import subprocess
import sys
import tempfile
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from lxml import etree
from PIL import Image
from scipy.ndimage import find_objects, label

from docqa.ingest.document import Document, LoadLimits
from docqa.ingest.load import load
from docqa.ingest.places import Box, boxes, page_size, render_page

_WORD = re.compile(r"\S+")
_MOST_WORDS = 12
# Stretches of a page, as a page costs more than a stretch.
_A_PAGE = 5
_DOTS_A_POINT = 2.5
_DARK = 160
# A letter is cut where more of it than this lies on either side of an edge.
_CUT = 0.12
_LARGEST_LETTER = 3.0  # in the height of a line; what is larger is a rule or a picture


@dataclass
class Counts:
    """What was found of a file's stretches."""

    stretches: int = 0
    placed: int = 0
    words: int = 0
    letters: float = 0.0
    ink: int = 0
    wrong: list[str] = field(default_factory=list)


def main() -> None:
    """Print a table in Markdown, a row a file, and what is wrong on stderr."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--answers", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print("| file | stretches | placed | words | letters | ink |\n|---|---|---|---|---|---|")
    for path in options.files:
        document = load(os.path.abspath(path), LoadLimits())
        if not document.page_starts:
            parser.error(f"{path} has no pages: file_places.py checks it")
        drawn = random.Random(options.seed)
        counts = check_pages(document, options.answers, drawn)
        total = counts.stretches
        print(
            f"| {Path(path).name} | {total} | {counts.placed / total:.1%} | "
            f"{counts.words / total:.1%} | {counts.letters / total:.1%} | "
            f"{counts.ink / total:.1%} |",
            flush=True,
        )
        for line in counts.wrong:
            print(line, file=sys.stderr)


def check_pages(document: Document, answers: int, drawn: random.Random) -> Counts:
    """Check stretches of a PDF against poppler's words and the pages' pictures."""
    counts = Counts()
    pages = list(range(1, len(document.page_starts) + 1))
    drawn.shuffle(pages)
    while counts.stretches < answers and pages:
        page = pages.pop()
        first = document.page_starts[page - 1]
        last = [*document.page_starts, document.length][page]
        words = [found.span() for found in _WORD.finditer(document.text, first, last)]
        if not words:
            continue
        known = poppler_words(document.path, page)
        picture = drawn_page(document.path, page)
        for _ in range(min(_A_PAGE, answers - counts.stretches)):
            begin = drawn.randrange(len(words))
            end = min(len(words), begin + drawn.randint(1, _MOST_WORDS)) - 1
            start, stop = words[begin][0], words[end][1]
            _check_stretch(document, start, stop, page, known, picture, counts)
    return counts


def _check_stretch(
    document: Document,
    start: int,
    end: int,
    page: int,
    known: list[tuple[str, Box]],
    picture: Picture,
    counts: Counts,
) -> None:
    counts.stretches += 1
    text = document.text[start:end]
    found = boxes(document.path, start, end, expected=text, source=document)
    expected = folded(text)
    counts.placed += bool(found)
    there = "".join(
        folded(word)
        for box in found
        for word, _ in sorted(
            (item for item in known if middle_in(item[1], box)), key=lambda item: item[1].left
        )
    )
    shared = sum((Counter(there) & Counter(expected)).values())
    surplus = max(0, len(there) - len(expected))
    counts.letters += max(0.0, shared - surplus) / len(expected) if expected else 1.0
    faults = []
    if Counter(there) != Counter(expected):
        faults.append(f"poppler has {there!r}")
    else:
        counts.words += 1
    ink = picture.fault(found)
    if ink:
        faults.append(ink)
    else:
        counts.ink += 1
    if faults:
        where = [tuple(round(edge) for edge in (b.left, b.top, b.right, b.bottom)) for b in found]
        name = Path(document.path).name
        counts.wrong.append(f"{name} page {page} {start}-{end} {text!r} {where}: {faults}")


def poppler_words(path: str, page: int) -> list[tuple[str, Box]]:
    """Return the words of a page with their boxes, as poppler finds them."""
    with tempfile.NamedTemporaryFile(suffix=".html") as out:
        number = str(page)
        subprocess.run(
            ["pdftotext", "-bbox", "-f", number, "-l", number, path, out.name], check=True
        )
        tree = etree.parse(out.name, etree.HTMLParser(encoding="utf-8"))
    return [
        (
            "".join(word.itertext()),
            Box(page, *(float(word.get(edge)) for edge in ("xmin", "ymin", "xmax", "ymax"))),
        )
        for word in tree.iter("word")
    ]


def middle_in(word: Box, box: Box) -> bool:
    """Tell whether a word's middle lies in a box."""
    x, y = (word.left + word.right) / 2, (word.top + word.bottom) / 2
    return box.left <= x <= box.right and box.top <= y <= box.bottom


def folded(text: str) -> str:
    """Return the letters and digits of a text, in one form each."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKD", text)))


@dataclass
class Picture:
    """The letters of a drawn page: patches of ink that hang together."""

    patches: npt.NDArray[np.int32]
    slices: list[tuple[slice, slice]]
    scale: float

    def fault(self, found: list[Box]) -> str:
        """Say what is wrong with the ink in boxes; empty where nothing is."""
        if not found:
            return "no box"
        height, width = self.patches.shape
        inside = np.zeros(self.patches.shape, np.bool_)
        empty = 0
        for box in found:
            left, right = (round(edge * self.scale) for edge in (box.left, box.right))
            top, bottom = (round(edge * self.scale) for edge in (box.top, box.bottom))
            rows = slice(max(0, top), min(height, bottom + 1))
            columns = slice(max(0, left - 1), min(width, right + 2))
            inside[rows, columns] = True
            empty += not self.patches[rows, columns].any()
        if empty:
            return f"{empty} boxes without ink"
        largest = _LARGEST_LETTER * max(box.bottom - box.top for box in found) * self.scale
        cut = []
        for patch in np.unique(self.patches[inside]):
            if patch == 0:
                continue
            around = self.slices[patch - 1]
            if max(side.stop - side.start for side in around) > largest:
                continue
            share = float(inside[around][self.patches[around] == patch].mean())
            if _CUT < share < 1 - _CUT:
                cut.append(round(share, 2))
        return f"letters cut: {cut}" if cut else ""


def drawn_page(path: str, page: int) -> Picture:
    """Draw a page and find its letters."""
    width, _ = page_size(path, page)
    png = render_page(path, page, round(width * _DOTS_A_POINT))
    grey = np.array(Image.open(io.BytesIO(png)).convert("L"))
    patches, _ = label(grey < _DARK)
    return Picture(patches, find_objects(patches), grey.shape[1] / width)


if __name__ == "__main__":
    main()
