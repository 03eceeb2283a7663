"""Damaged files of each format through the processes that read files; prints what goes wrong.

    python benchmarks/fuzz.py [--minutes 2] [--format docx ...] [--seed 1] [--keep FOLDER]

Small whole files are damaged: bytes changed, removed, repeated and put in; of files that are ZIP
archives, also single members, zipped again. Each is read as ``docqa index`` reads it. A finding is
a file that takes longer than 20 seconds or more memory than there is, ends the process, opens a
file to write, asks for the network, starts a program, or gives a reason with an exception's name.
Needs the packages of ``docqa-verbatim[dev]`` and the tests, whose files are the seeds.
"""

from __future__ import annotations

import argparse
import io
import random
import re
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import docqa.ingest.workers.process as process
from docqa.ingest.archives import is_archive
from docqa.ingest.document import Document, Failure, LoadLimits
from docqa.ingest.errors import IngestError
from docqa.ingest.formats import FORMATS
from docqa.ingest.workers.pool import LoaderPool

_LIMITS = LoadLimits(seconds=20, memory_mb=512, max_file_mb=4)
_NAMES = re.compile(r"\w+(?:Error|Exception)\b|Traceback|object at 0x|<class|\bNone\b")
_ENDINGS = re.compile("took longer|crash|ended early|was killed|makes no sense")
_MEMORY = "needed more than"
# Ends a process that does what no loader should. Temporary files without a name are allowed.
_FENCE = """
import os, sys
def fence(event, arguments):
    bad = event.startswith(("socket.", "subprocess.", "os.exec", "os.system", "os.posix_spawn"))
    if event == "open":
        flags = arguments[2] or 0
        writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        unnamed = flags & os.O_TMPFILE == os.O_TMPFILE
        is_pipe = isinstance(arguments[0], int)
        bad = writes and not unnamed and not is_pipe and arguments[0] != os.devnull
    if bad or event in ("os.mkdir", "os.remove", "os.rename", "os.symlink", "os.link"):
        os._exit(77)
sys.addaudithook(fence)
"""
_JUNK = (
    b"\0",
    b"\xff" * 4,
    b"\x7f\xff\xff\xff",
    b"<a>" * 5000,
    b"[" * 5000,
    b"{" * 5000,
    b"(" * 3000,
    b"<!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>&e;",
    b"99999999999",
    b"-1",
    b"1e999",
    b"../../x",
    b"http://127.0.0.1:9/x",
    b"\\include{/etc/passwd}",
    b".. include:: /etc/passwd\n",
    b"\xed\xa0\x80",
    "\u202e\u0301".encode(),
    b"A" * 100_000,
)


@dataclass
class Found:
    """What became of the files of one format.

    Attributes:
        inputs: how many were read or refused.
        read: how many were read.
        findings: what went wrong, and how often.
    """

    inputs: int = 0
    read: int = 0
    findings: Counter[str] = field(default_factory=Counter)


def fuzz(name: str, seconds: float, seed: int, keep: Path | None = None) -> Found:
    """Read damaged files of a format for some time.

    Args:
        name: of the format, or the suffix of an archive.
        seconds: how long new files are made.
        seed: of the damage.
        keep: a folder for the files that gave findings.
    """
    chance = random.Random(f"{seed} {name}")
    seeds = SEEDS[name]()
    found = Found()
    suffix = name if is_archive(name) else next(f.suffixes[0] for f in FORMATS if f.name == name)
    with tempfile.TemporaryDirectory() as folder, LoaderPool(_LIMITS, 1) as pool:
        until = time.monotonic() + seconds

        def files() -> Iterator[str]:
            number = 0
            while time.monotonic() < until:
                path = Path(folder, f"{number}{suffix}")
                path.write_bytes(damaged(chance.choice(seeds), chance))
                number += 1
                yield str(path)

        for path, results in _results(pool, files(), suffix):
            found.inputs += 1
            found.read += any(isinstance(result, Document) for result in results)
            for result in results:
                if isinstance(result, Failure) and (what := finding(result.error)):
                    found.findings[what] += 1
                    if keep is not None:
                        keep.mkdir(parents=True, exist_ok=True)
                        (keep / f"{name.strip('.')}-{Path(path).name}").write_bytes(
                            Path(path).read_bytes()
                        )
            Path(path).unlink()
    return found


def _results(
    pool: LoaderPool, files: Iterator[str], suffix: str
) -> Iterator[tuple[str, list[Document | Failure]]]:
    if not is_archive(suffix):
        for result in pool.load_many(files):
            yield result.path, [result]
        return
    for listed in pool.list_many(files):
        if isinstance(listed, Failure):
            yield listed.path, [listed]
            continue
        path, listing = listed
        members = (f"{path}/{member}" for member in listing.members[:5])
        yield path, list(pool.load_many(members))


