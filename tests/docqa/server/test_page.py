"""The page in a real browser, on the real server with the shipped models."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("reportlab", reason="reportlab is missing: pip install reportlab")

from tests.docqa.server.browsing import (
    WIDE,
    Browser,
    Page,
    Serve,
    Served,
    Visit,
    cards,
    chromium,
    expect,
    needs_chromium,
    serving,
    visiting,
)

pytestmark = [needs_chromium, pytest.mark.slow]

RENT = "What is the monthly rent?"
GATE = "What is the password of the harbour gate?"
HEIGHT = "How tall is the rocket?"
_PHONE = {"width": 390, "height": 844}

# Where the PDF says the rent: on its second page, in 12 points, 2,345 euros is what is marked.
_BEFORE, _RENT_WORDS, _AFTER = (
    "The monthly rent is ",
    "2,345 euros",
    " and is due on the third day.",
)
_LEFT, _BASELINE, _POINTS, _LEADING = 72, 560, 12, 15
_PAGE_WIDTH, _PAGE_HEIGHT = 595.28, 841.89

_HOSTILE_NAME = "<img src=x onerror=window.hacked=1>.txt"
_HOSTILE = """\
The harbour <script>window.hacked=1</script>

<style>body{display:none}</style><img src=x onerror="window.hacked=1">
<svg onload="window.hacked=1"></svg><a href="javascript:window.hacked=1">chart</a>

The password of the harbour gate is <b onmouseover="window.hacked=1">mango</b> since 2019.
"""
_ROCKET = """\
# The Ariadne \N{ROCKET} rocket

## Design

It was designed \N{ROCKET} by Jean-Luc Ferrand in 1987. The rocket stands 54 metres tall and carries
eleven tonnes into a low orbit.

## Rent of the launch pad

The monthly rent of the launch pad is 8,100 euros.
"""


def _write_pdf(path: Path) -> None:
    from reportlab.pdfgen.canvas import Canvas

    canvas = Canvas(str(path), pagesize=(_PAGE_WIDTH, _PAGE_HEIGHT))
    canvas.setTitle("Lease of the old mill")
    canvas.bookmarkPage("parties")
    canvas.addOutlineEntry("Parties", "parties")
    canvas.setFont("Helvetica", _POINTS)
    canvas.drawString(_LEFT, 700, "This lease is between Margaret Holloway and the miller.")
    canvas.showPage()
    canvas.bookmarkPage("rent")
    canvas.addOutlineEntry("Rent", "rent")
    canvas.setFont("Helvetica", _POINTS)
    lines = [
        "The miller pays for the use of the mill and of the yard behind it.",
        _BEFORE + _RENT_WORDS + _AFTER,
        "Typography: jogging puppies quietly jump over gaps (of the yard).",
    ]
    for n, line in enumerate(lines):
        canvas.drawString(_LEFT, _BASELINE + _LEADING - n * _LEADING, line)
    canvas.showPage()
    canvas.setFont("Helvetica", _POINTS)
    canvas.drawString(_LEFT, 700, "Signed in York.")
    canvas.save()


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Start servers on one small index, each with the options given."""
    folder = tmp_path_factory.mktemp("served")
    documents = folder / "documents"
    (documents / "contracts").mkdir(parents=True)
    (documents / "notes").mkdir()
    _write_pdf(documents / "contracts" / "lease.pdf")
    (documents / "notes" / "rocket.md").write_text(_ROCKET, encoding="utf-8")
    (documents / "notes" / _HOSTILE_NAME).write_text(_HOSTILE, encoding="utf-8")
    with serving(documents, folder / "index") as start:
        yield start


@pytest.fixture(scope="module")
def served(serve: Serve) -> Served:
    return serve("--allow-changes")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def visit(browser: Browser, served: Served) -> Iterator[Visit]:
    """A page of the server; at the end nothing may have gone wrong in it, or left the server."""
    with browser.new_context(viewport=WIDE) as context:
        visit = visiting(context, served)
        yield visit
        assert visit.complaints == []
        outside = [
            a for a in visit.requests if not a.startswith((served.address, "blob:", "data:"))
        ]
        assert outside == []


