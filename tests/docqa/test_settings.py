"""Settings of asking: what is refused, and what a file of them holds."""

from __future__ import annotations

import json
from math import inf, nan
from pathlib import Path

import pytest

from docqa import AnswerSettings, ModelError
from docqa.ranking.probability import Platt
from docqa.settings import DEFAULT_READER, READER_SETTINGS

SETTINGS = AnswerSettings(
    prior_weight=0.25, null_threshold=1.5, languages=("en", "de"), platt=Platt(0.2, 0.3, 0.1)
)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        # A fraction of a token was accepted, and failed in the span search.
        ({"max_answer_tokens": 7.5}, "max_answer_tokens must be a whole number"),
        ({"max_answer_tokens": "7"}, "max_answer_tokens must be a whole number"),
        ({"max_answer_tokens": True}, "max_answer_tokens must be a whole number"),
        ({"max_answer_tokens": 0}, "at least 1"),
        ({"prior_weight": "much"}, "must be a number"),
        ({"prior_weight": True}, "must be a number"),
        ({"null_weight": -1}, "must not be negative"),
        ({"length_weight": inf}, "must be a finite number"),
        ({"null_threshold": nan}, "null_threshold must be a number"),
        ({"languages": "en"}, "languages must be codes"),
        ({"languages": ["English"]}, "languages must be codes"),
        ({"languages": [["en"]]}, "languages must be codes"),
        ({"doubtful_below": 1.5}, "must be from 0 to 1"),
        ({"doubtful_below": "half"}, "must be a number"),
        ({"stop_margin": None}, "stop_margin must be a number"),
    ],
)
def test_values_that_make_no_sense_are_refused_early(
    values: dict[str, object], said: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=said):
        AnswerSettings(**values)  # type: ignore[arg-type]
    file = tmp_path / "settings.json"
    file.write_text(json.dumps(values))
    with pytest.raises(ModelError, match=said):
        AnswerSettings.from_file(file)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"prior_wait": 1}', "no setting 'prior_wait'"),
        (b"[1]", "an object of settings"),
        (b"{", "can't be used"),
        (b"\xff", "can't be used"),
        (b"[" * 100_000, "can't be used"),
        (b'{"prior_weight": 1%s}' % (b"0" * 400), "can't be used"),
        (b'{"platt": 1}', "platt must hold"),
    ],
)
def test_a_file_that_holds_no_settings_says_why(content: bytes, said: str, tmp_path: Path) -> None:
    file = tmp_path / READER_SETTINGS
    file.write_bytes(content)
    with pytest.raises(ModelError, match=said):
        AnswerSettings.of_reader(tmp_path)


def test_a_file_that_can_t_be_read_says_so(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="No such file"):
        AnswerSettings.from_file(tmp_path / "none.json")
    (tmp_path / READER_SETTINGS).mkdir()
    with pytest.raises(ModelError, match="can't be read"):
        AnswerSettings.of_reader(tmp_path)


def test_settings_are_kept_beside_the_reader(tmp_path: Path) -> None:
    SETTINGS.save(tmp_path / READER_SETTINGS)
    assert AnswerSettings.of_reader(tmp_path) == SETTINGS
    assert AnswerSettings.from_file(str(tmp_path / READER_SETTINGS)) == SETTINGS
    AnswerSettings().save(tmp_path / READER_SETTINGS)
    assert AnswerSettings.of_reader(tmp_path) == AnswerSettings()


def test_the_shipped_reader_s_settings_can_be_read() -> None:
    assert AnswerSettings.of_reader(Path(DEFAULT_READER)).null_weight > 0
