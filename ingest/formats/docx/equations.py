"""Word's equations (OMML) as a line of text."""

from __future__ import annotations

from lxml import etree

from docqa.ingest.formats.docx.package import child, is_on, short, value
from docqa.ingest.formats.formula import accented, fraction, line, root, scripts

_STRIKES = ("m:strikeH", "m:strikeV", "m:strikeBLTR", "m:strikeTLBR")


def equation_text(element: etree._Element | None) -> str:
    """Return an equation, or a part of one, in one line."""
    if element is None:
        return ""
    name = short(element.tag)

    def part(of: str) -> str:
        return equation_text(child(element, of))

    match name:
        case "m:t" | "w:t":
            return element.text or ""
        case "m:r" | "w:r":
            return "".join(equation_text(found) for found in element)
        case "m:f":
            return fraction(part("m:num"), part("m:den"))
        case "m:sSup":
            return scripts(part("m:e"), "", part("m:sup"))
        case "m:sSub":
            return scripts(part("m:e"), part("m:sub"), "")
        case "m:sSubSup":
            return scripts(part("m:e"), part("m:sub"), part("m:sup"))
        case "m:sPre":
            return scripts("", part("m:sub"), part("m:sup")) + part("m:e")
        case "m:rad":
            is_hidden = is_on(child(child(element, "m:radPr"), "m:degHide"))
            return root(part("m:e"), "" if is_hidden else part("m:deg"))
        case "m:nary":
            sign = value(child(child(element, "m:naryPr"), "m:chr"), "m:val")
            sign = "∫" if sign is None else sign
            return line([scripts(sign, part("m:sub"), part("m:sup")) + " ", part("m:e")])
        case "m:d":
            return _fenced(element)
        case "m:acc":
            sign = value(child(child(element, "m:accPr"), "m:chr"), "m:val")
            return accented(part("m:e"), "\u0302" if sign is None else sign)
        case "m:bar":
            return accented(part("m:e"), "\u0305")
        case "m:func":
            return f"{part('m:fName')} {part('m:e')}"
        case "m:limLow":
            return scripts(part("m:e"), part("m:lim"), "")
        case "m:limUpp":
            return scripts(part("m:e"), "", part("m:lim"))
        case "m:m":
            rows = (found for found in element if short(found.tag) == "m:mr")
            return "; ".join(", ".join(equation_text(cell) for cell in row) for row in rows)
        case "m:eqArr":
            return "; ".join(equation_text(row) for row in element if short(row.tag) == "m:e")
        case "w:del" | "w:moveFrom":
            return ""
        case "m:borderBox" if any(
            is_on(child(child(element, "m:borderBoxPr"), strike)) for strike in _STRIKES
        ):
            return ""
        case "m:phant" if is_on(child(child(element, "m:phantPr"), "m:show")) is False:
            return ""
        case _ if name.endswith("Pr"):
            return ""
        case _:
            return line([equation_text(found) for found in element])


def _fenced(element: etree._Element) -> str:
    properties = child(element, "m:dPr")
    opens = value(child(properties, "m:begChr"), "m:val")
    closes = value(child(properties, "m:endChr"), "m:val")
    between = value(child(properties, "m:sepChr"), "m:val")
    inside = [equation_text(found) for found in element if short(found.tag) == "m:e"]
    return (
        ("(" if opens is None else opens)
        + ("|" if between is None else between).join(inside)
        + (")" if closes is None else closes)
    )
