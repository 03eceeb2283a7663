"""What clients send and get, for the checks of requests and for the description of the API."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from docqa.server.replies import RefusedError
from docqa.server.settings import ServerLimits

_EXAMPLE = "When does the lease end?"


class _Request(BaseModel):
    """A request's body; fields with other names are refused, since they are slips."""

    model_config = ConfigDict(extra="forbid", strict=True)


Within = Annotated[
    list[Annotated[str, Field(max_length=1_000)]],
    Field(
        default_factory=list,
        max_length=100,
        description="Folders, files and globs, as answers show paths; empty for all documents.",
        examples=[["contracts", "manuals/*.pdf"]],
    ),
]


class AskRequest(_Request):
    """Questions, and how many answers of which documents."""

    question: str | list[str] = Field(examples=[_EXAMPLE])
    top_k: int = Field(3, ge=1, description="The most answers.")
    candidates: int = Field(10, ge=1, description="How many windows the reader gets to read.")
    within: Within
    evidence: int = Field(0, ge=0, description="The most sentences that answer, beside answers.")
    boxes: bool = Field(True, description="Whether answers in PDF files come with their boxes.")


class SearchRequest(_Request):
    """Questions, and how many windows of which documents."""

    question: str | list[str] = Field(examples=[_EXAMPLE])
    candidates: int = Field(10, ge=1, description="How many windows.")
    within: Within


class ExplainRequest(_Request):
    """A question, and what of its reading to show."""

    question: str = Field(examples=[_EXAMPLE])
    top_k: int = Field(3, ge=1, description="The most answers, and spans of each window.")
    candidates: int = Field(10, ge=1, description="How many windows the reader gets to read.")
    windows: int = Field(3, ge=1, description="How many windows to look at.")
    expected: str | None = Field(None, description="The answer that is held to be right.")
    within: Within


class Hit(BaseModel):
    """A window that search found."""

    document: str = Field(examples=["contracts/lease.pdf"])
    document_id: int
    title: str | None
    heading_path: list[str]
    start: int
    end: int
    text: str
    page: int | None
    line: int | None
    score: float


class BoxForm(BaseModel):
    """A line of text on its page, in points from the page's upper left corner."""

    page: int
    left: float
    top: float
    right: float
    bottom: float


class CopyForm(BaseModel):
    """Where the same words stand in a copy."""

    document: str = Field(examples=["contracts/old/lease.pdf"])
    start: int
    end: int
    page: int | None
    line: int | None
    heading_path: list[str]


class AnswerForm(BaseModel):
    """A stretch of a document that answers the question."""

    text: str = Field(examples=["28 February 2024"])
    score: float
    confidence: float
    probability: float | None
    doubtful: bool
    document: str = Field(examples=["contracts/lease.pdf"])
    document_id: int
    title: str | None
    heading_path: list[str]
    start: int
    end: int
    page: int | None
    page_start: int | None
    page_end: int | None
    line: int | None
    column: int | None
    context: str
    context_start: int
    context_end: int
    window: tuple[int, int]
    also: list[CopyForm]
    boxes: list[BoxForm]


class LanguageNoteForm(BaseModel):
    """What is in a language that the reader does not know; codes of ISO 639-1."""

    question: str | None = Field(examples=["de"])
    passages: str | None
    reader: list[str] = Field(examples=[["en"]])
    text: str = Field(description="The same as a sentence.")


class AskResult(BaseModel):
    """What came of a question."""

    question: str = Field(examples=[_EXAMPLE])
    answers: list[AnswerForm]
    hits: list[Hit]
    windows_read: int
    searched: str = Field(examples=["16/16"])
    language_note: LanguageNoteForm | None


class AskReply(BaseModel):
    """What came of all questions of a request, in their order."""

    results: list[AskResult]
    seconds: float


class SearchResult(BaseModel):
    """The windows found for a question, best first."""

    question: str = Field(examples=[_EXAMPLE])
    hits: list[Hit]
    searched: str = Field(examples=["16/16"])


class SearchReply(BaseModel):
    """What was found for all questions of a request, in their order."""

    results: list[SearchResult]
    seconds: float


class ListedDocument(BaseModel):
    """A document of the index."""

    id: int
    path: str = Field(examples=["contracts/lease.pdf"])
    name: str = Field(examples=["lease.pdf"])
    title: str | None
    format: str | None
    pages: int | None
    size: int
    characters: int
    state: str = Field(description="ok, stale or failed", examples=["ok"])
    reason: str | None = Field(description="Why the file could not be read (again).")


class DocumentsReply(BaseModel):
    """A part of the list of documents, and how many there are."""

    documents: list[ListedDocument]
    total: int


class TextReply(BaseModel):
    """A stretch of a document's text; ``length`` is that of the whole text."""

    text: str
    start: int
    end: int
    length: int


class HeadingForm(BaseModel):
    """A heading of a document."""

    text: str
    level: int
    start: int
    page: int | None


class OutlineReply(BaseModel):
    """The headings of a document, and how many pages it has."""

    outline: list[HeadingForm]
    pages: int | None


class BoxesReply(BaseModel):
    """The boxes of a stretch of text, a line each."""

    boxes: list[BoxForm]


class PageReply(BaseModel):
    """The size of a page in points."""

    width: float
    height: float


class StatusReply(BaseModel):
    """What the server serves."""

    documents: int
    windows: int
    allow_changes: bool
    reader: str
    version: str


class TaskReply(BaseModel):
    """A task that goes on in the background."""

    task: str


class RemovedReply(BaseModel):
    """The document that was removed from the index."""

    removed: str


class ErrorReply(BaseModel):
    """Why a request was not served."""

    error: str = Field(examples=["the question is empty"])


REFUSALS: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": ErrorReply, "description": "The request can't be served."},
    "503": {"model": ErrorReply, "description": "Not now; try again after `Retry-After` seconds."},
}


def checked_questions(question: str | list[str], limits: ServerLimits) -> list[str]:
    """Return a request's questions.

    Raises:
        RefusedError: there are none or too many, or one is too long.
    """
    questions = [question] if isinstance(question, str) else question
    if not 1 <= len(questions) <= limits.questions:
        raise RefusedError(422, f"a request may have 1 to {limits.questions} questions")
    if any(len(one) > limits.question for one in questions):
        raise RefusedError(422, f"a question may have {limits.question:,} characters")
    return questions


def check_number(name: str, value: int, most: int) -> None:
    """Refuse a number above what a request may ask for.

    Raises:
        RefusedError: it is.
    """
    if value > most:
        raise RefusedError(422, f"{name}: at most {most}")
