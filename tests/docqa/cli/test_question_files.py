"""Many questions from a file: what is asked, what is written, and going on after a stop."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from docqa.cli import run
from docqa.cli.question_files import read_questions
from docqa.errors import DataError

QUESTIONS = ["Who is the landlord?", "Who designed the Ariadne rocket?", "When does it end?"]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.conftest import write_documents

    folder = tmp_path_factory.mktemp("many")
    documents = write_documents(folder / "documents")
    assert run(["index", str(documents), "--index", str(folder / "index")]) == 0
    return folder / "index"


def lines_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def asked(file: Path, text: str) -> tuple[list[tuple[str | int, str]], list[tuple[int, str]]]:
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    questions, bad = read_questions(str(file))
    return [(one.id, one.text) for one in questions], [(one.line, one.reason) for one in bad]


def test_each_kind_of_file_is_understood(tmp_path: Path) -> None:
    assert asked(tmp_path / "a.txt", "\ufeffWho?\r\n\n  When? \nWhy") == (
        [(1, "Who?"), (3, "When?"), (4, "Why")],
        [],
    )
    table = 'id,note,question\r\nq1,x,"Who, and\nwhy?"\r\n,y,When?\r\n'
    assert asked(tmp_path / "a.csv", table)[0] == [("q1", "Who, and\nwhy?"), (4, "When?")]
    rows = '{"id": 7, "question": "Who?"}\n\n{"question": "When?"}\n'
    assert asked(tmp_path / "a.jsonl", rows)[0] == [(7, "Who?"), (3, "When?")]


def test_bad_lines_cost_themselves_and_are_named(tmp_path: Path) -> None:
    rows = '{"question": "Who?"}\n{"question\n[1]\n{"id": [], "question": "x"}\n'
    rows += '{"id": 1, "question": "y"}\n'
    questions, bad = asked(tmp_path / "a.jsonl", rows)
    assert questions == [(1, "Who?")]
    assert [line for line, _ in bad] == [2, 3, 4, 5]
    assert "before" in bad[-1][1]
    questions, bad = asked(tmp_path / "a.csv", f"question\nWho?\n{'x' * 200_000}\nWhen?\n")
    assert [text for _, text in questions] == ["Who?", "When?"]
    assert [line for line, _ in bad] == [3]


def test_a_file_of_another_kind_is_a_plain_error(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("frage\nWer?\n")
    with pytest.raises(DataError, match="no column question, but frage"):
        read_questions(str(tmp_path / "a.csv"))
    with pytest.raises(DataError, match="can't be read"):
        read_questions(str(tmp_path / "none.txt"))


def test_answers_are_those_of_single_questions(
    index: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "q.txt").write_text("\n".join(QUESTIONS))
    arguments = ["ask", "--questions", str(tmp_path / "q.txt"), "--index", str(index)]
    assert run([*arguments, "-k", "2"]) == 0
    rows = lines_of(capsys.readouterr().out)
    assert [(row["id"], row["question"]) for row in rows] == list(enumerate(QUESTIONS, 1))
    for question, row in zip(QUESTIONS, rows, strict=True):
        run(["ask", question, "--index", str(index), "-k", "2", "--json"])
        alone = json.loads(capsys.readouterr().out)["answers"]
        assert [one["text"] for one in row["answers"]] == [one["text"] for one in alone]
    assert run([*arguments, "--format", "csv"]) == 0
    table = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["text"] for row in table] == [row["answers"][0]["text"] for row in rows]
    assert table[0]["document"].endswith("lease.txt")


def test_standard_input_is_a_file_of_questions(index: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "docqa", "ask", "-", "--index", str(index)],
        input=b"Who is the landlord?\n\xff\xfe\n",
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1, "one line could not be asked"
    [row] = lines_of(done.stdout.decode())
    assert "Margaret Holloway" in row["answers"][0]["text"]
    assert "line 2: the question is not valid Unicode" in done.stderr.decode()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_a_file_that_was_cut_anywhere_is_gone_on_with(
    index: Path, tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    questions, out = tmp_path / "q.csv", tmp_path / f"answers.{kind}"
    with questions.open("w", newline="") as stream:
        csv.writer(stream).writerows(
            [
                ["id", "question"],
                ["a", QUESTIONS[0]],
                ["b", 'Who "said"\nthat?'],
                ["c", QUESTIONS[1]],
            ]
        )
    arguments = ["ask", "--questions", str(questions), "--out", str(out), "--index", str(index)]
    assert run(arguments) == 0
    whole = out.read_bytes()
    for cut in (0, 3, len(whole) // 3, whole.index(b"that?") - 1, len(whole) - 1, len(whole)):
        out.write_bytes(whole[:cut])
        assert run(arguments) == 0
        assert out.read_bytes() == whole, cut
    capsys.readouterr()
    assert run(arguments) == 0
    assert "3 of 3 questions are answered" in capsys.readouterr().err


def test_what_is_no_file_of_answers_is_left_alone(
    index: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    questions = tmp_path / "q.txt"
    questions.write_text("Who?\n")
    for name, content in {
        "notes.txt": "dear diary",
        "notes.jsonl": "dear diary\n",
        "table.csv": "a,b\n1,2\n",
        "q.jsonl": '{"id": 1, "question": "Who?"}\n',
        "other.jsonl": '{"id": 1, "question": "When?", "answers": []}\n',
    }.items():
        out = tmp_path / name
        out.write_text(content)
        code = run(["ask", "--questions", str(questions), "--out", str(out), "--index", str(index)])
        assert code == 2
        assert "give another --out" in capsys.readouterr().err
        assert out.read_text() == content


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["Who?", "--questions", "q.txt"], "not both"),
        (["Who?", "--out", "a.jsonl"], "have no meaning without --questions"),
        (["--questions", "q.txt", "--json"], "see --format"),
    ],
)
def test_options_that_mean_nothing_together_are_wrong_usage(
    arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["ask", *arguments]) == 2
    assert reason in capsys.readouterr().err


@pytest.mark.slow
def test_ctrl_c_leaves_whole_lines(index: Path, tmp_path: Path) -> None:
    out = tmp_path / "answers.jsonl"
    asking = subprocess.Popen(
        [sys.executable, "-m", "docqa", "ask", "-", "--out", str(out), "--index", str(index)],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert asking.stdin is not None
    for n in range(5000):
        asking.stdin.write(f"Who is the landlord of house {n}?\n".encode())
    asking.stdin.close()
    while not (out.exists() and out.stat().st_size):
        assert asking.poll() is None
        os.sched_yield()
    asking.send_signal(signal.SIGINT)
    assert asking.wait() == 130
    text = out.read_text()
    assert text.endswith("\n")
    assert 0 < len(lines_of(text)) < 5000
