"""Many questions in a file, and their answers in another, gone on with after a stop."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from docqa.errors import DataError

if TYPE_CHECKING:
    from docqa.qa import Result

AnswerFormat = Literal["jsonl", "csv"]
STANDARD_INPUT = "-"
# CSV holds the best answer of a question: a row is a question, so that no half of one is taken
# for the whole.
_OF_ANSWER = (
    "text", "document", "page", "line", "start", "end", "score", "confidence", "probability",
    "doubtful",
)  # fmt: skip
_COLUMNS = ("id", "question", *_OF_ANSWER)


@dataclass(frozen=True, slots=True)
class FileQuestion:
    """A question of a file.

    Attributes:
        line: of the file, from 1.
        id: as the file has it; the line's number where it has none.
        text: the question.
    """

    line: int
    id: str | int
    text: str


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line of a file of questions that holds none.

    Attributes:
        line: its number, from 1.
        reason: why it can't be asked.
    """

    line: int
    reason: str


def read_questions(file: str) -> tuple[list[FileQuestion], list[BadLine]]:
    """Return the questions of a file, and the lines that could not be understood.

    A file whose name ends in ``.csv`` has a column ``question``, and may have one ``id``; a line of
    a ``.jsonl`` is an object with the same keys; of any other file, each line is a question. Empty
    lines are passed over.

    Args:
        file: a path, or ``-`` for standard input, a question a line.

    Raises:
        DataError: the file can't be read, or is a CSV without a column ``question``.
    """
    try:
        data = sys.stdin.buffer.read() if file == STANDARD_INPUT else Path(file).read_bytes()
    except OSError as error:
        raise DataError(f"{file} can't be read: {error.strerror or error}") from error
    # What is no UTF-8 costs its own line: no question may hold such characters.
    text = data.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
    suffix = Path(file).suffix.lower()
    if suffix == ".csv":
        found = _csv_lines(text, file)
    elif suffix in (".jsonl", ".ndjson"):
        found = map(_json_line, *_numbered(text))
    else:
        found = map(_plain_line, *_numbered(text))
    questions, bad, seen = [], [], set()
    for one in found:
        if isinstance(one, FileQuestion) and str(one.id) in seen:
            one = BadLine(one.line, f"the id {one.id} was there before")
        if isinstance(one, BadLine):
            bad.append(one)
        else:
            seen.add(str(one.id))
            questions.append(one)
    return questions, bad


def _numbered(text: str) -> tuple[list[int], list[str]]:
    """Return the numbers and the contents of the lines that are not empty."""
    lines = [(n, line.strip()) for n, line in enumerate(text.split("\n"), 1)]
    lines = [(n, line) for n, line in lines if line]
    return [n for n, _ in lines], [line for _, line in lines]


def _plain_line(number: int, line: str) -> FileQuestion | BadLine:
    return FileQuestion(number, number, line)


def _json_line(number: int, line: str) -> FileQuestion | BadLine:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        return BadLine(number, f"not JSON: {error}")
    if not isinstance(value, dict) or not isinstance(value.get("question"), str):
        return BadLine(number, 'no object with a text under "question"')
    id_ = value.get("id", number)
    if isinstance(id_, bool) or not isinstance(id_, (str, int)):
        return BadLine(number, "its id is neither a text nor a whole number")
    return FileQuestion(number, id_, value["question"])


def _csv_lines(text: str, file: str) -> Iterator[FileQuestion | BadLine]:
    lines_read = 0

    def lines() -> Iterator[str]:
        nonlocal lines_read
        for line in io.StringIO(text, newline=""):
            lines_read += 1
            yield line

    rows = csv.reader(lines())
    names: list[str] | None = None
    while True:
        first_line = lines_read + 1
        try:
            row = next(rows)
        except StopIteration:
            break
        except csv.Error as error:
            yield BadLine(first_line, str(error))
            continue
        if not row:
            continue
        if names is None:
            names = row
            if "question" not in names:
                break
            continue
        values = dict(zip(names, row, strict=False))
        if question := values.get("question", "").strip():
            yield FileQuestion(first_line, values.get("id") or first_line, question)
        else:
            yield BadLine(first_line, "no question")
    if names is None or "question" not in names:
        raise DataError(f"{file} has no column question, but {', '.join(names or ['none'])}")