def finding(error: str) -> str | None:
    """Return what is wrong with a reason for a file that was not read; None for a good one."""
    if _ENDINGS.search(error) or _MEMORY in error:
        return error
    if names := _NAMES.search(error):
        return f"a reason with a name of Python's in it: {names[0]}: {error}"
    return None


def damaged(data: bytes, chance: random.Random) -> bytes:
    """Return a file with some damage; of an archive, at times, to one of its members."""
    if data.startswith(b"PK") and chance.random() < 0.7:
        return _damaged_member(data, chance)
    broken = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        at = chance.randrange(len(broken) + 1)
        end = min(len(broken), at + chance.choice((1, 4, 64, 1024)))
        match chance.randrange(6):
            case 0:
                broken[at:end] = chance.randbytes(end - at)
            case 1:
                del broken[at:end]
            case 2:
                broken[at:at] = broken[at:end] * chance.choice((1, 2, 500))
            case 3:
                broken[at:at] = chance.choice(_JUNK)
            case 4 if at < len(broken):
                broken[at] ^= 1 << chance.randrange(8)
            case _:
                if chance.random() < 0.1:
                    del broken[at:]
    return bytes(broken)


def _damaged_member(data: bytes, chance: random.Random) -> bytes:
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as source,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        names = source.namelist()
        spoilt = chance.choice(names)
        for name in names:
            content = source.read(name)
            if name == spoilt:
                if chance.random() < 0.1:
                    continue
                content = damaged(content, chance)
            target.writestr(name, content)
    return file.getvalue()


def _seeds() -> dict[str, Callable[[], list[bytes]]]:
    from tests.ingest.formats import test_doc, test_more_formats, test_rtf
    from tests.ingest.test_archives import KINDS
    from tests.pdfs import drawn, written

    def texts(*contents: str) -> Callable[[], list[bytes]]:
        return lambda: [content.encode() for content in contents]

    def docx() -> list[bytes]:
        import docx

        document = docx.Document()
        document.add_heading("Fees")
        document.add_paragraph("It costs 5 euros.", style="List Number")
        document.add_table(2, 2).cell(0, 0).text = "a"
        file = io.BytesIO()
        document.save(file)
        return [file.getvalue()]

    def image() -> list[bytes]:
        from PIL import Image

        files = []
        for kind in ("PNG", "JPEG", "TIFF", "WEBP"):
            file = io.BytesIO()
            Image.new("RGB", (60, 20), "white").save(file, kind)
            files.append(file.getvalue())
        return files

    known = {
        "text": texts("The lease ends.\r\nIn May.\n"),
        "markdown": texts("---\ntitle: a\n---\n# A\n\n*b* [c](d)\n\n| a | b |\n|-|-|\n| 1 | 2 |\n"),
        "rst": texts("A\n=\n\n.. note:: b `c <d>`_\n\n=== ===\na   b\n=== ===\n1   2\n=== ===\n"),
        "html": texts(
            "<h1>A</h1><table><tr><td>b<td>c</table><s>d</s><math><mi>x</mi></math>",
            "<style>.a{display:none} p > .b, [c] i{vertical-align:super}</style><ol start=3><li>d"
            "<div style='display:flex;color:#fff'><b class=b>1</b><i c>2</i></div><select>f",
        ),
        "pdf": lambda: [
            drawn(written("The lease ends", "in May."), pageCompression=0),
            drawn(written("The lease ends", "in May."), pageCompression=1),
        ],
        "docx": docx,
        "doc": lambda: [test_doc.WHOLE],
        "rtf": lambda: [test_more_formats.good("rtf"), test_rtf.WHOLE],
        "msg": lambda: [test_more_formats.outlook_message()],
        "image": image,
        ".zip": lambda: [KINDS["a.zip"]],
        ".tar": lambda: [KINDS["a.tar"]],
        ".tar.gz": lambda: [KINDS["a.tar.gz"]],
    }
    for format in FORMATS:
        if format.name not in known:
            known[format.name] = lambda name=format.name: [test_more_formats.good(name)]
    return known


SEEDS = _seeds()


def main() -> None:
    """Print a table in Markdown, a row a format."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=2.0, help="for each format")
    parser.add_argument("--format", action="append", choices=sorted(SEEDS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="a folder for the files that gave findings")
    options = parser.parse_args()
    process._BOOTSTRAP = _FENCE + process._BOOTSTRAP
    print("| format | inputs | read | findings |")
    print("|---|---|---|---|")
    for name in options.format or SEEDS:
        with suppress(ImportError, IngestError):
            found = fuzz(name, 60 * options.minutes, options.seed, options.keep)
            said = "; ".join(f"{count}: {what}" for what, count in found.findings.items())
            row = f"| {name} | {found.inputs:,} | {found.read:,} | {said or 'none'} |"
            print(row, flush=True)


if __name__ == "__main__":
    main()
