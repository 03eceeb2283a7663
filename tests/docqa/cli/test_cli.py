"""The command line as scripts and people meet it."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import click
import pytest

from docqa.cli import docqa, run
from docqa.cli.show import print_answer, printable


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.conftest import write_documents

    folder = tmp_path_factory.mktemp("cli")
    documents = write_documents(folder / "documents")
    assert run(["index", str(documents), "--index", str(folder / "index")]) == 0
    return folder / "index"


def as_json(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The one JSON document on stdout."""
    value = json.loads(capsys.readouterr().out)
    assert isinstance(value, dict)
    return value


def commands(group: click.Group = docqa, name: str = "docqa") -> list[tuple[str, click.Command]]:
    found = []
    for command in group.commands.values():
        full = f"{name} {command.name}"
        if isinstance(command, click.Group):
            found += commands(command, full)
        else:
            found.append((full, command))
    return found


@pytest.mark.parametrize(("name", "command"), commands())
def test_every_command_has_help_with_an_example(
    name: str, command: click.Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*name.split()[1:], "--help"]) == 0
    shown = capsys.readouterr().out
    assert f"Example:\n    {name} " in shown or f"Example:\n    {name}\n" in shown
    assert all(option.help for option in command.params if isinstance(option, click.Option)), (
        "each option says what it does"
    )


def test_ask_gives_one_json_document(index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["ask", "Who is the landlord?", "--index", str(index), "--top-k", "2", "--json"])
    value = as_json(capsys)
    assert code == 0
    assert value.keys() == {
        "question", "answers", "windows_read", "searched", "language_note", "timings_ms",
    }  # fmt: skip
    assert value["searched"] == "1/1"
    assert value["timings_ms"].keys() == {"retrieve", "read", "total"}
    assert len(value["answers"]) == 2
    best = value["answers"][0]
    assert best.keys() == {
        "text", "score", "confidence", "probability", "document", "start", "end", "page",
        "page_start", "page_end", "line", "context", "context_start", "context_end", "window",
        "title", "heading_path", "column", "also", "doubtful",
    }  # fmt: skip
    assert "Margaret Holloway" in best["text"]
    assert best["context"][best["context_start"] : best["context_end"]] == best["text"]
    text = Path(best["document"]).read_text(encoding="utf-8")
    assert text[best["start"] : best["end"]] == best["text"]


