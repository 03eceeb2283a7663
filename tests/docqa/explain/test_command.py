"""docqa explain."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from docqa.cli import run
from tests.docqa.explain.readings import strict_json


def test_explain_of_an_index_in_json(index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    question = "Who is the landlord?"
    assert run(["explain", question, "--index", str(index), "--json"]) == 0
    value = strict_json(capsys.readouterr().out)
    assert run(["ask", question, "--index", str(index), "--json"]) == 0
    assert value["answers"] == json.loads(capsys.readouterr().out)["answers"]
    assert value["windows"][0]["search_rank"] == 1
    assert value["diagnosis"] is None


def test_explain_of_a_file_in_all_forms(
    tmp_path: Path, documents: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page_file = tmp_path / "page.html"
    question = ["Who designed the rocket?", str(documents / "rocket.md")]
    code = run(["explain", *question, "--expected", "jean-luc ferrand", "--html", str(page_file)])
    captured = capsys.readouterr()
    assert code == 0
    assert "Right: “jean-luc ferrand” is the first answer." in captured.out
    assert "«1 \u2039Jean-Luc Ferrand\u203a»" in " ".join(captured.out.split())  # lines are wrapped
    assert captured.err.count("wrote ") == 1
    assert "Jean" in page_file.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["x.txt", "--candidates", "5"], 2, "--candidates has no meaning with a FILE"),
        (["--overlap", "5"], 2, "--overlap has no meaning without a FILE"),
        (["--index", "nowhere"], 3, "make one with: docqa index"),
        (["nowhere.pdf"], 1, "no such file"),
        (["x.txt", "--expected", ""], 2, "expected answer is empty"),
        (["x.txt", "--html", "no/such/folder/x.html"], 1, "No such file"),
    ],
)
def test_errors_say_what_to_do(
    arguments: list[str],
    code: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.txt").write_text("The tenant signs.")
    assert run(["explain", "Who signs?", *arguments]) == code
    captured = capsys.readouterr()
    assert said in captured.err
    assert "Traceback" not in captured.err
