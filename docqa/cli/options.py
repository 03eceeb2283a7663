"""Options that several commands share."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from functools import wraps
from typing import Any, TypeVar, cast

import click

from docqa.settings import DEFAULT_INDEX

_Command = TypeVar("_Command", bound=Callable[..., Any])

index_option = click.option(
    "--index",
    "folder",
    default=DEFAULT_INDEX,
    show_default=True,
    metavar="DIR",
    help="The index's folder.",
)
json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document instead of text."
)
reader_option = click.option(
    "--reader",
    metavar="MODEL",
    help="A question-answering model: a folder, or a name on the hub. [default: docqa's own]",
)
embedder_option = click.option(
    "--embedder",
    metavar="MODEL",
    help="A sentence-transformers model: a folder, or a name on the hub. "
    "[default: the index's own; all-MiniLM-L6-v2 for a new one]",
)
device_option = click.option(
    "--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1, mps ..."
)
dtype_option = click.option(
    "--dtype",
    type=click.Choice(["auto", "float32", "bfloat16", "float16"]),
    default="auto",
    show_default=True,
    help="The reader's number format; auto is bfloat16 where the hardware is good at it.",
)
include_option = click.option(
    "--include",
    multiple=True,
    metavar="GLOB",
    help="Take only files that match (any kind of file, then); may be repeated.",
)
exclude_option = click.option(
    "--exclude",
    multiple=True,
    metavar="GLOB",
    help="Leave out files and folders that match; may be repeated.",
)
top_k_option = click.option(
    "--top-k",
    "-k",
    type=click.IntRange(min=1),
    default=3,
    show_default=True,
    metavar="N",
    help="The most answers.",
)
candidates_option = click.option(
    "--candidates",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    metavar="N",
    help="How many windows the reader gets to read.",
)


def _weight(name: str, meaning: str) -> Callable[[_Command], _Command]:
    return click.option(
        name,
        type=click.FloatRange(min=0),
        metavar="W",
        help=f"{meaning} [default: the reader's]",
    )


_SETTINGS = {
    "prior_weight": _weight(
        "--prior-weight", "What retrieval counts beside the reader; 0 leaves it out."
    ),
    "null_weight": _weight(
        "--null-weight",
        "What a window's null score counts against its spans; 0 leaves it out.",
    ),
    "length_weight": _weight(
        "--length-weight",
        "What each word after its first counts against a span; 0 leaves it out.",
    ),
    "null_threshold": click.option(
        "--null-threshold",
        type=float,
        metavar="T",
        help="No answer where the null score is above the best by more than this; inf always "
        "answers. [default: the reader's]",
    ),
    "stop_margin": click.option(
        "--exhaustive",
        "stop_margin",
        flag_value=float("inf"),
        type=float,
        default=None,
        help="Read every candidate, even where the first ones settle it.",
    ),
    "max_answer_tokens": click.option(
        "--max-answer-tokens",
        type=click.IntRange(min=1),
        metavar="N",
        help="The most tokens in an answer. [default: the reader's]",
    ),
}


def answer_options(*, without: Collection[str] = ()) -> Callable[[_Command], _Command]:
    """Options for how answers are chosen; the command gets those given as a dictionary, ``asked``.

    Args:
        without: settings that mean nothing to the command.
    """
    names = [name for name in _SETTINGS if name not in without]

    def decorate(command: _Command) -> _Command:
        @wraps(command)
        def gathered(*args: Any, **values: Any) -> Any:
            asked = {name: values.pop(name) for name in ("settings_file", *names)}
            given = {name: value for name, value in asked.items() if value is not None}
            return command(*args, asked=given, **values)

        result: Any = gathered
        for name in reversed(names):
            result = _SETTINGS[name](result)
        result = click.option(
            "--settings",
            "settings_file",
            type=click.Path(dir_okay=False),
            help="A file of settings that docqa tune wrote. [default: the reader's own]",
        )(result)
        return cast(_Command, result)

    return decorate


def within_options(command: _Command) -> _Command:
    """``--in`` and ``--document``; the command gets them together, as ``within``."""

    @wraps(command)
    def gathered(*args: Any, **values: Any) -> Any:
        places: tuple[str, ...] = values.pop("places")
        documents: tuple[str, ...] = values.pop("documents")
        return command(*args, within=(*places, *map(os.path.abspath, documents)), **values)

    result: Any = gathered
    for option in (
        click.option(
            "--document",
            "documents",
            multiple=True,
            type=click.Path(),
            metavar="PATH",
            help="Look only into this document; may be repeated.",
        ),
        click.option(
            "--in",
            "places",
            multiple=True,
            type=click.Path(),
            metavar="FOLDER_OR_GLOB",
            help="Look only into documents in this folder, or that match; may be repeated.",
        ),
    ):
        result = option(result)
    return cast(_Command, result)


def window_options(size: int, overlap: int) -> Callable[[_Command], _Command]:
    """``--window-size`` and ``--overlap``, with the defaults that the command has."""

    def decorate(command: _Command) -> _Command:
        for option in (
            click.option(
                "--overlap",
                type=click.IntRange(min=0),
                metavar="TOKENS",
                help=f"Tokens that neighbouring windows share. [default: {overlap}]",
            ),
            click.option(
                "--window-size",
                type=click.IntRange(min=16),
                metavar="TOKENS",
                help=f"The most tokens in a window. [default: {size}]",
            ),
        ):
            command = option(command)
        return command

    return decorate
