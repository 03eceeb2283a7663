"""The answers to the last question of ``docqa ask``, kept for ``docqa open``.

They lie in one small file of the user's, ``docqa/last.json`` below ``$XDG_STATE_HOME``
(``~/.local/state``), which each question replaces.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from docqa.errors import DataError
from docqa.index.files import replaced

if TYPE_CHECKING:
    from docqa.answer import Answer
    from docqa.evidence import EvidenceSentence


@dataclass(frozen=True, slots=True)
class LastAnswer:
    """Where an answer stands.

    Attributes:
        document, page, line: as of :class:`docqa.Answer`.
    """

    document: str
    page: int | None
    line: int | None


def keep(answers: Sequence[Answer | EvidenceSentence]) -> None:
    """Keep answers as the last ones; where that can't be done, a question is answered all the same.

    Args:
        answers: best first.
    """
    values = [asdict(LastAnswer(one.document, one.page, one.line)) for one in answers]
    file = _file()
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with replaced(file) as part:
            part.touch(mode=0o600)
            part.write_text(json.dumps(values), encoding="ascii")


def last_answer(rank: int) -> LastAnswer:
    """Return an answer to the last question.

    Args:
        rank: from 1.

    Raises:
        DataError: there is none of this rank.
    """
    try:
        answers = [LastAnswer(**value) for value in json.loads(_file().read_text("ascii"))]
    except (OSError, ValueError, TypeError):
        raise DataError('nothing was asked yet: docqa ask "Who may sign?"') from None
    if not 1 <= rank <= len(answers):
        count = f"{len(answers)} answers" if len(answers) != 1 else "1 answer"
        raise DataError(f"the last question has no answer {rank}: it has {count}")
    return answers[rank - 1]


def _file() -> Path:
    state = Path(os.environ.get("XDG_STATE_HOME", ""))
    folder = state if state.is_absolute() else Path.home() / ".local" / "state"
    return folder / "docqa" / "last.json"
