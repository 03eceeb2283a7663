"""What stands at the head and foot of printed pages."""

from __future__ import annotations

import re

_PAGE_WORDS = re.compile(
    r"\b(?:page|seite|pagina|página|strana|strona|side|sida|sivu|oldal|of|von|de|di|van|z|av|af)\b"
    r"|[\W\d_]",
    re.IGNORECASE,
)


def is_page_number(text: str) -> bool:
    """Return whether a head or foot says no more than the number of a page.

    >>> is_page_number("Page of "), is_page_number("Contract 4711")
    (True, False)
    """
    return not _PAGE_WORDS.sub("", text)
