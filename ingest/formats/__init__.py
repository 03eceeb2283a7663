"""The formats that can be read: a module each, and an entry each in ``FORMATS``.

To add a format, write a module with a :class:`Loader` and add its entry. The module and the
libraries it needs are imported when a file of the format is first read, in a worker.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass
from importlib import import_module
from pathlib import PurePath
from typing import NamedTuple, Protocol, cast

from docqa.ingest.errors import IngestError
from docqa.ingest.formats import recognition

_COMPRESSED = ".gz"
# What programs and systems leave beside documents and what is never one: Office's note of who has a
# file open, folders' settings and thumbnails, bins, what archives bring along from a Mac.
_OWNER_MARK = "~$"
_LITTER = frozenset(
    (
        "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "__macosx", "$recycle.bin",
        "system volume information", "lost+found", "@eadir",
    )
)  # fmt: skip
# Errors that a parser passes on and that say nothing of what it parses.
_NOT_THE_PARSERS = frozenset((errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOSPC))


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of a document.

    Attributes:
        text: its words, on one line.
        level: 1 for the highest.
        start: where it begins in the document's text, in code points; what it is about follows.
    """

    text: str
    level: int
    start: int


class Extracted(NamedTuple):
    """What a loader makes of a file's bytes.

    Attributes:
        text: the whole text.
        page_starts: offset of each page's first character; empty where there are no pages.
        title: what the document calls itself.
        outline: its headings, in the order of the text.
        gaps: what of the file is not in the text, a sentence each.
        lines: where the text goes on in another line of the file: ``(offset, line)``, from 1;
            empty where the text is the file itself or has no lines.
        pictures: how many pages are missing in the text whose text could be recognised.
    """

    text: str
    page_starts: tuple[int, ...] = ()
    title: str | None = None
    outline: tuple[Heading, ...] = ()
    gaps: tuple[str, ...] = ()
    lines: tuple[tuple[int, int], ...] = ()
    pictures: int = 0


class Loader(Protocol):
    """Take the text out of a file's bytes.

    Raises:
        IngestError: there is a reason in plain words.
        Exception: whatever the format's library raises on a damaged or hostile file.
    """

    def __call__(self, data: bytes, /) -> Extracted: ...


@dataclass(frozen=True, slots=True)
class Format:
    """One format that can be read.

    Attributes:
        name: as ``Document.format`` and answers give it.
        suffixes: how names of its files end, in lower case, with the dot.
        loader: its :class:`Loader`, as ``module:function`` below this package.
        label: what people call such a file, to stand in "not readable as ...".
        needs: what must be installed to read it, as pip names it.
        is_lines: whether the text is the decoded file, so that an offset has a line in it.
        is_picture: whether its text must be recognised.
    """

    name: str
    suffixes: tuple[str, ...]
    loader: str
    label: str
    needs: tuple[str, ...] = ()
    is_lines: bool = False
    is_picture: bool = False

    def load(self, data: bytes) -> Extracted:
        """Take the text out of a file's bytes, as a :class:`Loader` does.

        Raises:
            IngestError: also where a library is not installed.
        """
        module, function = self.loader.split(":")
        try:
            loader = getattr(import_module(f"{__name__}.{module}"), function)
        except ModuleNotFoundError as error:
            if not self.needs:
                raise
            raise IngestError(
                f"to read {self.label} files, pip install {' '.join(self.needs)}"
            ) from error
        return cast(Loader, loader)(data)


