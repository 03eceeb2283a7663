"""All settings of asking, with their defaults, in one place.

A call that wants another value replaces the whole object:
``dataclasses.replace(settings, max_answer_tokens=10)``.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from math import isfinite, isnan
from pathlib import Path
from typing import Any

from docqa.index.errors import ModelError
from docqa.index.files import replaced
from docqa.ranking.probability import Platt

DEFAULT_INDEX = ".docqa"
DEFAULT_READER = str(Path(__file__).parent / "models" / "reader")
_READER_SETTINGS = "docqa.json"


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
        platt: how an answer's confidence becomes the probability that it is right
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
    platt: Platt | None = None

    def __post_init__(self) -> None:
        if self.max_answer_tokens < 1:
            raise ValueError(f"max_answer_tokens must be at least 1, not {self.max_answer_tokens}")
        for name in ("null_threshold", "stop_margin"):
            if isnan(getattr(self, name)):
                raise ValueError(f"{name} must be a number")
        for name in ("prior_weight", "null_weight", "length_weight"):
            if not isfinite(getattr(self, name)):
                raise ValueError(f"{name} must be a finite number, not {getattr(self, name)}")
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative, is {getattr(self, name)}")

    def save(self, folder: Path) -> None:
        """Write the settings into a reader's folder, those that are not the defaults."""
        usual = AnswerSettings()
        values = {
            name: value
            for name, value in asdict(self).items()
            if getattr(self, name) != getattr(usual, name)
        }
        with replaced(folder / _READER_SETTINGS) as part:
            part.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def of_reader(cls, folder: Path) -> AnswerSettings:
        """The settings that lie in a reader's folder; the defaults where there are none.

        Raises:
            ModelError: the file is there but can't be understood.
        """
        file = folder / _READER_SETTINGS
        if not file.exists():
            return cls()
        try:
            values: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
            if not isinstance(values, dict):
                raise ValueError("it must hold an object of settings")
            for name, value in values.items():
                if name not in cls.__dataclass_fields__:
                    raise ValueError(f"there is no setting {name!r}")
                if name == "platt":
                    values[name] = Platt.of(value)
                elif isinstance(value, bool) or not isinstance(value, (int, float)):
                    raise ValueError(f"{name} must be a number, not {value!r}")
            return cls(**values)
        except ValueError as error:
            raise ModelError(f"{file} can't be used: {error}") from error