def test_ask_shows_answer_sentence_file_and_probability(
    index: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["ask", "Who is the landlord?", "--index", str(index), "-k", "1"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("1. Margaret Holloway\n")
    assert "This lease is between Margaret Holloway, the landlord, and the tenant." in shown
    assert "lease.txt, line 1," in shown
    assert re.search(r"\(\d+% sure\)", shown)


def test_ask_shows_the_sentences_that_answer(
    index: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    question = ["ask", "How can the lease be ended early?", "--index", str(index), "--evidence"]
    sentence = "Either side may end it earlier with a notice period of ninety days."
    assert run(question) == 0
    assert f"1. {sentence}\n" in capsys.readouterr().out
    assert run([*question, "--sentences", "2", "--json"]) == 0
    [best, second] = as_json(capsys)["evidence"]
    assert best["text"] == sentence
    assert best["share"] >= second["share"]
    text = Path(best["document"]).read_text(encoding="utf-8")
    assert text[best["start"] : best["end"]] == sentence


def test_no_answer_is_a_plain_sentence(index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["ask", "Who?", "--index", str(index), "--null-threshold", "-1000"]
    assert run(arguments) == 0
    assert "no answer" in capsys.readouterr().out
    assert run([*arguments, "--json"]) == 0
    assert as_json(capsys)["answers"] == []


def test_a_question_in_another_language_is_said_beside_the_answers(
    index: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["Wer darf den Mietvertrag unterschreiben?", "--index", str(index)]
    said = "The question seems to be in German; the reader reads English."
    assert run(["ask", *arguments, "--null-threshold", "-1000"]) == 0
    shown = capsys.readouterr()
    assert "no answer" in shown.out
    assert shown.err.startswith(said)
    assert run(["ask", *arguments, "--json"]) == 0
    note = as_json(capsys)["language_note"]
    assert note["question"] == "de"
    assert note["text"].startswith(said)


def test_index_reports_in_json(
    tmp_path: Path, documents: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (documents / "broken.pdf").write_bytes(b"%PDF-1.4")
    code = run(["index", str(documents), "--index", str(tmp_path / "index"), "--json"])
    value = as_json(capsys)
    assert code == 1, "something failed"
    assert value["documents"] == {
        "added": 2,
        "changed": 0,
        "unchanged": 0,
        "removed": 0,
        "stale": 0,
    }
    assert [one.keys() for one in value["failed"]] == [{"path", "error", "passing"}]
    assert value["windows"] == 2
    assert value["seconds"] > 0


def test_search_status_and_verify_in_json(index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["search", "landlord", "-k", "1", "--index", str(index), "--json"]) == 0
    [hit] = as_json(capsys)["hits"]
    assert hit.keys() == {
        "document", "start", "end", "page", "score", "prominence", "copies", "text",
    }  # fmt: skip
    assert run(["status", "--index", str(index), "--json"]) == 0
    status = as_json(capsys)
    assert (status["documents"], status["windows"], status["failures"]) == (2, 2, [])
    assert run(["verify", "--index", str(index), "--json"]) == 0
    assert as_json(capsys)["problems"] == []
    for command in ("status", "verify", "search landlord"):
        assert run([*command.split(), "--index", str(index)]) == 0
        assert capsys.readouterr().out


def test_status_counts_what_is_there_when_a_file_vanishes_under_it(
    tmp_path: Path, documents: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Fault: a cache that another process replaced meanwhile ended it in a traceback."""
    index = tmp_path / "index"
    run(["index", str(documents), "--index", str(index)])
    (index / "vectors-gone.faiss").symlink_to(tmp_path / "nowhere")  # listed, and not there
    capsys.readouterr()
    assert run(["status", "--index", str(index), "--json"]) == 0
    assert as_json(capsys)["bytes"] >= (index / "docqa.db").stat().st_size


def test_forget_removes_files_and_says_which(
    tmp_path: Path, documents: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index = str(tmp_path / "index")
    run(["index", str(documents), "--index", index])
    lease, rocket = str(documents / "lease.txt"), str(documents / "rocket.md")
    assert run(["forget", lease, str(tmp_path / "nowhere"), "--index", index]) == 2
    assert "holds nothing under" in capsys.readouterr().err
    assert run(["forget", lease, "--index", index, "--json"]) == 0
    assert as_json(capsys) == {"forgotten": [lease]}
    assert run(["forget", str(documents), "--index", index]) == 0
    shown = capsys.readouterr().out
    assert "rocket.md" in shown
    assert "1 file removed" in shown
    assert Path(rocket).exists()
    assert run(["forget", rocket, "--index", str(tmp_path / "none")]) == 3


def test_verify_says_what_is_wrong(
    tmp_path: Path, documents: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["index", str(documents), "--index", str(tmp_path / "index")])
    (documents / "lease.txt").write_text("changed")
    assert run(["verify", "--index", str(tmp_path / "index")]) == 1
    assert "has changed since it was indexed" in capsys.readouterr().out


def test_read_needs_no_index(documents: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(documents / "rocket.md")
    assert run(["read", "Who designed the rocket?", file, "--json", "-k", "1"]) == 0
    value = as_json(capsys)
    assert "Jean-Luc Ferrand" in value["answers"][0]["text"]
    assert value["windows_read"] == 1
    assert run(["read", "Who designed the rocket?", file]) == 0
    assert "Jean-Luc Ferrand" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["ask", "Who?", "--index", "nowhere"], 3, "make one with: docqa index"),
        (["status", "--index", "nowhere"], 3, "no index"),
        (["verify", "--index", "nowhere"], 3, "no index"),
        (["ask", "Who?", "--top-k", "0"], 2, "--top-k"),
        (["ask"], 2, "give a question"),
        (["frobnicate"], 2, "No such command"),
        (["index"], 2, "PATHS"),
        (["index", "nowhere.pdf", "--index", "made"], 1, "no such file"),
        (["index", ".", "--window-size", "64", "--overlap", "60"], 2, "overlap"),
        (["read", "Who?", "nowhere.pdf"], 1, "no such file"),
        (["read", "", "x.txt"], 2, "question is empty"),
        (["read", "Who?", "x.txt", "--reader", "./none"], 2, "no such model folder"),
        (["read", "Who?", "x.txt", "--device", "warp"], 2, "warp"),
        (["eval", "reader", "nowhere.json"], 2, "can't read"),
        (["eval", "open", "x.txt"], 2, "SQuAD"),
    ],
)
def test_errors_say_what_to_do_and_have_their_exit_codes(
    arguments: list[str],
    code: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", open(os.devnull))  # noqa: PTH123, SIM115
    Path("x.txt").write_text("The tenant signs.")
    assert run(arguments) == code
    captured = capsys.readouterr()
    assert said in captured.err
    assert "Traceback" not in captured.err
    assert "Error" in captured.err or "failed" in captured.err


def squad_file(folder: Path) -> Path:
    context = "The treaty was signed by Lucia Ferretti in Trieste. It has nine articles."
    answers = [{"text": "Lucia Ferretti", "answer_start": context.index("Lucia")}]
    qas = [
        {"id": "1", "question": "Who signed the treaty?", "answers": answers},
        {"id": "2", "question": "Who signed it?", "answers": answers},
    ]
    paragraphs = [{"context": "Rain fell on the hills all day.", "qas": []},
                  {"context": context, "qas": qas}]  # fmt: skip
    file = folder / "squad.json"
    file.write_text(json.dumps({"data": [{"title": "T", "paragraphs": paragraphs}]}))
    return file


def test_eval_in_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = str(squad_file(tmp_path))
    assert run(["eval", "reader", data, "--json"]) == 0
    value = as_json(capsys)
    assert (value["questions"], value["exact_match"], value["f1"]) == (2, 100.0, 100.0)
    assert value["ms_per_question"] > 0
    assert run(["eval", "open", data, "--limit", "1", "--json"]) == 0
    value = as_json(capsys)
    assert value["questions"] == 1
    shares = [value[name] for name in ("recall@1", "recall@5", "recall@10", "right_document")]
    assert shares == [1.0] * 4
    assert run(["eval", "reader", data]) == 0
    assert "exact match" in capsys.readouterr().out


def test_documents_can_t_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    from docqa.answer import Answer
    from docqa.ingest.document import Document

    text = "Alarm \x1b[2J\x1b]0;owned\x07 rings \u202egnp.exe in hall nine."
    document = Document("/d/\x1b[31mred\n.txt", "text", text, (), "", 0, 0)
    print_answer(1, Answer.from_span(document, 0, len(text), (0, len(text)), 1.0, 0.5))
    shown = capsys.readouterr().out
    assert "\x1b[2J" not in shown
    assert "\x07" not in shown
    assert "\u202e" not in shown
    assert printable("a\udcff\n") == "a\\udcff\\n"


def test_help_loads_no_library_that_computes() -> None:
    code = (
        "import sys; from docqa.cli import run; run(['--help'])\n"
        "sys.exit(any(name in sys.modules for name in ('torch', 'numpy', 'faiss', 'tokenizers')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.slow
def test_a_prompt_asks_on_and_keeps_the_models(index: Path) -> None:
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "docqa", "ask", "--index", str(index), "-k", "1"],
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    os.close(terminal)
    os.write(controller, b"Who is the landlord?\nWho designed the rocket?\n\n")
    out, _ = process.communicate()
    os.close(controller)
    assert process.returncode == 0
    assert b"Margaret Holloway" in out
    assert b"Jean-Luc Ferrand" in out


@pytest.mark.slow
def test_ctrl_c_leaves_the_index_whole(tmp_path: Path) -> None:
    documents, index = tmp_path / "documents", tmp_path / "index"
    documents.mkdir()
    for n in range(150):
        (documents / f"{n}.txt").write_text(f"The lease number {n} ends in May. " * 20)
    arguments = ["index", str(documents), "--index", str(index)]
    arguments += ["--window-size", "16", "--overlap", "0"]
    process = subprocess.Popen(
        [sys.executable, "-m", "docqa", *arguments],
        stderr=subprocess.PIPE,
        text=True,
        # What runs in a shell's background ignores Ctrl-C, and its children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    while process.poll() is None and not _documents(index):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, shown = process.communicate()
    assert process.returncode == 130
    assert "what was finished is kept" in shown
    assert 0 < _documents(index) < 150
    assert run(arguments) == 0
    assert _documents(index) == 150
    assert run(["verify", "--index", str(index)]) == 0


def _documents(index: Path) -> int:
    from docqa import StorageError
    from docqa.index.store import Store

    try:
        with Store.open(index) as store:
            return store.counts()["documents"]
    except StorageError:
        return 0


@pytest.mark.parametrize("command", ["ask", "search", "explain"])
@pytest.mark.parametrize("only", [["--in", "*.md"], ["--document", "DOCUMENTS/rocket.md"]])
def test_a_filter_limits_what_is_looked_into(
    index: Path, command: str, only: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    only = [part.replace("DOCUMENTS", str(index.parent / "documents")) for part in only]
    arguments = [command, "Who is the landlord?", "--index", str(index), "--json", *only]
    assert run(arguments) == 0
    shown = capsys.readouterr().out
    assert "lease.txt" not in shown
    if command == "search":
        assert "rocket.md" in shown


def test_a_filter_that_lets_nothing_through_is_wrong_usage(
    index: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["ask", "Who?", "--index", str(index), "--in", "/nowhere"]) == 2
    assert "no document within /nowhere" in capsys.readouterr().err


def test_a_filter_has_no_meaning_for_a_file_read_whole(
    index: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lease = str(index.parent / "documents" / "lease.txt")
    assert run(["explain", "Who?", lease, "--in", "x"]) == 2
    assert "--in has no meaning with a FILE" in capsys.readouterr().err
