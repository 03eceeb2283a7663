"""An explanation in the terminal, as a page, as JSON."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from math import inf
from pathlib import Path

import lxml.html
import pytest

from docqa.explain.explanation import Explanation, explain
from docqa.explain.html import page, write_html
from tests.docqa.explain.readings import PLAIN, TEXTS, made, printed, strict_json

HOSTILE = (
    "<script>alert(1)</script> \x1b[2J\x1b]0;owned\x07 \u202egnp.exe $\\frac{ & </style> "
    '<img src="http://evil.example/x"> Ada\xa0wrote 漢字 [bold]it[/bold].\r\n'
)


@pytest.fixture(scope="module")
def hostile() -> Explanation:
    reading = made(
        [HOSTILE, HOSTILE],
        [{"script": 4.0, "漢字": 3.0}, {"x1b": 1.0}],
        path="/d/<b>\x1b[31m{}.txt",
    )
    question = "<script>Who?</script> \x1b[2J $\\frac{"
    reading = replace(reading, question=question)
    return explain(reading, PLAIN, expected="<script>alert(1)</script> \x1b[2J")


def test_documents_can_t_steer_the_terminal(hostile: Explanation) -> None:
    for colours in (True, False):
        shown = printed(
            hostile, force_terminal=colours, color_system="truecolor" if colours else None
        )
        codes = re.findall(r"\x1b.[^a-zA-Z]*[a-zA-Z]", shown)
        assert all(code.endswith("m") and code[1] == "[" for code in codes)
        assert bool(codes) == colours
        assert "\x07" not in shown
        assert "\u202e" not in shown
        assert "[bold]it[/bold]" in shown


def test_the_terminal_s_form_is_clear_without_colours() -> None:
    reading = made(TEXTS, [{"Ada": 4.0}, {"1947": 3.0, "moth": 1.0}])
    shown = printed(explain(reading, PLAIN, top_k=2, expected="1947"))
    assert "«1 Ada»" in shown
    assert "Grace found a «2 moth» in «1 \u20391947\u203a»." in shown
    assert "likeliest starts: Ada" in shown
    assert "Window 2 of 2" in shown
    assert "Another window won" in shown


def test_html_is_whole_and_fetches_nothing_and_runs_nothing(
    hostile: Explanation, tmp_path: Path
) -> None:
    write_html(hostile, tmp_path / "page.html")
    source = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert [file.name for file in tmp_path.iterdir()] == ["page.html"]
    tree = lxml.html.document_fromstring(source)
    tags = {element.tag for element in tree.iter() if isinstance(element.tag, str)}
    assert tags.isdisjoint({"script", "link", "img", "iframe", "object", "base", "a", "form"})
    attributes = {name for element in tree.iter() for name in element.attrib}
    assert attributes <= {
        "lang", "charset", "http-equiv", "content", "name", "class", "style", "title", "dir",
    }  # fmt: skip
    [style] = tree.xpath("//style/text()")
    assert not re.search(r"url|import|http|<", style)
    [policy] = tree.xpath("//meta[@http-equiv]/@content")
    assert "default-src 'none'" in policy
    for number in tree.xpath("//sup"):
        number.drop_tree()
    assert "<script>alert(1)</script>" in tree.find_class("text")[0].text_content()
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e]", source)


def test_html_shows_every_token_with_its_numbers(tiny: Explanation) -> None:
    tree = lxml.html.document_fromstring(page(tiny))
    tokens = tree.xpath("//div[@class='text']//span[@title]")
    assert len(tokens) >= sum(t.start < t.end for w in tiny.windows for t in w.tokens)
    assert all(re.match(r"start .*%.* \(-?\d", token.get("title")) for token in tokens)
    assert len(tree.find_class("best")) == len(tiny.windows) + 1, "and one in the legend"


def test_no_file_is_left_where_writing_fails(hostile: Explanation, tmp_path: Path) -> None:
    (tmp_path / "page.html").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_html(hostile, tmp_path / "page.html")
    assert [file.name for file in tmp_path.iterdir()] == ["page.html"]


def test_json_holds_everything() -> None:
    reading = made(TEXTS, [{"Ada": 4.0}, {}], nulls=[-inf, -inf])
    value = strict_json(json.dumps(explain(reading, PLAIN, expected="1947").to_dict()))
    assert value.keys() == {
        "question", "settings", "answers", "windows_read", "null_score", "windows", "diagnosis",
        "searched", "sentence",
    }  # fmt: skip
    assert value["settings"]["null_threshold"] is None
    assert value["null_score"] is None
    assert value["diagnosis"]["verdict"] == "window"
    assert value["windows"][0]["tokens"][0]["text"] == "Ada"
    assert value["windows"][0]["spans"][0]["answer"] == 1
