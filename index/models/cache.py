"""Where models that are made of others are kept: the user's cache, which may always be emptied."""

from __future__ import annotations

from pathlib import Path


def cache_folder() -> Path:
    """Return docqa's folder in the user's cache, as the system has it."""
    import platformdirs

    return platformdirs.user_cache_path("docqa")
