"""Whether docqa answers from real files of each format, and how long reading them takes.

    python benchmarks/formats.py [--seed 0] [--read-only] FOLDER

FOLDER holds a folder for each format, with files of it. All are read, one after the other, in this
process; then they are indexed together, and each file with a sentence in it is asked for one:

- ``quoted``: ``check_quote`` finds the sentence word for word, in that file,
- ``found``: for the sentence with its longest word replaced by "what", search has that file first
  (or one with the same text),
- ``answered``: one of the first three answers to it is from that file.

A file of which docqa can't read anything is listed with its reason. With --read-only nothing is
indexed.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from docqa import DocQA
from docqa.ingest.archives import is_archive
from docqa.ingest.document import LoadLimits
from docqa.ingest.errors import IngestError
from docqa.ingest.load import load

_SENTENCE = re.compile(r"[^\n\t.!?]{30,300}?(?=[.!?\n\t]|\Z)")
_WORD = re.compile(r"[^\W\d_]+")
_LEAST_WORDS = 5
_FIRST_ANSWERS = 3


@dataclass
class Counts:
    """What came of the files of a format."""

    files: int = 0
    size: int = 0
    chars: int = 0
    seconds: float = 0.0
    failed: list[str] = field(default_factory=list)
    asked: int = 0
    quoted: int = 0
    found: int = 0
    answered: int = 0

    def row(self, format: str) -> str:
        """Return a row of a table in Markdown."""
        megabytes = self.size / 1_000_000
        cells = (
            format,
            f"{self.files}",
            f"{megabytes:.2f} MB",
            f"{self.chars:,}",
            f"{self.seconds / megabytes:.2f} s" if megabytes and self.chars else "-",
            *(f"{count} of {self.asked}" for count in (self.quoted, self.found, self.answered)),
        )
        return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print a table in Markdown, a row a format, and on stderr what failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--read-only", action="store_true")
    options = parser.parse_args()
    folders = sorted(path for path in options.folder.resolve().iterdir() if path.is_dir())
    formats = {folder.name: read(folder) for folder in folders}
    if not options.read_only:
        with tempfile.TemporaryDirectory() as index, DocQA(index) as qa:
            report = qa.index([options.folder.resolve()])
            for failure in report.failed:
                print(f"failed: {failure.path}: {failure.error}", file=sys.stderr)
            for folder in folders:
                ask(qa, folder, formats[folder.name], random.Random(options.seed))
    print("| format | files | size | characters | a MB | quoted | found | answered |")
    print("|---|---|---|---|---|---|---|---|")
    for name, counts in formats.items():
        print(counts.row(name))
        for line in counts.failed:
            print(line, file=sys.stderr)


def read(folder: Path) -> Counts:
    """Read the files of a folder."""
    counts = Counts()
    for path in sorted(folder.iterdir()):
        counts.files += 1
        counts.size += path.stat().st_size
        if is_archive(str(path)):
            continue  # read in a process of its own alone
        start = time.process_time()
        try:
            counts.chars += load(str(path), LoadLimits()).length
        except IngestError as error:
            counts.failed.append(f"{folder.name}/{path.name}: {error}")
        counts.seconds += time.process_time() - start
    return counts


def ask(qa: DocQA, folder: Path, counts: Counts, drawn: random.Random) -> None:
    """Ask for a sentence of each file of a folder."""
    with qa.snapshot() as documents:
        texts = {
            path: (stored := documents.document(number)).slice(0, stored.length)
            for number, path in documents.document_paths()
            if Path(path).is_relative_to(folder)
        }
    for path in sorted(folder.iterdir()):
        members = {name: text for name, text in texts.items() if Path(name).is_relative_to(path)}
        candidates = [(name, text) for name, whole in members.items() for text in sentences(whole)]
        if not candidates:
            continue
        name, sentence = drawn.choice(candidates)
        same = {other for other, text in texts.items() if sentence in text}
        counts.asked += 1
        quoted = qa.check_quote(sentence, most_places=20)
        counts.quoted += quoted.exact and any(place.document in same for place in quoted.places)
        question = sentence.replace(max(_WORD.findall(sentence), key=len), "what", 1)
        hits = qa.search(question, 1)
        counts.found += bool(hits) and hits[0].document in same
        answers = qa.ask(question, top_k=_FIRST_ANSWERS)
        is_answered = any(answer.document in same for answer in answers)
        counts.answered += is_answered
        if not (quoted.exact and is_answered):
            print(f"{name}: {sentence!r}", file=sys.stderr)


def sentences(text: str) -> Iterator[str]:
    """Yield stretches of a text that are a sentence or a row."""
    for found in _SENTENCE.finditer(text):
        sentence = found[0].strip()
        if len(set(_WORD.findall(sentence))) >= _LEAST_WORDS:
            yield sentence


if __name__ == "__main__":
    main()
