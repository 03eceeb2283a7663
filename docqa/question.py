"""What a question must be before anything is done with it."""

from __future__ import annotations

import re

from docqa.errors import QuestionError

# What stands for a byte that is no UTF-8 (``os.fsdecode``), and halves of surrogate pairs.
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def check_question(question: str) -> None:
    """Refuse what can't be asked of anything.

    Raises:
        QuestionError: the question is empty, or holds what is no text.
    """
    if not question.strip():
        raise QuestionError("the question is empty")
    found = _SURROGATE.search(question)
    if found is not None:
        raise QuestionError(
            f"the question is not valid Unicode: character {found.start() + 1} is a byte that is "
            "not UTF-8, or half of a surrogate pair"
        )
