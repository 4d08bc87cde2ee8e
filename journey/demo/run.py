"""A whole clinic for the demonstration: its own temporary data, its own clock, nothing that goes out."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from uuid import UUID

from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from journey.bootstrap import App, build
from journey.demo import cast
from journey.demo.clock import DemoClock
from journey.demo.stage import Stage
from journey.domain.site import Site
from journey.services.publishing import install_content, publish
from journey.settings import Settings
from journey.store.migrating import migrate
from journey.tasks.app import configure, tick
from journey.tasks.embedded import EmbeddedWorker

_APPROVED_BY = "Demonstration (no clinician)"
_TICK = 0.2  # seconds; what becomes due by itself goes out without a felt delay
# Celery reads these behind our settings' back, and they win over them.
_CELERY_READS = ("CELERY_BROKER_URL", "CELERY_BROKER_READ_URL", "CELERY_BROKER_WRITE_URL")


class DemoSettings(Settings):
    """Settings that the environment cannot change: the outbox for both channels, SQLite, memory."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


@dataclass(frozen=True, slots=True)
class Demonstration:
    """The running clinic, with its clock's buttons."""

    app: App
    stage: Stage


@contextmanager
def demonstration(public_url: str = "http://127.0.0.1:8000") -> Iterator[Demonstration]:
    """Web's wiring, worker and beat in this process; everything is deleted at the end of the block."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="journey-demo-"))
        settings = DemoSettings(data_dir=Path(folder), public_url=public_url, tick_seconds=_TICK)
        clock = DemoClock(cast.OPENS)
        app = build(settings, clock=clock)
        stack.callback(app.close)
        _prepare(app)
        stack.enter_context(_without_celery_variables())
        stack.enter_context(EmbeddedWorker(configure(app)))
        # An old wake-up is worth nothing: the beat's own comes every tick.
        wake = partial(tick.apply_async, expires=10 * _TICK)
        stage = Stage(app.context, clock, wake)
        stack.callback(stage.close)
        _open(app, stage)
        yield Demonstration(app, stage)


def _prepare(app: App) -> None:
    migrate(app.context.database)
    install_content(app.context, Site())
    publish(app.context, cast.PATHWAY, _APPROVED_BY, for_demonstration=True)


def _open(app: App, stage: Stage) -> None:
    """The first two days, so that the page begins with something to look at."""
    ids = _enroll(app, cast.OPENS)
    stage.travel(cast.SECOND_DAY)
    cast.second_day(app, ids)
    ids |= _enroll(app, cast.SECOND_DAY)
    stage.settle()
    stage.stories = {found: member.story for member, found in ids.items()}


def _enroll(app: App, moment: datetime) -> dict[cast.Member, UUID]:
    return cast.enroll_those_of(app, moment)


@contextmanager
def _without_celery_variables() -> Iterator[None]:
    """A broker address in the environment would take the demonstration's wake-ups elsewhere."""
    taken = {name: os.environ.pop(name) for name in _CELERY_READS if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(taken)
