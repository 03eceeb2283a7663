"""What belongs to the site and not to the page: navigation, cookie bars, heads and feet.

Whether an element is left out is decided at its end, by what it held: whatever holds more than
links stays, however it is called. A page that is all navigation stays whole (see
:func:`docqa.ingest.formats.html.read_markup`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from docqa.ingest.formats.layout import Checkpoint

_NAVIGATION = re.compile(
    r"(?:^|[\s_-])(?:nav|navbar|navigation|navheader|navfooter|nav-?panel|nav-?links|breadcrumbs?|"
    r"sphinxsidebar|related|pagination|pager|menu|topnav|bottomnav|sub-?nav|skip-?links?|"
    r"share|sharing|social|site-?map)(?:$|[\s_-])",
    re.IGNORECASE,
)
_SITE = re.compile(
    r"(?:^|\s)(?:(?:site|page|main|global)[_-]?(?:header|footer|head|foot)|header|footer|"
    r"top-?bar|colophon|masthead)(?:$|\s)",
    re.IGNORECASE,
)
_SEARCH = re.compile(r"search|such(?:e|en)\b|recherche|busca", re.IGNORECASE)
_CONSENT = re.compile(
    r"cookie|consent|gdpr|onetrust|cybot|(?:^|\s)(?:cc|qc)-(?:window|banner|cmp)", re.IGNORECASE
)
_ABOUT_COOKIES = re.compile(r"cookie|consent|privacy|datenschutz|tracking", re.IGNORECASE)
_RIGHTS = re.compile(
    r"©|\(c\) ?\d{4}|copyright|all rights reserved|powered by|created (?:using|with)|"
    r"generated (?:by|on)",
    re.IGNORECASE,
)
_SCRIPTS_WANTED = re.compile(r"java ?script|scripts?\b|browser", re.IGNORECASE)
_CONTAINERS = frozenset(
    "aside div footer header nav noscript ol p section table td ul form dialog".split()
)
# Up to so many characters between the links of a menu; "Next: ", " | ", "You are here: ".
_MOST_BETWEEN_LINKS = 120
_MOST_RIGHTS = 400
_MOST_SEARCH = 100
_MOST_CONSENT = 3000
_MOST_NOSCRIPT = 300


class Suspect:
    """An open element that may be no part of the page's text.

    Attributes:
        kind: ``navigation``, ``search``, ``site``, ``consent`` or ``noscript``.
        checkpoint: of the layout where the element begins.
        links: how many links had been met by then.
        linked: how many characters of links had been written by then.
        heads: how many titles of the page had been met by then.
    """

    __slots__ = ("checkpoint", "heads", "kind", "linked", "links")

    def __init__(
        self, kind: str, checkpoint: Checkpoint, links: int, linked: int, heads: int
    ) -> None:
        self.kind = kind
        self.checkpoint = checkpoint
        self.links = links
        self.linked = linked
        self.heads = heads


def suspicion(tag: str, attributes: Mapping[str, str], parent: str) -> str | None:
    """Return what an element may be, by its tag, role, class and id; None for nothing."""
    if tag not in _CONTAINERS:
        return None
    role = attributes.get("role", "")
    names = f"{attributes.get('class', '')} {attributes.get('id', '')}"
    if tag == "noscript":
        return "noscript"
    if _CONSENT.search(names):
        return "consent"
    if role == "search" or (
        tag == "form" and _SEARCH.search(f"{attributes.get('action', '')} {names}")
    ):
        return "search"
    if tag == "nav" or role in ("navigation", "menu", "menubar"):
        return "navigation"
    if role in ("banner", "contentinfo") or (tag in ("header", "footer") and parent == "body"):
        return "site"
    if names != " ":
        if _SITE.search(names):
            return "site"
        if _NAVIGATION.search(names):
            return "navigation"
    return None


def is_furniture(suspect: Suspect, text: str, links: int, linked: int, heads: int) -> bool:
    """Return whether an element is left out.

    Args:
        suspect: the element.
        text: what was written of it.
        links: how many links the page holds by its end, those without text among them.
        linked: how many characters of links the page holds by its end.
        heads: how many titles the page holds by its end.
    """
    inside = linked - suspect.linked
    others = max(0, sum(not char.isspace() for char in text) - inside)
    has_links = links > suspect.links
    match suspect.kind:
        case "noscript":
            return len(text) <= _MOST_NOSCRIPT and bool(_SCRIPTS_WANTED.search(text))
        case "consent":
            return len(text) <= _MOST_CONSENT and bool(_ABOUT_COOKIES.search(text))
        case "navigation":
            return inside > others or (has_links and others <= _MOST_BETWEEN_LINKS)
        case "search":
            return heads == suspect.heads and len(text) <= _MOST_SEARCH
        case _:
            if heads > suspect.heads:
                return False
            return inside > others or (others <= _MOST_RIGHTS and bool(_RIGHTS.search(text)))