class AnswerFile:
    """Where answers go, a line or row a question, each written whole; a context manager.

    A file that is there is gone on with: a torn end is cut, and :attr:`answered` says what it
    holds.

    Args:
        file: its path; None for standard output.
        kind: the format; by the file's name if not given.

    Raises:
        DataError: the file can't be opened, or holds something else.
    """

    def __init__(self, file: str | None, kind: AnswerFormat | None) -> None:
        by_name: AnswerFormat = "csv" if file and file.lower().endswith(".csv") else "jsonl"
        self._kind = kind or by_name
        self.answered: dict[str, str] = {}  # ids to questions
        self._name = file
        if file is None:
            self._stream: BinaryIO = sys.stdout.buffer
            self._begin()
            return
        try:
            # Unbuffered: a line is one call of the system, which Ctrl-C does not part.
            self._stream = open(file, "a+b", buffering=0)  # noqa: SIM115, PTH123
            self._go_on()
        except OSError as error:
            raise DataError(f"{file} can't be written: {error.strerror or error}") from error

    def __enter__(self) -> AnswerFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if self._name is not None:
            self._stream.close()

    def _begin(self) -> None:
        if self._kind == "csv":
            self._write(_csv_row(_COLUMNS))

    def _go_on(self) -> None:
        """Cut what a kill has torn, and find out what is there."""
        self._stream.seek(0)
        data = self._stream.read()
        whole = _whole_lines(data, quoted=self._kind == "csv")
        try:
            self.answered = _answered(data[:whole].decode("utf-8"), self._kind)
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"{self._name} is there and holds something else than answers of docqa as "
                f"{self._kind}; give another --out"
            ) from error
        if not whole and data:
            self._refuse_foreign(data)
        if whole < len(data):
            self._stream.truncate(whole)
        self._stream.seek(0, os.SEEK_END)
        if not whole:
            self._begin()

    def _refuse_foreign(self, data: bytes) -> None:
        begins = b'{"id": ' if self._kind == "jsonl" else _csv_row(_COLUMNS)
        if not (data.startswith(begins) or begins.startswith(data)):
            raise DataError(f"{self._name} is there and holds something else; give another --out")

    def check(self, question: FileQuestion) -> bool:
        """Return whether a question is answered already.

        Raises:
            DataError: another one is, under its id.
        """
        there = self.answered.get(str(question.id))
        if there is not None and there != question.text:
            raise DataError(
                f"{self._name} holds the answer to another question under the id {question.id} "
                f"({there!r}); give another --out"
            )
        return there is not None

    def write(self, question: FileQuestion, result: Result) -> None:
        """Write the answers to a question, whole."""
        if self._kind == "jsonl":
            value = {
                "id": question.id,
                "question": question.text,
                "answers": [answer.to_dict() for answer in result.answers],
                **evidence_json(result),
                "windows_read": result.windows_read,
                **({} if result.searched.is_whole else {"searched": str(result.searched)}),
                "language_note": result.language_note and result.language_note.to_dict(),
            }
            self._write(json.dumps(value).encode() + b"\n")
            return
        best = result.answers[0].to_dict() if result.answers else {}
        self._write(_csv_row([question.id, question.text, *map(best.get, _OF_ANSWER)]))

    def _write(self, line: bytes) -> None:
        self._stream.write(line)
        self._stream.flush()


def evidence_json(result: Result) -> dict[str, Any]:
    """Return the sentences of a result for JSON; nothing where none were asked for or found."""
    if not result.evidence:
        return {}
    return {"evidence": [sentence.to_dict() for sentence in result.evidence]}


def _csv_row(values: Sequence[Any]) -> bytes:
    row = io.StringIO()
    csv.writer(row).writerow(values)
    return row.getvalue().encode("utf-8", "backslashreplace")  # names that are no UTF-8


def _whole_lines(data: bytes, quoted: bool) -> int:
    """Return where the last whole line ends; the end of a line inside quotes is none."""
    end = len(data)
    while (end := data.rfind(b"\n", 0, end) + 1) and quoted and data.count(b'"', 0, end) % 2:
        end -= 1
    return end


def _answered(text: str, kind: AnswerFormat) -> dict[str, str]:
    """Return the questions that a file of answers holds, by their ids."""
    if kind == "jsonl":
        values = [json.loads(line) for line in text.split("\n") if line]
        if any(not isinstance(value["answers"], list) for value in values):
            raise ValueError("no answers")
        return {str(value["id"]): str(value["question"]) for value in values}
    rows = csv.reader(io.StringIO(text, newline=""))
    header = next(rows, None)
    if header not in (None, list(_COLUMNS)):
        raise ValueError("another header")
    return {row[0]: row[1] for row in rows if len(row) == len(_COLUMNS)}
