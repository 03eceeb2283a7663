"""Numbers of lists and clauses as they are printed: 7, 07, vii, G, 7th, Seventh."""

from __future__ import annotations

from collections.abc import Callable

_ROMAN = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"),
    (50, "l"), (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip
_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
).split()
_TENS = "zero ten twenty thirty forty fifty sixty seventy eighty ninety".split()
_ORDINALS = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth",
    "nine": "ninth", "twelve": "twelfth",
}  # fmt: skip
_GREEK = "αβγδεζηθικλμνξοπρστυφχψω"
_MOST_ROMAN = 3999


def roman(number: int) -> str:
    """Return a number in small Roman numerals; in digits where there are none for it."""
    if not 0 < number <= _MOST_ROMAN:
        return str(number)
    text = ""
    for value, letters in _ROMAN:
        text += letters * (number // value)
        number %= value
    return text


def letters(number: int) -> str:
    """Return a number as letters, as spreadsheets name columns: a, ..., z, aa, ab."""
    if number < 1:
        return str(number)
    text = ""
    while number > 0:
        number, rest = divmod(number - 1, 26)
        text = chr(ord("a") + rest) + text
    return text


def repeated_letters(number: int) -> str:
    """Return a number as letters, as Word counts: a, ..., z, aa, bb."""
    if number < 1:
        return str(number)
    times, letter = divmod(number - 1, 26)
    return chr(ord("a") + letter) * min(times + 1, 10)


def greek(number: int) -> str:
    """Return a number as a small Greek letter; in digits where there is none for it."""
    return _GREEK[number - 1] if 0 < number <= len(_GREEK) else str(number)


def ordinal(number: int) -> str:
    """Return a number as 1st, 2nd, 3rd, 4th."""
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if number % 100 in (11, 12, 13) else ending}"


def cardinal_word(number: int) -> str:
    """Return a number below 100 as an English word; any other in digits."""
    if 0 <= number < len(_ONES):
        return _ONES[number]
    if not 0 <= number < 100:
        return str(number)
    tens, ones = divmod(number, 10)
    return _TENS[tens] + (f"-{_ONES[ones]}" if ones else "")


def ordinal_word(number: int) -> str:
    """Return a number below 100 as an English ordinal; any other as 101st."""
    if not 0 <= number < 100:
        return ordinal(number)
    *before, last = cardinal_word(number).split("-")
    last = _ORDINALS.get(last) or (last[:-1] + "ieth" if last.endswith("y") else last + "th")
    return "-".join([*before, last])


# How numbers are written, by the sign that stands for it in many formats.
BY_SIGN: dict[str, Callable[[int], str]] = {
    "1": str,
    "a": letters,
    "A": lambda number: letters(number).upper(),
    "i": roman,
    "I": lambda number: roman(number).upper(),
}