@pytest.fixture
def phone(browser: Browser, served: Served) -> Iterator[Visit]:
    with browser.new_context(viewport=_PHONE, has_touch=True) as context:
        visit = visiting(context, served)
        yield visit
        assert visit.complaints == []


def test_an_answer_is_shown_in_its_sentence_with_its_place(visit: Visit) -> None:
    page = visit.ask(RENT)
    first = cards(page).first
    expect(first.locator("mark")).to_have_text(_RENT_WORDS)
    expect(first).to_contain_text(_BEFORE + _RENT_WORDS)
    expect(first.locator(".place")).to_contain_text("Lease of the old mill")
    expect(first.locator(".place")).to_contain_text("p. 2")
    expect(page.locator(".card").first.locator(".sure")).to_have_text(re.compile(r"\d+% sure"))
    expect(page.locator("#announcements")).to_contain_text(_RENT_WORDS)


def _dark_pixels(page: Page) -> np.ndarray[Any, Any]:
    """Return where ink is on the page of the PDF, as the browser shows it, without the boxes."""
    from PIL import Image

    page.evaluate(
        "for (const b of document.querySelectorAll('.box')) b.style.visibility = 'hidden'"
    )
    box = page.locator(".sheet").bounding_box()
    assert box is not None
    clip = {"x": box["x"], "y": box["y"], "width": box["width"], "height": box["height"]}
    picture = Image.open(BytesIO(page.screenshot(clip=clip)))
    return np.asarray(picture.convert("L")) < 128


@pytest.mark.parametrize("zoom", [0, 1, -1])
def test_the_box_lies_over_the_words_and_its_border_cuts_none(visit: Visit, zoom: int) -> None:
    page = visit.ask(RENT)
    expect(page.locator(".box.current")).to_have_count(1)
    for _ in range(abs(zoom)):
        page.keyboard.press("+" if zoom > 0 else "-")
    sheet = page.locator(".sheet").bounding_box()
    found = page.locator(".box.current").bounding_box()
    assert sheet is not None
    assert found is not None
    left, top = found["x"] - sheet["x"], found["y"] - sheet["y"]
    right, bottom = left + found["width"], top + found["height"]
    ink = _dark_pixels(page)

    # Where reportlab put the words, to the pixel.
    from reportlab.pdfbase.pdfmetrics import stringWidth

    scale = sheet["width"] / _PAGE_WIDTH
    begin = (_LEFT + stringWidth(_BEFORE, "Helvetica", _POINTS)) * scale
    end = begin + stringWidth(_RENT_WORDS, "Helvetica", _POINTS) * scale
    rows = slice(
        round((_PAGE_HEIGHT - _BASELINE - 0.75 * _POINTS) * scale),
        round((_PAGE_HEIGHT - _BASELINE + 0.22 * _POINTS) * scale),
    )
    words = np.zeros_like(ink)
    words[rows, round(begin) : round(end)] = ink[rows, round(begin) : round(end)]
    inside = np.zeros_like(ink)
    inside[int(np.ceil(top)) : int(bottom), int(np.ceil(left)) : int(right)] = True
    assert words.sum() > 100
    assert (words & ~inside).sum() == 0
    # Nothing but the words is inside.
    assert (ink & inside & ~words).sum() == 0
    border = np.zeros_like(ink)
    border[int(top) - 1 : int(np.ceil(bottom)) + 1, int(left) - 1 : int(np.ceil(right)) + 1] = True
    assert (ink & border & ~inside).sum() == 0


