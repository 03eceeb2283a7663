"""What the server writes to its log: lines for people, or one JSON object a line."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

from docqa.printable import printable

_LOGGERS = ("docqa", "uvicorn.error")


class JsonLines(logging.Formatter):
    """One JSON object a record; what a record has in ``extra`` under ``fields`` is in it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record's line."""
        values = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        } | getattr(record, "fields", {})
        if record.exc_info:
            values["traceback"] = self.formatException(record.exc_info)
        return json.dumps(values)


class Lines(logging.Formatter):
    """A line a record, that can't steer a terminal whatever a client sent."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record's lines; more than one where there is a traceback."""
        time = datetime.fromtimestamp(record.created).strftime("%H:%M:%S")
        line = f"{time} {record.levelname.lower():7} {printable(record.getMessage())}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def log_to_stderr(as_json: bool) -> None:
    """Write the server's log to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if as_json else Lines())
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.propagate = False
        logger.setLevel(logging.INFO if name == "docqa" else logging.WARNING)
