"""DocQA from file to answer, with the shipped models."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from docqa import (
    AnswerSettings,
    BuildOptions,
    DocQA,
    IndexLockedError,
    IndexMismatchError,
    IndexMissingError,
    QuestionError,
    WindowSettings,
)
from docqa.index.lock import writer_lock
from tests.conftest import LEASE

FACTS = [
    ("Who is the landlord?", "Margaret Holloway", "lease.txt"),
    ("When does the lease end?", "28 February 2024", "lease.txt"),
    ("Who may sign a notice?", "managing director", "lease.txt"),
    ("Who designed the Ariadne rocket?", "Jean-Luc Ferrand", "rocket.md"),
    ("What does the second stage burn?", "methane", "rocket.md"),
]


@pytest.fixture
def qa(tmp_path: Path, documents: Path) -> DocQA:
    made = DocQA(tmp_path / "index")
    made.index([documents])
    return made


def test_answers_are_right_and_located(qa: DocQA, documents: Path) -> None:
    for question, words, file in FACTS:
        best = qa.ask(question, top_k=1)[0]
        assert words in best.text
        assert best.document == str(documents / file)
        text = (documents / file).read_text(encoding="utf-8")
        assert text[best.start : best.end] == best.text
        assert best.line is not None
        assert best.text.splitlines()[0] in text.splitlines()[best.line - 1]
        assert best.window[0] <= best.start < best.end <= best.window[1]


def test_many_questions_are_answered_as_one_by_one(qa: DocQA) -> None:
    questions = [question for question, _, _ in FACTS]
    many = qa.ask_many(questions, top_k=1)
    assert [row[0].text for row in many] == [qa.ask(q, top_k=1)[0].text for q in questions]
    assert qa.ask_many([]) == []


def test_search_finds_windows_with_their_places(qa: DocQA, documents: Path) -> None:
    hits = qa.search("How tall is the rocket?", k=1)
    assert [hit.document for hit in hits] == [str(documents / "rocket.md")]
    text = (documents / "rocket.md").read_text(encoding="utf-8")
    assert "54 metres" in text[hits[0].start : hits[0].end]


def test_another_reader_reads_the_same_index(
    tmp_path: Path, documents: Path, qa: DocQA, tiny_reader: Path
) -> None:
    other = DocQA(tmp_path / "index", reader=str(tiny_reader))
    for answer in other.ask("Who is the landlord?", top_k=5):
        assert Path(answer.document).read_text()[answer.start : answer.end] == answer.text


def test_an_open_index_sees_what_is_written_to_it(
    qa: DocQA, documents: Path, tmp_path: Path
) -> None:
    assert qa.ask("Who founded the bakery?", 1)
    writer = DocQA(tmp_path / "index")
    (documents / "bakery.txt").write_text("The bakery was founded by Odile Marchand.")
    writer.index([documents])
    assert "Odile Marchand" in qa.ask("Who founded the bakery?", 1)[0].text
    (documents / "bakery.txt").unlink()
    writer.index([documents])
    assert all("Odile" not in a.text for a in qa.ask("Who founded the bakery?", 3))


def test_threads_may_share_one_object(qa: DocQA) -> None:
    found: dict[str, str] = {}

    def ask(question: str) -> None:
        found[question] = qa.ask(question, 1)[0].text

    threads = [threading.Thread(target=ask, args=[question]) for question, _, _ in FACTS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(words in found[question] for question, words, _ in FACTS)


def test_an_index_that_was_made_anew_is_opened_anew(
    qa: DocQA, documents: Path, tmp_path: Path
) -> None:
    qa.ask("Who is the landlord?")
    for file in (tmp_path / "index").iterdir():
        file.unlink()
    with pytest.raises(IndexMissingError):
        qa.ask("Who is the landlord?")
    (documents / "lease.txt").write_text(LEASE.replace("Margaret Holloway", "Ulrich Baumann"))
    DocQA(tmp_path / "index").index([documents])
    assert "Ulrich Baumann" in qa.ask("Who is the landlord?", 1)[0].text


@pytest.mark.parametrize("question", ["", " \n", "word " * 2000])
def test_questions_that_can_t_be_asked(qa: DocQA, question: str) -> None:
    with pytest.raises(QuestionError):
        qa.ask(question)


@pytest.mark.parametrize(
    "question", ['"', "a OR NOT (", "*", "\u8c01", "'; drop table windows", "?"]
)
def test_questions_are_never_query_syntax(qa: DocQA, question: str) -> None:
    qa.search(question)
    qa.ask(question)


def test_a_long_question_is_asked_of_shorter_windows(qa: DocQA, tmp_path: Path) -> None:
    always = DocQA(tmp_path / "index", settings=AnswerSettings())
    question = (
        "Considering all that is said about rent, notice and signing, " * 12 + "who may sign?"
    )
    assert always.ask(question, 1)


def test_no_index_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(IndexMissingError, match="docqa index"):
        DocQA(tmp_path / "none").ask("Who?")


def test_an_index_with_other_settings_is_refused(qa: DocQA, tmp_path: Path) -> None:
    with pytest.raises(IndexMismatchError, match="windows of 240 tokens"):
        DocQA(tmp_path / "index", window=WindowSettings(64, 16)).ask("Who?")


def test_an_index_of_another_embedder_is_refused(
    qa: DocQA, tmp_path: Path, tiny_reader: Path
) -> None:
    other = DocQA(tmp_path / "index", embedder=str(tiny_reader))
    with pytest.raises(IndexMismatchError, match="made with the embedder"):
        other.search("Who?")


def test_a_second_writer_is_told_to_wait(qa: DocQA, documents: Path, tmp_path: Path) -> None:
    with writer_lock(tmp_path / "index"), pytest.raises(IndexLockedError):
        qa.index([documents])
    with writer_lock(tmp_path / "index"):
        assert qa.ask("Who is the landlord?", 1), "readers go on while another writes"


def test_a_torn_cache_is_mended_with_a_word(
    tmp_path: Path, qa: DocQA, caplog: pytest.LogCaptureFixture
) -> None:
    [file] = (tmp_path / "index").glob("vectors-*")
    file.write_bytes(b"torn")
    assert DocQA(tmp_path / "index").ask("Who is the landlord?", 1)
    assert "rebuilt the vectors' cache" in caplog.text
    assert file.stat().st_size > 1000


def test_an_empty_index_has_no_answers(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    qa = DocQA(tmp_path / "index")
    report = qa.index([tmp_path / "empty"], BuildOptions(workers=1))
    assert (report.windows, report.failed) == (0, [])
    assert qa.ask("Who?") == []
    assert qa.search("Who?") == []


def test_settings_reach_the_choice(tmp_path: Path, qa: DocQA) -> None:
    strict = DocQA(tmp_path / "index", settings=AnswerSettings(null_threshold=float("-inf")))
    assert strict.ask("Who is the landlord?") == []


def test_importing_docqa_is_light() -> None:
    code = (
        "import sys, docqa, docqa.cli; "
        "heavy = {'torch', 'transformers', 'faiss', 'numpy', 'sqlite_utils', 'pypdf', 'rich'}; "
        "print(heavy & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_an_unguarded_script_can_index(tmp_path: Path, documents: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from docqa import DocQA\n"
        f"print(len(DocQA({str(tmp_path / 'index')!r}).index([{str(documents)!r}]).added))\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "2"


def test_an_index_that_is_deleted_while_it_is_asked_is_read_to_the_end(
    qa: DocQA, tmp_path: Path
) -> None:
    with qa._opened.snapshot() as (store, _):
        shutil.rmtree(tmp_path / "index")
        assert qa._opened.embedder(store).dimension == store.settings.dimension
        assert len(store.window_ids()) == 2