def test_an_answer_from_a_part_of_the_documents_says_so(visit: Visit) -> None:
    def of_a_part(route: Any) -> None:
        reply = route.fetch()
        value = reply.json()
        value["results"][0]["searched"] = "15/16"
        route.fulfill(response=reply, json=value)

    visit.page.route("**/api/ask", of_a_part)
    page = visit.ask(RENT)
    expect(page.get_by_role("alert")).to_contain_text("15 of 16")
    visit.page.unroute("**/api/ask")


def test_other_answers_of_the_page_are_marked_and_lead_to_theirs(visit: Visit) -> None:
    page = visit.open("?k=10&q=" + RENT.replace(" ", "+"))
    others = page.locator("button.box")
    expect(page.locator(".box.current")).to_have_count(1)
    expect(others.first).to_be_visible()
    name = others.first.get_attribute("aria-label")
    others.first.click()
    expect(page).to_have_url(re.compile(r"n=\d"))
    number = re.findall(r"n=(\d)", page.url)[0]
    assert name is not None
    assert name.startswith(f"Answer {number}")


def test_pages_turn_and_the_address_says_which(visit: Visit) -> None:
    page = visit.ask(RENT)
    expect(page.get_by_label("Page", exact=True).and_(page.locator("input"))).to_have_value("2")
    page.get_by_role("button", name="Next page").click()
    expect(page).to_have_url(re.compile("page=3"))
    expect(page.locator(".sheet")).to_have_attribute("data-page", "3")
    expect(page.get_by_role("button", name="Next page")).to_be_disabled()
    shared = page.url
    page.goto("about:blank")
    page.goto(shared)
    expect(page.locator(".sheet")).to_have_attribute("data-page", "3")
    expect(page.get_by_label("Question", exact=True)).to_have_value(RENT)


def test_the_outline_leads_to_its_pages(visit: Visit) -> None:
    page = visit.ask(RENT)
    page.get_by_role("button", name="Outline").click()
    outline = page.get_by_role("navigation", name="Outline")
    expect(outline.locator("[aria-current]")).to_contain_text("Rent")
    outline.get_by_role("button", name="Parties").click()
    expect(page.locator(".sheet")).to_have_attribute("data-page", "1")


def test_a_text_shows_the_words_marked_also_after_signs_of_two_units(visit: Visit) -> None:
    """Offsets count code points, strings of the browser UTF-16: a rocket is one and two."""
    page = visit.ask(HEIGHT)
    answer = cards(page).first.locator("mark").inner_text()
    assert "54 metres" in answer
    expect(page.locator(".text mark.current")).to_have_text(answer)
    expect(page.locator(".text mark.current")).to_be_in_viewport()
    expect(page.locator(".text .heading").first).to_be_attached()


def test_more_of_a_long_text_comes_where_one_scrolls(visit: Visit) -> None:
    page = visit.open()
    upload_long = "".join(f"Paragraph {n} says nothing of note.\n\n" for n in range(330))
    _upload(page, "long.txt", upload_long + "The lighthouse keeper is called Aurelia Stone.\n")
    page.goto(visit.served.address + "?q=Who+is+the+lighthouse+keeper%3F")
    expect(page.locator(".text mark.current")).to_contain_text("Aurelia Stone")
    expect(page.locator(".text")).not_to_contain_text("Paragraph 2 says")
    before = page.locator(".text").inner_text()
    page.locator(".text-scroll").evaluate("pane => (pane.scrollTop = 0)")
    page.wait_for_function(
        "before => document.querySelector('.text').innerText.length > before + 4000",
        arg=len(before),
    )
    assert page.locator(".text").inner_text().endswith(before)


def _upload(page: Page, name: str, text: str) -> None:
    expect(page.get_by_role("button", name="Add documents")).to_be_visible()
    page.locator("#add-files").set_input_files(
        [{"name": name, "mimeType": "text/plain", "buffer": text.encode()}]
    )
    expect(page.locator(".task.done")).to_contain_text("Added")


