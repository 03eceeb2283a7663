"""MathML as a line of text, once: what is shown, not the annotations beside it."""

from __future__ import annotations

from dataclasses import dataclass, field

from lxml import etree

from docqa.ingest.formats.formula import accented, fraction, line, root, scripts

# Deeper parts of a formula are put down side by side.
_DEEPEST = 60
_UNSEEN = frozenset(("annotation", "annotation-xml", "maction-hidden", "mphantom", "none"))


@dataclass(slots=True)
class _Part:
    tag: str
    text: str = ""
    parts: list[_Part] = field(default_factory=list)


class Formula:
    """An open ``math`` element. It is told of what the parser meets inside."""

    def __init__(self) -> None:
        self._root = _Part("math")
        self._open = [self._root]

    def start(self, tag: str) -> None:
        """Take in the start of an element."""
        part = _Part(tag.rpartition(":")[2])
        if len(self._open) <= _DEEPEST:
            self._open[-1].parts.append(part)
        self._open.append(part if len(self._open) <= _DEEPEST else self._open[-1])

    def end(self) -> bool:
        """Take in the end of an element; return whether it was the formula's own."""
        self._open.pop()
        return not self._open

    def data(self, text: str) -> None:
        """Take in text."""
        self._open[-1].text += text

    def text(self) -> str:
        """Return the formula in one line."""
        return _text(self._root)


def formula_text(root: etree._Element) -> str:
    """Return a formula that stands in a file of its own in one line."""
    formula = Formula()
    for event, element in etree.iterwalk(root, events=("start", "end")):
        if element is root or not isinstance(element.tag, str):
            continue
        if event == "start":
            formula.start(element.tag.rpartition("}")[2])
            formula.data(element.text or "")
        else:
            formula.end()
    return formula.text()


def _text(part: _Part) -> str:
    if part.tag in _UNSEEN:
        return ""
    if not part.parts:
        return " ".join(part.text.split())
    if part.tag == "semantics":
        return _text(part.parts[0])
    inside = [_text(child) for child in part.parts]
    match part.tag, inside:
        case "mfrac", [above, below]:
            return fraction(above, below)
        case "msqrt", _:
            return root(line(inside))
        case "mroot", [base, degree]:
            return root(base, degree)
        case "msup" | "mover", [base, above]:
            return accented(base, above) if part.tag == "mover" else scripts(base, "", above)
        case "msub" | "munder", [base, below]:
            return scripts(base, below, "")
        case "msubsup" | "munderover", [base, below, above]:
            return scripts(base, below, above)
        case "mtable", _:
            return "; ".join(filter(None, inside))
        case "mtr" | "mlabeledtr", _:
            return ", ".join(filter(None, inside))
        case "mfenced", _:
            return f"({', '.join(inside)})"
        case _:
            return line(inside)
