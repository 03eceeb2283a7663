"""Settings in docqa.toml and in the environment: precedence, errors, and what status shows."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest

from docqa.cli import docqa, run
from docqa.cli.configuration import load_defaults


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    return tmp_path


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """What docqa search is called with."""
    values: dict[str, object] = {}
    monkeypatch.setattr(docqa.commands["search"], "callback", lambda **got: values.update(got))
    return values


def test_an_option_comes_before_a_variable_a_variable_before_the_file(
    folder: Path, seen: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def k(*arguments: str) -> object:
        assert run(["search", "x", *arguments]) == 0
        return seen["k"]

    assert k() == 10
    (folder / "docqa.toml").write_text("[all]\nk = 3\n")
    assert k() == 3
    (folder / "docqa.toml").write_text("[all]\nk = 3\n[search]\nk = 4\n")
    assert k() == 4
    monkeypatch.setenv("DOCQA_K", "5")
    assert k() == 5
    monkeypatch.setenv("DOCQA_SEARCH_K", "6")
    assert k() == 6
    assert k("-k", "7") == 7


def test_relative_paths_start_at_the_file_s_folder(folder: Path, seen: dict[str, object]) -> None:
    (folder / "docqa.toml").write_text(
        '[all]\nindex = "my-index"\nin = ["papers", "*.pdf"]\nembedder = "some/name"\n'
    )
    assert run(["search", "x"]) == 0
    assert seen["folder"] == str(folder / "my-index")
    assert seen["places"] == (str(folder / "papers"), "*.pdf", str(folder / "*.pdf"))
    assert seen["embedder"] == "some/name", "no folder of this name is there"


def test_a_file_can_be_named(
    tmp_path: Path, seen: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    named = tmp_path / "elsewhere.toml"
    named.write_text("[search]\nk = 2\n")
    monkeypatch.setenv("DOCQA_CONFIG", str(named))
    assert run(["search", "x"]) == 0
    assert seen["k"] == 2
    named.unlink()
    assert run(["search", "x"]) == 2


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[ask]\ntop_k = 3", '[ask] has no setting "top_k"; did you mean "top-k"?'),
        ("[all]\nindx = 'x'", '[all] has no setting "indx"; did you mean "index"?'),
        ("[serch]\nk = 3", "no command for the table [serch]; did you mean [search]?"),
        ("[eval.open]\nx = 1", '[eval.open] has no setting "x"'),
        ("k = 3", 'the setting "k" stands in no table'),
        ("index = '.docqa'", "index is a table, not a setting"),
        ("[search]\nk = 'many'", 'the setting "k": '),
        ("[search]\njson = 1", 'the setting "json": it must be true or false'),
        ("[search", "is not TOML"),
    ],
)
def test_a_wrong_file_is_an_error_that_says_what_to_do(
    folder: Path, text: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "docqa.toml").write_text(text)
    assert run(["search", "x"]) == 2
    shown = " ".join(capsys.readouterr().err.split())
    assert str(folder / "docqa.toml") in shown
    assert reason in shown


def test_flags_can_be_set(folder: Path) -> None:
    file = folder / "docqa.toml"
    file.write_text("[ask]\nexhaustive = true\njson = true\n")
    assert load_defaults(docqa, file)["ask"] == {"stop_margin": float("inf"), "as_json": True}
    file.write_text("[ask]\nexhaustive = false\n[eval.reader]\nlimit = 5\n")
    defaults = load_defaults(docqa, file)
    assert defaults["ask"] == {"stop_margin": None}
    assert defaults["eval"]["reader"] == {"limit": 5}


def test_a_setting_for_all_commands_is_no_wrong_usage_of_one(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "docqa.toml").write_text("[all]\ncandidates = 5\njson = true\n")
    (folder / "below" / "empty.txt").write_text("")
    assert run(["explain", "Who?", "empty.txt"]) == 1, "read, and found empty"
    assert "no meaning" not in capsys.readouterr().err


def test_status_shows_what_is_set_and_where(
    tmp_path: Path,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "a.txt").write_text("The rent is due in May.")
    assert run(["index", str(tmp_path / "a.txt"), "--index", str(tmp_path / "index")]) == 0
    (folder / "docqa.toml").write_text('[all]\nindex = "index"\n[ask]\ntop-k = 5\n')
    monkeypatch.setenv("DOCQA_ASK_TOP_K", "4")
    monkeypatch.setenv("DOCQA_DEVICE", "cpu")
    capsys.readouterr()
    assert run(["status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["settings"] == [
        {"name": "all.device", "value": "cpu", "source": "DOCQA_DEVICE"},
        {"name": "all.index", "value": "index", "source": str(folder / "docqa.toml")},
        {"name": "ask.top-k", "value": "4", "source": "DOCQA_ASK_TOP_K"},
    ]
    assert run(["status"]) == 0
    assert "ask.top-k = 4 (DOCQA_ASK_TOP_K)" in capsys.readouterr().out


@pytest.mark.slow
def test_verbose_says_what_is_done(tmp_path: Path) -> None:
    import subprocess
    import sys

    (tmp_path / "a.txt").write_text("The rent is due in May.")
    run(["index", str(tmp_path / "a.txt"), "--index", str(tmp_path / "index")])
    asked = ["ask", "When is it due?", "--index", str(tmp_path / "index")]
    for arguments, shown in ((["--verbose", *asked], True), (asked, False)):
        done = subprocess.run(
            [sys.executable, "-m", "docqa", *arguments], capture_output=True, check=True, text=True
        )
        assert ("read 1 windows in" in done.stderr) == shown
        assert "May" in done.stdout


def test_all_options_have_variables_of_their_own() -> None:
    for command in docqa.commands.values():
        for option in command.params:
            if isinstance(option, click.Option):
                assert option.envvar