def test_filters_limit_the_answers_and_stand_in_the_address(visit: Visit) -> None:
    page = visit.ask(RENT)
    expect(cards(page).first.locator(".place")).to_contain_text("Lease of the old mill")
    page.get_by_role("button", name="Documents asked").click()
    page.get_by_role("button", name="Markdown").click()
    page.keyboard.press("Escape")
    expect(page).to_have_url(re.compile("format=markdown"))
    expect(cards(page).first.locator("mark")).to_have_text("8,100 euros")
    for place in page.locator("#answers .place-document").all():
        assert place.get_attribute("title") == "notes/rocket.md"
    page.get_by_role("button", name="Documents asked").click()
    page.get_by_role("button", name="Ask all documents").click()
    page.get_by_label("Folder").select_option("contracts")
    page.keyboard.press("Escape")
    expect(cards(page).first.locator("mark")).to_have_text(_RENT_WORDS)
    page.get_by_role("button", name="Documents asked").click()
    page.get_by_label("Folder").select_option("")
    page.get_by_label("Ask only The Ariadne").check()
    page.keyboard.press("Escape")
    expect(cards(page).first.locator("mark")).to_have_text("8,100 euros")
    page.reload()
    expect(cards(page).first.locator("mark")).to_have_text("8,100 euros")


def test_back_and_forward_go_through_questions_and_answers(visit: Visit) -> None:
    page = visit.ask(RENT)
    cards(page).nth(1).click()
    expect(page).to_have_url(re.compile("n=2"))
    page.get_by_label("Question", exact=True).fill(HEIGHT)
    page.keyboard.press("Enter")
    expect(cards(page).first).to_contain_text("54 metres")
    page.go_back()
    expect(page.get_by_label("Question", exact=True)).to_have_value(RENT)
    expect(cards(page).nth(1)).to_have_attribute("aria-current", "true")
    page.go_back()
    expect(cards(page).first).to_have_attribute("aria-current", "true")
    page.go_back()
    expect(page.get_by_role("heading", name="Ask your documents")).to_be_visible()
    page.go_forward()
    expect(cards(page).first).to_contain_text(_RENT_WORDS)


def test_everything_can_be_done_with_the_keyboard(visit: Visit) -> None:
    page = visit.open()
    page.keyboard.press("/")
    page.keyboard.type(RENT)
    page.keyboard.press("Enter")
    expect(cards(page).first).to_have_attribute("aria-current", "true")
    page.keyboard.press("ArrowDown")
    expect(cards(page).first).to_be_focused()
    page.keyboard.press("j")
    expect(cards(page).nth(1)).to_be_focused()
    expect(cards(page).nth(1)).to_have_attribute("aria-current", "true")
    page.keyboard.press("k")
    expect(cards(page).first).to_have_attribute("aria-current", "true")
    page.keyboard.press("Enter")
    expect(page.locator(".sheet-scroll")).to_be_focused()
    page.keyboard.press("p")
    expect(page.locator(".sheet")).to_have_attribute("data-page", "1")
    page.keyboard.press("n")
    expect(page.locator(".sheet")).to_have_attribute("data-page", "2")
    page.keyboard.press("Escape")
    expect(cards(page).first).to_be_focused()
    page.keyboard.press("w")
    expect(page.locator(".why-window").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".sheet")).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keyboard")).to_have_count(0)
    page.keyboard.press("d")
    expect(page.get_by_role("dialog", name="Documents")).to_be_visible()


def test_the_explanation_shows_tokens_with_their_probabilities(visit: Visit) -> None:
    page = visit.ask(RENT)
    page.get_by_role("link", name="Why?").first.click()
    expect(page.locator(".why-window").first.locator("mark.current")).to_contain_text("2,345")
    drawn = "[...document.querySelectorAll('.why-text .token')].filter(t => t.style.length).length"
    assert page.evaluate(drawn) > 0
    expect(page.locator(".why tbody td.span-words").first).to_contain_text(_RENT_WORDS)


