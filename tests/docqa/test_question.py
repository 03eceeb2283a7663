"""What can be asked at all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from docqa import DocQA, QuestionError, Reader
from docqa.cli import run
from docqa.question import check_question

BAD = os.fsdecode(b"harbour \xff master")


def test_text_of_any_script_may_be_asked() -> None:
    for question in ("Who?", "\u8c01\u7b7e\u7f72\u4e86\u5408\u540c\uff1f", "\U0001f680", "a\u0301"):
        check_question(question)


@pytest.mark.parametrize("question", ["", " \n\t", "\u3000"])
def test_nothing_can_t_be_asked(question: str) -> None:
    with pytest.raises(QuestionError, match="empty"):
        check_question(question)


@pytest.mark.parametrize("question", [BAD, "half \ud83d of a rocket"])
def test_bytes_that_are_no_text_are_refused_in_words(question: str, tiny_reader: Path) -> None:
    """Fault: a TypeError of the tokenizer, with 40 lines of traceback on the command line."""
    reader = Reader(str(tiny_reader))
    with pytest.raises(QuestionError, match="not valid Unicode: character"):
        reader.read(question, "the tenant signs")
    with pytest.raises(QuestionError, match="not valid Unicode"):
        reader(question=question, context="the tenant signs")


def test_search_refuses_them_before_it_opens_the_index(tmp_path: Path) -> None:
    with pytest.raises(QuestionError, match="character 9 is a byte that is not UTF-8"):
        DocQA(tmp_path / "none").search(BAD)
    with pytest.raises(QuestionError, match="not valid Unicode"):
        DocQA(tmp_path / "none").ask(BAD)


def test_the_command_line_says_so_and_exits_with_2(
    documents: Path, tiny_reader: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(documents / "lease.txt")
    assert run(["read", BAD, file, "--reader", str(tiny_reader)]) == 2
    assert "Error: the question is not valid Unicode" in capsys.readouterr().err


def test_bytes_in_the_arguments_reach_it(documents: Path, tiny_reader: Path) -> None:
    file = os.fsencode(documents / "lease.txt")
    done = subprocess.run(
        [sys.executable.encode(), b"-m", b"docqa", b"read", b"harbour \xff master", file,
         b"--reader", os.fsencode(tiny_reader)],
        capture_output=True, env={**os.environ, "LC_ALL": "C.UTF-8"}, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith(b"Error: the question is not valid Unicode")
    assert b"Traceback" not in done.stderr


def test_such_bytes_in_a_text_do_no_harm(tiny_reader: Path) -> None:
    """Fault: the same TypeError for a context with a lone surrogate."""
    reader, text = Reader(str(tiny_reader)), "the tenant \udcff signs \ud800 the lease"
    for answer in reader.read("who signs?", text):
        assert text[answer.start : answer.end] == answer.text
    found = reader(question="who signs?", context=text)
    assert text[found["start"] : found["end"]] == found["answer"]
