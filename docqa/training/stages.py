"""Progress of work that is done in stages."""

from __future__ import annotations

from collections.abc import Callable

# Gets a stage's name, how much of it is done, of how much, and a note.
OnStage = Callable[[str, int, int, str], None]


def stage_progress(on_stage: OnStage, name: str) -> Callable[[int, int], None]:
    """Return a callback for one stage; it gets how much of it is done, of how much."""
    return lambda done, total: on_stage(name, done, total, "")
