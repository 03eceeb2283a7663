"""Values of a form's fields, as the page shows them."""

from __future__ import annotations

from lxml import etree

from docqa.ingest.formats.packed import attribute, elements, name_of

_MARKS = {True: "[x]", False: "[ ]"}
_CHECKED = frozenset(("checked", "true"))
_SHOWN = frozenset(
    "text textarea formatted-text number date time combobox value-range generic-control".split()
)
_LABELLED = frozenset("fixed-text button".split())


def form_values(root: etree._Element) -> dict[str, str]:
    """Return what each field of a document's forms shows, by its id."""
    values = {}
    for forms in elements(root, "forms"):
        for control in forms.iter():
            if name := attribute(control, "id"):
                values[name] = _value(control)
    return values


def field_mark(element: etree._Element) -> str:
    """Return what a field of an old form shows: a box, or the choice of a list."""
    kind = (attribute(element, "type") or "").rpartition(".")[2]
    params = [
        (attribute(param, "name") or "", attribute(param, "value") or "")
        for param in elements(element, "param")
    ]
    found = dict(params)
    if kind == "FORMCHECKBOX":
        checked = next((value for name, value in params if name.endswith("Checkbox_Checked")), "")
        return _MARKS[checked == "true"]
    if kind == "FORMDROPDOWN":
        entries = [value for name, value in params if name.endswith("ListEntry")]
        chosen = next((found[name] for name in found if name.endswith("Selected")), "")
        chosen = chosen or next((found[name] for name in found if name.endswith("Result")), "")
        if chosen.isdecimal() and len(chosen) < 6 and int(chosen) < len(entries):
            return entries[int(chosen)]
    return ""


def _value(control: etree._Element) -> str:
    kind = name_of(control)
    label = attribute(control, "label") or ""
    if kind in ("checkbox", "radio"):
        said = "current-state" if kind == "checkbox" else "current-selected"
        default = "state" if kind == "checkbox" else "selected"
        state = attribute(control, said)
        state = attribute(control, default) if state is None else state
        return f"{_MARKS[state in _CHECKED]} {label}".strip()
    if kind == "listbox":
        options = list(elements(control, "option"))
        chosen = [option for option in options if attribute(option, "current-selected") == "true"]
        chosen = chosen or [option for option in options if attribute(option, "selected") == "true"]
        return ", ".join(attribute(option, "label") or "" for option in chosen)
    if kind in _LABELLED:
        return label
    if kind in _SHOWN and attribute(control, "echo-char") is None:
        for name in ("current-value", "value", "current-date", "date"):
            if (value := attribute(control, name)) is not None:
                return value
        return " ".join(" ".join(map(str, control.itertext())).split())
    return ""
