"""What a process says about itself, on standard error: one line an event, and nothing about a patient.

On a terminal in words, else as JSON. An exception is told by its type and its place, since its text can
quote a value; only errors that are written for operators are told in full.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any

import structlog
from structlog.stdlib import ProcessorFormatter

_QUIET = ("alembic", "celery", "kombu", "amqp", "uvicorn", "aiohttp", "asyncio", "httpx", "twilio")
_FRAMES = 6  # of a traceback, the innermost ones
_ADDRESS = re.compile(r"\+?\d[\d ().-]{6,}\d|[\w.+-]+@[\w-]+\.[\w.]+")

Event = MutableMapping[str, Any]


def configure_logs(*operators_errors: type[Exception]) -> None:
    """Every library's log goes the same way. `operators_errors`: whose text may be told."""

    def tell_exception(_logger: Any, _method: str, event: Event) -> Event:
        return _tell_exception(event, operators_errors)

    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        tell_exception,
        _hide_addresses,
    ]
    is_terminal = sys.stderr.isatty()
    renderer = structlog.dev.ConsoleRenderer() if is_terminal else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[*shared, ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    # Celery's own line about a failed task holds the exception's text; ours, in `tasks`, does not.
    logging.getLogger("celery.app.trace").setLevel(logging.CRITICAL + 1)


def _tell_exception(event: Event, operators_errors: tuple[type[Exception], ...]) -> Event:
    info = event.pop("exc_info", None)
    error = info[1] if isinstance(info, tuple) else info if isinstance(info, BaseException) else None
    if info is True:
        error = sys.exc_info()[1]
    record = event.get("_record")
    if record is not None:  # another library's: its formatter would add the traceback with all texts
        record.exc_info = record.exc_text = None
    if error is None:
        return event
    event["error"] = type(error).__name__
    event["where"] = [
        f"{frame.filename.rpartition('site-packages/')[2]}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    ]
    if isinstance(error, operators_errors):
        event["said"] = str(error)
    return event


def _hide_addresses(_logger: Any, _method: str, event: Event) -> Event:
    """A last net under what libraries say: numbers and e-mail addresses are blacked out."""
    for name, value in event.items():
        if isinstance(value, str) and name not in ("timestamp", "where"):
            event[name] = _ADDRESS.sub("[address]", value)
    return event