def test_an_answer_is_copied_with_its_citation(visit: Visit) -> None:
    visit.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = visit.ask(RENT)
    page.get_by_role("button", name="Copy").first.click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == f"“{_RENT_WORDS}”, Lease of the old mill, p. 2"


def test_a_dropped_document_is_added_and_can_be_asked(visit: Visit) -> None:
    page = visit.open()
    expect(page.get_by_role("button", name="Add documents")).to_be_visible()
    dropped = page.evaluate_handle(
        """() => {
          const files = new DataTransfer();
          const text = "The bakery in Elm Street opens at 6:15 on weekdays.";
          files.items.add(new File([text], "bakery.txt", { type: "text/plain" }));
          return files;
        }"""
    )
    page.dispatch_event("body", "dragenter", {"dataTransfer": dropped})
    expect(page.get_by_text("Drop documents to add them")).to_be_visible()
    page.dispatch_event("body", "drop", {"dataTransfer": dropped})
    expect(page.locator(".task.done")).to_contain_text("bakery.txt")
    page.get_by_label("Question", exact=True).fill("When does the bakery open?")
    page.keyboard.press("Enter")
    expect(cards(page).first.locator("mark")).to_contain_text("6:15")


def test_nothing_in_a_document_is_run_loaded_or_drawn(visit: Visit) -> None:
    page = visit.ask(GATE)
    expect(cards(page).first).to_contain_text("mango")
    expect(page.locator(".text")).to_contain_text("<script>window.hacked=1</script>")
    expect(page.locator(".text")).to_contain_text("<style>body{display:none}</style>")
    expect(page.locator(".document-path")).to_contain_text(_HOSTILE_NAME)
    page.get_by_role("button", name="Documents asked").click()
    expect(page.locator(".row-path").filter(has_text="onerror")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("w")
    expect(page.locator(".why-window").first).to_be_visible()
    expect(
        page.locator("main :is(script, style, iframe, object, svg[onload], img:not(.sheet img))")
    ).to_have_count(0)
    assert page.evaluate("window.hacked") is None
    assert page.locator("a[href^='javascript:']").count() == 0


def _without_answers(route: Any) -> None:
    """Answer a question for the server as if the documents held no answer."""
    answer = route.fetch()
    body = answer.json()
    for result in body["results"]:
        result["answers"] = []
    route.fulfill(response=answer, json=body)


def test_where_there_is_no_answer_the_nearest_passages_are_shown(visit: Visit) -> None:
    visit.page.route("**/api/ask", _without_answers)
    page = visit.ask(RENT)
    expect(page.get_by_role("heading", name="No answer in these documents")).to_be_visible()
    expect(cards(page).first).to_have_attribute("aria-current", "true")
    expect(page.locator("#document")).to_contain_text(re.compile("lease.pdf|rocket.md"))


def test_a_passage_is_marked_on_its_page(visit: Visit) -> None:
    """Where there was no answer, the nearest passage's page was shown without a mark."""
    visit.page.route("**/api/ask", _without_answers)
    page = visit.ask("the miller pays for the use of the mill and of the yard")
    cards(page).filter(has_text="yard behind it").first.click()
    lines = page.locator(".sheet .passage .line")
    expect(lines).to_have_count(1)  # the passage begins on the first page
    page.get_by_role("button", name="Next page").click()
    expect(page.locator(".sheet")).to_have_attribute("data-page", "2")
    expect(lines).to_have_count(3)
    expect(lines.first).to_be_in_viewport()
    sheet = page.locator(".sheet").bounding_box()
    rent = lines.nth(1).bounding_box()
    assert sheet is not None
    assert rent is not None
    points = _PAGE_WIDTH / sheet["width"]
    assert abs((rent["x"] - sheet["x"]) * points - _LEFT) < 2
    middle = (rent["y"] + rent["height"] / 2 - sheet["y"]) * points
    assert abs(middle - (_PAGE_HEIGHT - _BASELINE - 0.25 * _POINTS)) < 3


def test_an_error_is_said_and_the_question_can_be_asked_again(
    browser: Browser, served: Served
) -> None:
    with browser.new_context(viewport=WIDE) as context:
        visit = visiting(context, served)
        visit.page.route("**/api/ask", lambda route: route.abort())
        page = visit.open("?q=" + RENT.replace(" ", "+"))
        expect(page.get_by_role("alert")).to_contain_text("cannot be reached")
        page.unroute("**/api/ask")
        page.get_by_role("button", name="Try again").click()
        expect(cards(page).first).to_contain_text(_RENT_WORDS)


def test_the_token_is_asked_for_once_and_goes_with_every_request(
    browser: Browser, serve: Serve, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text("open-sesame-1234567890\n", encoding="utf-8")
    token.chmod(0o600)
    guarded = serve("--token-file", str(token))
    with browser.new_context(viewport=WIDE) as context:
        visit = visiting(context, guarded)
        page = visit.open("?q=" + RENT.replace(" ", "+"))
        dialog = page.get_by_role("dialog", name="This server asks for a token")
        dialog.get_by_label("Token").fill("wrong")
        page.keyboard.press("Enter")
        expect(dialog).to_contain_text("refused")
        dialog.get_by_label("Token").fill("open-sesame-1234567890")
        page.keyboard.press("Enter")
        expect(cards(page).first).to_contain_text(_RENT_WORDS)
        expect(page.locator(".sheet img")).to_be_visible()
        assert page.evaluate("document.querySelector('.sheet img').naturalWidth") > 0
        assert page.evaluate("localStorage.length") == 0
        page.reload()
        expect(cards(page).first).to_contain_text(_RENT_WORDS)


def test_a_phone_shows_the_answers_then_the_document(phone: Visit) -> None:
    page = phone.ask(RENT)
    expect(page.locator("#document")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= _PHONE["width"]
    cards(page).first.click()
    expect(page.locator(".box.current")).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth") <= _PHONE["width"]
    page.get_by_role("button", name="Back to the answers").click()
    expect(page.locator("#document")).to_be_hidden()
    expect(cards(page).first).to_be_visible()


def test_the_theme_is_the_systems_until_another_is_chosen(browser: Browser, served: Served) -> None:
    with browser.new_context(viewport=WIDE, color_scheme="dark") as context:
        page = visiting(context, served).open()
        dark = "getComputedStyle(document.body).backgroundColor"
        before = page.evaluate(dark)
        page.get_by_role("button", name="Switch to light colours").click()
        after = page.evaluate(dark)
        assert before != after
        page.reload()
        assert page.evaluate(dark) == after


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(browser: Browser, served: Served, scheme: Any) -> None:
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe-playwright-python is missing"
    ).Axe()

    def check(page: Page, where: str) -> None:
        found = axe.run(page).response["violations"]
        serious = [
            (where, fault["id"], [node["html"][:200] for node in fault["nodes"][:3]])
            for fault in found
            if fault["impact"] in ("serious", "critical")
        ]
        assert serious == []

    with browser.new_context(
        viewport=WIDE, color_scheme=scheme, reduced_motion="reduce"
    ) as context:
        visit = visiting(context, served)
        page = visit.open()
        expect(page.locator(".facts")).to_be_visible()
        check(page, "the first look")
        visit.ask(RENT)
        expect(page.locator(".box.current")).to_be_visible()
        page.get_by_role("button", name="Outline").click()
        check(page, "a page of a PDF")
        page.get_by_role("link", name="Text", exact=True).click()
        expect(page.locator(".text mark.current")).to_be_visible()
        check(page, "the text")
        page.keyboard.press("w")
        expect(page.locator(".why-window").first).to_be_visible()
        check(page, "the explanation")
        page.keyboard.press("?")
        check(page, "the keys")
        page.keyboard.press("Escape")
        page.keyboard.press("d")
        expect(page.locator(".row").first).to_be_visible()
        check(page, "the documents")