_TEXT = Format("text", (".txt", ".text"), "text:extract_text", "text", is_lines=True)
FORMATS = (
    _TEXT,
    Format("markdown", (".md", ".markdown"), "markdown:extract_markdown", "Markdown"),
    Format("rst", (".rst",), "rst:extract_rst", "reStructuredText", ("docutils",)),
    Format("pdf", (".pdf",), "pdf:extract_pdf", "PDF", ("pypdf[crypto]", "pypdfium2")),
    Format("html", (".html", ".htm", ".xhtml"), "html:extract_html", "HTML", ("lxml",)),
    Format("docx", (".docx", ".docm", ".dotx", ".dotm"), "docx:extract_docx", "Word", ("lxml",)),
    Format("doc", (".doc", ".dot"), "doc:extract_doc", "old Word", ("olefile", "lxml")),
    Format("pptx", (".pptx", ".pptm", ".ppsx"), "pptx:extract_pptx", "PowerPoint", ("lxml",)),
    Format("xlsx", (".xlsx", ".xlsm"), "xlsx:extract_xlsx", "Excel", ("openpyxl",)),
    Format(
        "opendocument",
        (".odt", ".ods", ".odp", ".ott"),
        "opendocument:extract_opendocument",
        "OpenDocument",
        ("lxml",),
    ),
    Format("rtf", (".rtf",), "rtf:extract_rtf", "RTF"),
    Format("epub", (".epub",), "epub:extract_epub", "EPUB", ("lxml",)),
    Format("csv", (".csv", ".tsv"), "delimited:extract_delimited", "CSV"),
    Format("json", (".json",), "json_data:extract_json", "JSON"),
    Format("jsonl", (".jsonl", ".ndjson"), "json_data:extract_json_lines", "JSON Lines"),
    Format("notebook", (".ipynb",), "notebook:extract_notebook", "Jupyter notebook"),
    Format("eml", (".eml",), "mail:extract_eml", "e-mail", ("olefile",)),
    Format("mbox", (".mbox",), "mail:extract_mbox", "e-mail folder", ("olefile",)),
    Format("msg", (".msg",), "mail:extract_msg", "Outlook", ("olefile",)),
    Format("subtitles", (".srt", ".vtt"), "subtitles:extract_subtitles", "subtitles"),
    Format(
        "image",
        (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp"),
        "image:extract_image",
        "picture",
        ("docqa-verbatim[ocr]",),
        is_picture=True,
    ),
    Format("latex", (".tex", ".latex"), "latex:extract_latex", "LaTeX", ("pylatexenc",)),
)
_BY_NAME = {format.name: format for format in FORMATS}
_BY_SUFFIX = {suffix: format for format in FORMATS for suffix in format.suffixes}


def format_named(name: str) -> Format:
    """Return the format of a name.

    Raises:
        KeyError: there is none.
    """
    return _BY_NAME[name]


def is_litter(name: str) -> bool:
    """Return whether a name is that of a file or folder that systems leave beside documents."""
    return name.startswith(_OWNER_MARK) or name.lower() in _LITTER


def suffix_of(path: str) -> str:
    """Return how a path ends, in lower case: ``.txt``; ``.txt.gz`` where it is compressed."""
    name = PurePath(path)
    suffix = name.suffix.lower()
    return PurePath(name.stem).suffix.lower() + suffix if suffix == _COMPRESSED else suffix


def is_compressed(path: str) -> bool:
    """Return whether a path's suffix says that gzip packed the file."""
    return suffix_of(path).endswith(_COMPRESSED)


def is_supported(path: str) -> bool:
    """Return whether a path's suffix is one that is known, and can be read here.

    Pictures can where text recognition is installed.
    """
    format = _BY_SUFFIX.get(suffix_of(path).removesuffix(_COMPRESSED))
    return format is not None and (not format.is_picture or recognition.is_installed())


def format_of(path: str) -> Format:
    """Return the format that a path's suffix names; plain text for any other."""
    return _BY_SUFFIX.get(suffix_of(path).removesuffix(_COMPRESSED), _TEXT)


def extract(format: str, data: bytes) -> Extracted:
    """Take the text out of a file's bytes; whatever is wrong with them is an IngestError.

    Args:
        format: the name of one in ``FORMATS``.
        data: the whole file.

    Raises:
        IngestError: the file can't be read, and why.
        MemoryError: the file needs more memory than there is.
        OSError: the system failed, which says nothing of the file.
    """
    known = format_named(format)
    if not data:
        raise IngestError("holds no text: the file is empty")
    try:
        return known.load(data)
    except (IngestError, MemoryError):
        raise
    except RecursionError as error:
        raise IngestError("nested too deeply to be read") from error
    except Exception as error:  # Parsers raise anything on damaged files.
        if isinstance(error, OSError) and error.errno in _NOT_THE_PARSERS:
            raise
        raise IngestError(
            f"not readable as {known.label}: damaged, or another kind of file than its name says"
        ) from error
