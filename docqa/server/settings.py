"""What a server serves, to whom, and what a request may cost."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from docqa.errors import DocQAError
from docqa.settings import DEFAULT_INDEX, AnswerSettings

# A shorter token can be guessed.
_SHORTEST_TOKEN = 16


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """What requests may cost; beyond a limit they get a 4xx or a 503.

    Attributes:
        body: bytes of a request, uploads aside.
        depth: brackets inside brackets in a request's JSON.
        question: characters of a question.
        questions: questions of a request.
        answers, candidates, windows: the most that a request may ask for of each.
        text: characters of a document that a request may ask for.
        boxed: characters of a document whose boxes a request may ask for.
        waiting: questions that wait for the reader; more are turned away.
        batch: questions that are read together.
        batches: batches that are read at the same time; one, where the reader is in this process.
        threads: searches, explanations and looks at documents at the same time.
        waiting_for_threads: requests that wait for one of these; more are turned away.
        answer_seconds: how long a request for answers may take.
        body_seconds: how long a request's body may take to come, uploads aside.
        drained, drain_seconds: bytes of a refused body that are thrown away, and how long that may
            take, so that the client reads why it was refused.
        upload_file: bytes of an uploaded file.
        upload: bytes of an upload with all its files.
        upload_files: files of an upload.
        upload_seconds: how long an upload may take to come.
        uploaded_files: files in the folder of uploads.
        uploaded: bytes in the folder of uploads.
        tasks: uploads that wait to be indexed; more are turned away.
        pictures: bytes of pictures of pages that are kept.
        connections: open connections; beyond them there is a 503.
        header: bytes of a request's first line and headers.
        header_seconds: how long they may take to come.
        idle_seconds: how long a connection may wait for its next request.
        send_seconds: how long a client may take nothing of an answer that waits for it.
        stop_seconds: how long requests may take to end when the server is stopped.
    """

    body: int = 1 << 20
    depth: int = 16
    question: int = 2_000
    questions: int = 64
    answers: int = 50
    candidates: int = 100
    windows: int = 20
    text: int = 200_000
    boxed: int = 20_000
    waiting: int = 256
    batch: int = 32
    batches: int = 1
    threads: int = 4
    waiting_for_threads: int = 64
    answer_seconds: float = 60.0
    body_seconds: float = 10.0
    drained: int = 16 << 20
    drain_seconds: float = 2.0
    upload_file: int = 100 << 20
    upload: int = 500 << 20
    upload_files: int = 100
    upload_seconds: float = 600.0
    uploaded_files: int = 10_000
    uploaded: int = 10 << 30
    tasks: int = 32
    pictures: int = 64 << 20
    connections: int = 2_000
    header: int = 32 << 10
    header_seconds: float = 10.0
    idle_seconds: float = 15.0
    send_seconds: float = 20.0
    stop_seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """What a server serves and to whom.

    Attributes:
        index: the index's folder.
        reader, embedder, device, dtype, answers: as for :class:`docqa.qa.DocQA`.
        host, port: where it listens.
        names: further names by which clients may call it in ``Host``; ``localhost`` and
            addresses in numbers always are allowed, since no web page can make them its own.
        origins: web pages of other origins that may use it (CORS); none unless given.
        token: what clients must show; None lets everybody in who can reach it.
        allow_changes: whether documents can be uploaded and removed.
        show_paths: whether answers hold the paths of the documents' files on the server.
        limits: what requests may cost.

    Raises:
        ValueError: a token that can be guessed, or changes for everybody in the network.
    """

    index: Path = Path(DEFAULT_INDEX)
    reader: str | None = None
    embedder: str | None = None
    device: str = "auto"
    dtype: str = "auto"
    answers: AnswerSettings | None = None
    host: str = "127.0.0.1"
    port: int = 8080
    names: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    token: str | None = field(default=None, repr=False)
    allow_changes: bool = False
    show_paths: bool = False
    limits: ServerLimits = field(default_factory=ServerLimits)

    def __post_init__(self) -> None:
        if self.token is not None and len(self.token) < _SHORTEST_TOKEN:
            raise ValueError(f"the token must have at least {_SHORTEST_TOKEN} characters")
        if self.allow_changes and self.token is None and not self.is_local:
            raise ValueError(
                "changes are allowed to everybody who can reach the server: give --token-file, "
                "or listen on 127.0.0.1"
            )

    @property
    def asking(self) -> dict[str, Any]:
        """Return the arguments of :class:`docqa.qa.DocQA` beside the index."""
        return {
            "reader": self.reader,
            "embedder": self.embedder,
            "device": self.device,
            "dtype": self.dtype,
            "settings": self.answers,
        }

    @property
    def is_local(self) -> bool:
        """Whether only this computer can reach the server."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def read_token(file: Path) -> str:
    """Return the token that a file holds, without white space around it.

    Raises:
        DocQAError: the file can't be read, or holds no token.
    """
    try:
        token = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise DocQAError(f"the token file {file} can't be read: {reason}") from error
    if not token.isascii() or not token.isprintable() or " " in token or not token:
        raise DocQAError(
            f"the token file {file} must hold one word of printable ASCII; make one with: "
            "python -c 'import secrets; print(secrets.token_urlsafe(32))'"
        )
    return token
