"""Equations in RTF, which are Word's (OMML) with a group for each element."""

from __future__ import annotations

from dataclasses import dataclass, field

from docqa.ingest.formats.formula import accented, fraction, line, root, scripts

_DEEPEST = 60


@dataclass(slots=True)
class Part:
    """A group of an equation: its word without the ``m``, its text, and the groups in it."""

    name: str
    text: str = ""
    parts: list[Part] = field(default_factory=list)


def equation_text(part: Part, depth: int = 0) -> str:
    """Return an equation, or a part of one, in one line."""
    if part.name.endswith("Pr") or depth > _DEEPEST:
        return ""
    if not part.parts:
        return part.text

    def of(name: str) -> str:
        found = next((child for child in part.parts if child.name == name), None)
        return "" if found is None else equation_text(found, depth + 1)

    def said(name: str) -> str | None:
        """Return what the part's properties say."""
        for properties in part.parts:
            if properties.name == f"{part.name}Pr":
                return next((child.text for child in properties.parts if child.name == name), None)
        return None

    match part.name:
        case "f":
            return fraction(of("num"), of("den"))
        case "sSup":
            return scripts(of("e"), "", of("sup"))
        case "sSub":
            return scripts(of("e"), of("sub"), "")
        case "sSubSup":
            return scripts(of("e"), of("sub"), of("sup"))
        case "rad":
            return root(of("e"), "" if said("degHide") in ("1", "on") else of("deg"))
        case "nary":
            sign = said("chr")
            return line([scripts(sign or "∫", of("sub"), of("sup")) + " ", of("e")])
        case "d":
            opens, closes = said("begChr"), said("endChr")
            inside = [equation_text(e, depth + 1) for e in part.parts if e.name == "e"]
            return (
                ("(" if opens is None else opens)
                + "|".join(inside)
                + (")" if closes is None else closes)
            )
        case "acc":
            return accented(of("e"), said("chr") or "\u0302")
        case "func":
            return f"{of('fName')} {of('e')}"
        case "m":
            rows = (
                [e for e in row.parts if e.name == "e"] for row in part.parts if row.name == "mr"
            )
            return "; ".join(", ".join(equation_text(e, depth + 1) for e in row) for row in rows)
        case _:
            pieces = [part.text] if part.text else []
            return line([*pieces, *(equation_text(child, depth + 1) for child in part.parts)])
