"""How clean the text is that is taken out of PDF files, beside what other programs take out.

    python benchmarks/pdf_text.py [--pages N] FILE.pdf ...

Each file is read by docqa, by pypdf alone, by pdfium alone and, where it is installed, by poppler's
``pdftotext``. For each text is counted:

- glued: words that are two words of the reference, one after the other, and no word of it. The
  reference is poppler's text (for poppler's own, pdfium's).
- cut: words that a line's end cuts, and that stand whole elsewhere in the file: nobody finds them.
- heads: first and last lines of pages that, numbers aside, stand there on a tenth of the pages.
- signs: replacement, private and control characters.
- pages a second, of processor time.

With ``--pages`` about as many pages of each file are read, by ten that follow one another; pypdf
cuts them out and leaves them as they are.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pypdf
import pypdfium2

from docqa.ingest.formats import extract
from docqa.ingest.reading_text import reading_text

_RUN = 10
_WORD = re.compile(r"[^\W\d_]+")
_CUT = re.compile(r"([^\W\d_]{2,})-\n([^\W\d_]{2,})")
_NUMBER = re.compile(r"\d+|\b[ivxlc]+\b", re.IGNORECASE)


def main() -> None:
    """Print a table in Markdown, a row a file and program."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--pages", type=int, help="how many pages of each file to read")
    options = parser.parse_args()
    print("| file | program | pages | glued | cut | heads | signs | pages/s |")
    print("|---|---|---|---|---|---|---|---|")
    for path in options.files:
        if options.pages is None:
            measure(path, Path(path).name)
            continue
        with tempfile.NamedTemporaryFile(suffix=".pdf") as part:
            cut_out(path, options.pages, part.name)
            measure(part.name, Path(path).name)


def measure(path: str, name: str) -> None:
    """Print the rows of a file."""
    texts: dict[str, list[str]] = {}
    speeds: dict[str, float] = {}
    for program, read in READERS.items():
        if program == "poppler" and shutil.which("pdftotext") is None:
            continue
        start = _processor_seconds()
        texts[program] = read(path)
        speeds[program] = len(texts[program]) / max(1e-6, _processor_seconds() - start)
    for program, pages in texts.items():
        reference = texts["pdfium" if program == "poppler" else "poppler"]
        counts = (
            len(pages),
            glued("\n".join(pages), "\n".join(reference)),
            cut("\n".join(pages)),
            heads(pages),
            signs("\n".join(pages)),
        )
        row = " | ".join(f"{count:,}" for count in counts)
        print(f"| {name} | {program} | {row} | {speeds[program]:.1f} |", flush=True)


def cut_out(path: str, pages: int, to: str) -> None:
    """Write pages of a file, by ten that follow one another, evenly spread over it."""
    reader = pypdf.PdfReader(path)
    count = len(reader.pages)
    runs = min(max(1, round(pages / _RUN)), max(1, count // _RUN))
    writer = pypdf.PdfWriter()
    for run in range(runs):
        first = round(run * count / runs)
        for number in range(first, min(first + _RUN, count)):
            writer.add_page(reader.pages[number])
    writer.write(to)


def by_docqa(path: str) -> list[str]:
    """Read with docqa."""
    text, starts, *_ = extract("pdf", Path(path).read_bytes())
    return [
        reading_text(text[start:end]).strip("\n") for start, end in pairwise([*starts, len(text)])
    ]


def by_pypdf(path: str) -> list[str]:
    """Read with pypdf alone."""
    return [page.extract_text() for page in pypdf.PdfReader(path).pages]


def by_pdfium(path: str) -> list[str]:
    """Read with pdfium alone, which drops hyphens at line ends and marks where they were."""
    document = pypdfium2.PdfDocument(path)
    texts = [page.get_textpage().get_text_range() for page in document]
    return [text.replace("\r\n", "\n").replace("\ufffe", "-\n") for text in texts]


def by_poppler(path: str) -> list[str]:
    """Read with poppler's ``pdftotext``."""
    run = subprocess.run(["pdftotext", path, "-"], capture_output=True, check=True)
    return run.stdout.decode("utf-8", "replace").split("\f")[:-1]


READERS: dict[str, Callable[[str], list[str]]] = {
    "docqa": by_docqa,
    "pypdf": by_pypdf,
    "pdfium": by_pdfium,
    "poppler": by_poppler,
}


def glued(text: str, reference: str) -> int:
    """Count words that are two neighbouring words of a reference."""
    words = _WORD.findall(_CUT.sub(r"\1\2", reference))
    pairs = {a + b for a, b in pairwise(words) if len(a) > 1 and len(b) > 1} - set(words)
    return sum(word in pairs for word in _WORD.findall(_CUT.sub(r"\1\2", text)))


def cut(text: str) -> int:
    """Count words that a line's end cuts and that stand whole elsewhere."""
    whole = {word.casefold() for word in _WORD.findall(_CUT.sub(" ", text))}
    return sum((head + tail).casefold() in whole for head, tail in _CUT.findall(text))


def heads(pages: list[str]) -> int:
    """Count first and last lines that recur on a tenth of the pages."""
    ends = []
    for page in pages:
        lines = [_NUMBER.sub("#", " ".join(line.split())) for line in page.splitlines()]
        lines = [line for line in lines if line]
        ends += list({lines[0], lines[-1]}) if lines else []
    counts = Counter(ends)
    return sum(count for count in counts.values() if count >= max(3, len(pages) / 10))


def signs(text: str) -> int:
    """Count characters that no reader of the page sees."""
    return sum(
        char == "\ufffd" or (unicodedata.category(char) in ("Cc", "Co") and char not in "\n\t\r")
        for char in text
    )


def _processor_seconds() -> float:
    """Return this process's and its children's time."""
    times = os.times()
    return float(times.user + times.system + times.children_user + times.children_system)


if __name__ == "__main__":
    main()
