"""All settings of training, with their defaults, in one place."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Literal, get_args

from docqa.index.models.folders import DEFAULT_EMBEDDER

if TYPE_CHECKING:
    from docqa.ingest.windows import WindowSettings

Normalize = Literal["question", "window"]

# Settings that are whole numbers, with their least values.
_COUNTS = {
    "adapter_rank": 0,
    "batch_questions": 1,
    "window_size": 1,
    "overlap": 0,
    "evaluations": 1,
    "patience": 1,
    "dev_questions": 1,
    "seed": 0,
}


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """How a reader is trained.

    Args:
        base: the encoder to fine-tune: a folder, a hub name, or the default embedder's own.
        epochs: how often every question is drawn; a part of one will do.
        batch_questions: questions in a step of the optimiser.
        learning_rate: its peak. Devlin et al. (2019, section 4.2) fine-tune BERT-base at 5e-5 and
            advise 2e-5 to 5e-5; small encoders bear more.
        warmup: the share of all steps over which the rate rises from 0; then it falls to 0.
        weight_decay: of AdamW; not on biases and norms.
        clip: the longest gradient, as a norm.
        adapter_rank: of the low-rank adapter that is trained in place of the base's weights, on
            each matrix of its layers (Hu et al. 2022, "LoRA"); 0 trains all weights.
        dropout: of hidden states, and none of attention; None keeps what the base has of both.
        ema_decay: what is evaluated and kept is the exponential moving average of the weights, of
            which so much stays at each step (Polyak and Juditsky 1992); 0 keeps the weights as
            the last step left them.
        window_size, overlap: of the windows that contexts are cut into, in tokens.
        normalize: ``question`` is one softmax over all windows drawn for a question (shared
            normalisation, Clark and Gardner 2018, section 3.2), ``window`` one in each window.
        negatives: windows without the answer that are drawn beside the one with it, for
            ``question``; 1.5 is one, and a second for every other question.
        unanswerable: the share of questions drawn with such windows only, for ``question``; one at
            least, and where ``negatives`` is 0 none that the retriever offers.
        headings: the share of questions whose windows are read with the document's title and the
            headings above them in front, as the reader then reads them when it is asked
            (:class:`docqa.AnswerSettings`); the rest teaches it to do without.
        typed: the share of questions that are spoilt as people type them when they are drawn: with
            small typos, as keywords, in one case (:mod:`docqa.evaluate.typed`).
        teacher_weight: what the teacher's distributions weigh against the annotators' answers,
            from 0 to 1, where there is a teacher.
        evaluations: how often the dev score is taken in an epoch.
        patience: training ends when so many evaluations in a row are no better than the best.
        dev_questions: the most questions of each dev file that are asked at an evaluation; the same
            ones each time.
        refused: the greatest share of the answerable dev questions that get no answer at the null
            threshold (:func:`docqa.tune`).
        seed: of the order of questions, of what is drawn, and of new weights.

    Raises:
        ValueError: a value out of range.
    """

    base: str = DEFAULT_EMBEDDER
    epochs: float = 3.0
    batch_questions: int = 32
    learning_rate: float = 3e-5
    warmup: float = 0.06
    weight_decay: float = 0.01
    clip: float = 1.0
    adapter_rank: int = 0
    dropout: float | None = None
    ema_decay: float = 0.0
    window_size: int = 320
    overlap: int = 96
    normalize: Normalize = "question"
    negatives: float = 3
    unanswerable: float = 0.1
    headings: float = 0.0
    typed: float = 0.0
    teacher_weight: float = 0.5
    evaluations: int = 4
    patience: int = 4
    dev_questions: int = 1000
    refused: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.normalize not in get_args(Normalize):
            raise ValueError(f"normalize must be question or window, not {self.normalize!r}")
        for name, least in _COUNTS.items():
            value = getattr(self, name)
            if type(value) is not int or value < least:
                raise ValueError(
                    f"{name} must be a whole number of at least {least}, not {value!r}"
                )
        for name in ("epochs", "learning_rate", "clip"):
            if not (getattr(self, name) > 0 and isfinite(getattr(self, name))):
                raise ValueError(f"{name} must be above 0, not {getattr(self, name)}")
        for name in ("weight_decay", "negatives"):
            if not (getattr(self, name) >= 0 and isfinite(getattr(self, name))):
                raise ValueError(f"{name} must not be negative, is {getattr(self, name)}")
        for name in ("warmup", "unanswerable", "headings", "typed", "teacher_weight", "refused"):
            if not 0 <= (getattr(self, name) or 0) <= 1:
                raise ValueError(f"{name} must be between 0 and 1, not {getattr(self, name)}")
        for name in ("dropout", "ema_decay"):
            if not 0 <= (getattr(self, name) or 0) < 1:
                raise ValueError(f"{name} must be from 0 to below 1, not {getattr(self, name)}")
        _ = self.window

    @property
    def window(self) -> WindowSettings:
        """Return the size and overlap of the windows."""
        from docqa.ingest.windows import WindowSettings

        return WindowSettings(self.window_size, self.overlap)
