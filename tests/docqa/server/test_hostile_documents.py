"""Documents that try to run scripts, to change the page or to load something, shown by the page.

One of each format lies in the index (:mod:`tests.hostile`). A server of the test listens at the
address that all of them name: nobody may come there, neither the browser nor what reads the files.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

pytest.importorskip("reportlab", reason="reportlab is missing: pip install reportlab")

from docqa.ingest.formats import FORMATS, suffix_of
from tests.docqa.server.browsing import (
    WIDE,
    Browser,
    Page,
    Served,
    Visit,
    cards,
    chromium,
    expect,
    needs_chromium,
    serving,
    visiting,
)
from tests.hostile import NAMES, SAFE, hostile_documents

pytestmark = [needs_chromium, pytest.mark.slow]

# Elements that only a document could have put there: the page itself has none of them.
_FOREIGN = (
    "script:not(head script), style, iframe, object, embed, video, base, form:not(#ask-form),"
    "link:not(head link), meta[http-equiv=refresh], a[href^='javascript:'],"
    "main img:not(.sheet img), main svg:not(.icon),"
    "[onload], [onerror], [onclick], [onmouseover], [onfocus]"
)


@pytest.fixture(scope="module")
def visitors() -> Iterator[tuple[str, list[str]]]:
    """An address outside, and what was asked for there."""
    came: list[str] = []

    class Trap(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            came.append(self.path)
            self.send_error(404)

        do_POST = do_HEAD = do_OPTIONS = do_GET  # noqa: N815  # as the library names them

        def log_message(self, *_: object) -> None: ...

    trap = ThreadingHTTPServer(("127.0.0.1", 0), Trap)
    thread = threading.Thread(target=trap.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{trap.server_port}", came
    trap.shutdown()
    thread.join()
    trap.server_close()


@pytest.fixture(scope="module")
def served(
    tmp_path_factory: pytest.TempPathFactory, visitors: tuple[str, list[str]]
) -> Iterator[Served]:
    outside, came = visitors
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "documents").mkdir()
    written = hostile_documents(outside)
    assert written.keys() == set(NAMES)
    for name, content in written.items():
        (folder / "documents" / name).write_bytes(content)
    with serving(folder / "documents", folder / "index") as start:
        assert came == [], "reading the files loaded something"
        yield start()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def browsing(browser: Browser, served: Served) -> Iterator[tuple[Visit, list[object]]]:
    """A page of the server, and what it opened besides: other pages and dialogs."""
    with browser.new_context(viewport=WIDE, base_url=served.address) as context:
        visit = visiting(context, served)
        opened: list[object] = []
        visit.page.on("dialog", lambda dialog: opened.append(dialog))
        context.on("page", lambda page: opened.append(page))
        yield visit, opened


@pytest.fixture
def visit(browsing: tuple[Visit, list[object]], visitors: tuple[str, list[str]]) -> Iterator[Visit]:
    """The page; nothing of a document's may have happened at the end."""
    visit, opened = browsing
    visit.complaints.clear()
    yield visit
    page = visit.page
    assert page.evaluate("[window.hacked, ({}).hacked]") == [None, None]
    assert [found.evaluate("e => e.outerHTML") for found in page.locator(_FOREIGN).all()] == []
    assert page.evaluate("getComputedStyle(document.body).display") != "none"
    assert page.url.startswith(visit.served.address)
    assert opened == []
    assert visit.complaints == []  # nothing was even tried: the policy had nothing to refuse
    assert visitors[1] == []


def _open(page: Page, name: str) -> None:
    """Open a document's text from the list of documents."""
    found = page.request.get(f"/api/documents?q={name}").json()["documents"]
    page.goto(f"/?doc={found[0]['id']}&view=text")
    expect(page.locator(".text")).to_contain_text(SAFE)


def test_every_format_is_among_them() -> None:
    """But pictures, whose text is recognised where that is installed."""
    suffixes = {suffix_of(name) for name in NAMES}
    for format in FORMATS:
        assert format.is_picture or suffixes & set(format.suffixes), format.name


@pytest.mark.parametrize("name", NAMES)
def test_a_document_s_text_is_only_text(visit: Visit, name: str) -> None:
    page = visit.page
    _open(page, name)
    page.locator(".text").hover()
    page.locator(".text").click()
    outline = page.get_by_role("button", name="Outline")
    if outline.count():
        outline.click()
        expect(page.get_by_role("navigation", name="Outline")).to_be_visible()


def test_a_page_of_a_pdf_is_only_a_picture(visit: Visit) -> None:
    page = visit.page
    page.goto("/?q=How+deep+is+the+harbour%3F&only=portable.pdf")
    expect(page.locator(".sheet img")).to_be_visible()
    expect(page.locator(".box.current")).to_be_visible()
    # Where the PDF has its links.
    page.locator(".sheet").click(position={"x": 150, "y": 110})
    expect(page.locator(".sheet img")).to_be_visible()


def test_answers_passages_titles_and_reasons_are_only_text(visit: Visit) -> None:
    page = visit.page
    page.goto("/?q=How+deep+is+the+harbour%3F&k=10")
    expect(cards(page).first).to_contain_text("nine metres")
    page.get_by_role("button", name="Documents asked").click()
    expect(page.locator(".row-path").filter(has_text="page.html")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("w")
    expect(page.locator(".why-window").first).to_be_visible()


@pytest.mark.parametrize("name", ["page.html", "page.xhtml", "portable.pdf", "text.txt"])
def test_a_file_that_is_opened_by_its_address_is_saved_not_shown(visit: Visit, name: str) -> None:
    page = visit.page
    page.goto("/")
    found = page.request.get(f"/api/documents?q={name}").json()["documents"]
    with page.expect_download() as download:
        page.evaluate("id => { location = `/api/documents/${id}/source` }", found[0]["id"])
    assert download.value.suggested_filename == name
