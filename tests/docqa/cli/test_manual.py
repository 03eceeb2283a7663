"""The manual says what the program does: commands, options, exit codes, defaults, names, links."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

import docqa as package
from docqa.errors import DocQAError
from docqa.ingest.windows import WindowSettings
from tests.docqa.cli.test_cli import commands

DOCS = Path(__file__).parents[3] / "docs"
COMMAND_LINE = (DOCS / "command-line.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "command"), commands())
def test_every_command_and_option_is_in_the_manual(name: str, command: click.Command) -> None:
    assert f"## `{name}`" in COMMAND_LINE
    section = COMMAND_LINE.split(f"## `{name}`", 1)[1].split("\n## ", 1)[0]
    for option in command.params:
        if isinstance(option, click.Option):
            assert any(f"`{name_}" in section for name_ in option.opts), option.opts


def test_the_manual_has_no_option_that_is_not_there() -> None:
    known = {
        name
        for _, command in commands()
        for option in command.params
        for name in (option.opts if isinstance(option, click.Option) else [])
    } | {"--help", "--version", "--verbose"}
    mentioned = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", COMMAND_LINE))
    assert mentioned - known == set()


@pytest.mark.parametrize("code", [0, 1, 2, 3, 130])
def test_every_exit_code_is_in_the_manual(code: int) -> None:
    assert re.search(rf"^\|\s*`?{code}`?\s*\|", COMMAND_LINE, re.MULTILINE)


def test_the_defaults_are_those_of_the_code() -> None:
    text = (DOCS / "how-it-works.md").read_text(encoding="utf-8")
    window = WindowSettings()
    assert str(window.size) in text
    assert str(window.overlap) in text


def test_every_public_name_and_every_error_is_in_the_manual() -> None:
    text = (DOCS / "python-api.md").read_text(encoding="utf-8")
    for name in package.__all__:
        assert name in text, name
        assert getattr(package, name).__doc__, name
    assert all(error.__name__ in text for error in DocQAError.__subclasses__())


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_the_manual_s_list_of_commands_is_that_of_the_code() -> None:
    listed = re.findall(r"^\| \[`(docqa [\w ]+)`\]", COMMAND_LINE, re.MULTILINE)
    assert sorted(listed) == sorted(name for name, _ in commands())
