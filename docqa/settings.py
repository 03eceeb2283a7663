"""All settings of asking, with their defaults, in one place.

A call that wants another value replaces the whole object:
``dataclasses.replace(settings, max_answer_tokens=10)``.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict, dataclass
from math import isfinite, isnan
from pathlib import Path
from typing import Any

from docqa.index.errors import ModelError
from docqa.index.files import replaced
from docqa.ranking.probability import Platt

DEFAULT_INDEX = ".docqa"
DEFAULT_READER = str(Path(__file__).parent / "models" / "reader")
# The file in a reader's folder that holds the settings chosen for it.
READER_SETTINGS = "docqa.json"

_LANGUAGE = re.compile("[a-z]{2,3}")
_WEIGHTS = ("prior_weight", "null_weight", "length_weight")


@dataclass(frozen=True, slots=True)
class AnswerSettings:
    """How a reader's logits become answers.

    A reader's folder may hold its own in ``docqa.json``, chosen on data.

    Args:
        max_answer_tokens: the most tokens in an answer.
        prior_weight: what a window's prominence (:class:`docqa.Hit`) counts beside
            ``S·T_i + E·T_j`` when spans of different windows are ranked; 0 is the pure maximum.
        null_weight: what the null score of a span's own window counts against it in that ranking; 0
            is the pure maximum. Helps readers whose scores compare badly across windows.
        length_weight: what each word after its first counts against a span in that ranking; 0 is
            the pure maximum. Helps readers whose answers are longer than those that are wanted.
        null_threshold: no answer is given where the null score is above the best span's score by
            more than this; ``inf`` always answers. Only data can tell what it should be for a
            reader, so there is none unless the reader's settings have one.
        stop_margin: candidates are read in growing groups until the best span's ranking value is
            above what ``prior_weight`` gives the best unread window by more than this; ``inf``
            reads them all.
        headings: whether the reader reads the document's title and the headings above a window in
            front of it; for readers that were trained so.
        languages: what the reader knows, as codes of ISO 639-1. A question or a text in another
            language is said to be so (:class:`docqa.Result`); nothing is said where there are none.
        doubtful_below: an answer whose probability is below this is marked as doubtful
            (:class:`docqa.Answer`), from 0 to 1; 0 marks none.
        platt: how the evidence for an answer becomes the probability that it is right
            (:class:`docqa.ranking.probability.Platt`); None where nobody has measured it.

    Raises:
        ValueError: a value out of range.
    """

    max_answer_tokens: int = 30
    prior_weight: float = 1.0
    null_weight: float = 0.0
    length_weight: float = 0.0
    null_threshold: float = float("inf")
    stop_margin: float = float("inf")
    headings: bool = False
    languages: tuple[str, ...] = ()
    doubtful_below: float = 0.5
    platt: Platt | None = None

    def __post_init__(self) -> None:
        if type(self.max_answer_tokens) is not int or self.max_answer_tokens < 1:
            raise ValueError(
                "max_answer_tokens must be a whole number of at least 1, "
                f"not {self.max_answer_tokens!r}"
            )
        if not isinstance(self.headings, bool):
            raise ValueError(f"headings must be true or false, not {self.headings!r}")
        if not (
            isinstance(self.languages, tuple)
            and all(isinstance(code, str) and _LANGUAGE.fullmatch(code) for code in self.languages)
        ):
            raise ValueError(
                f'languages must be codes such as "en" and "de", not {self.languages!r}'
            )
        for name in (*_WEIGHTS, "null_threshold", "stop_margin", "doubtful_below"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or isnan(value):
                raise ValueError(f"{name} must be a number, not {value!r}")
        for name in _WEIGHTS:
            if not isfinite(getattr(self, name)):
                raise ValueError(f"{name} must be a finite number, not {getattr(self, name)}")
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative, is {getattr(self, name)}")
        if not 0 <= self.doubtful_below <= 1:
            raise ValueError(f"doubtful_below must be from 0 to 1, is {self.doubtful_below}")
        if not (self.platt is None or isinstance(self.platt, Platt)):
            raise ValueError(f"platt must be a Platt or None, not {self.platt!r}")

    def save(self, file: Path) -> None:
        """Write the settings that are not the defaults into a file of JSON.

        Raises:
            OSError: the file can't be written.
        """
        usual = AnswerSettings()
        values = {
            name: value
            for name, value in asdict(self).items()
            if getattr(self, name) != getattr(usual, name)
        }
        with replaced(file) as part:
            part.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def from_file(cls, file: str | os.PathLike[str]) -> AnswerSettings:
        """Return the settings that a file holds, as ``docqa tune`` writes it.

        What the file does not name has its default, whatever the reader's own settings are.

        Example:
            >>> DocQA(settings=AnswerSettings.from_file("contracts.json"))

        Raises:
            ModelError: the file can't be read or understood.
        """
        try:
            values: dict[str, Any] = json.loads(Path(file).read_text(encoding="utf-8"))
            if not isinstance(values, dict):
                raise ValueError("it must hold an object of settings")
            for name in values:
                if name not in cls.__dataclass_fields__:
                    raise ValueError(f"there is no setting {name!r}")
            if "platt" in values:
                values["platt"] = Platt.of(values["platt"])
            if isinstance(values.get("languages"), list):
                values["languages"] = tuple(values["languages"])
            return cls(**values)
        except OSError as error:
            raise ModelError(f"{file} can't be read: {error.strerror or error}") from error
        except (ValueError, OverflowError, RecursionError) as error:
            raise ModelError(f"{file} can't be used: {error}") from error

    @classmethod
    def of_reader(cls, folder: Path) -> AnswerSettings:
        """Return the settings that lie in a reader's folder; the defaults where there are none.

        Raises:
            ModelError: the file is there but can't be read or understood.
        """
        file = folder / READER_SETTINGS
        return cls.from_file(file) if file.exists() else cls()
