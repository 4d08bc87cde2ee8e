"""The Celery application, its beat schedule and its tasks of a few lines."""

from __future__ import annotations

import gc
import os
from typing import Any

import structlog
from celery import Celery, signals
from kombu.entity import Exchange, Queue

from journey.bootstrap import App, build
from journey.domain.pathway import Channel
from journey.logs import configure_logs
from journey.services import reports
from journey.services.conversation.catching_up import NotListed, catch_up
from journey.services.dispatching import deliver, due_channels
from journey.services.housekeeping import tidy
from journey.services.sweeping import sweep
from journey.services.webhooks import post_due
from journey.services.working import work
from journey.settings import SettingsError, read_settings
from journey.store.database import StoreUnavailable
from journey.store.sealing import SealError

QUEUE = "journey"
OPERATORS_ERRORS = (StoreUnavailable, SealError, SettingsError)  # their texts hold no patient's data
_FOREIGN = ("CELERY_BROKER_URL", "CELERY_BROKER_READ_URL", "CELERY_BROKER_WRITE_URL")
# Keeps nothing on disk: a beat that starts anew just ticks.
SCHEDULER = "celery.beat:Scheduler"
# A worker's share of a backlog per tick; more wake-ups than there are children only wait.
WAKEUPS = 8
DELIVER_SECONDS = 20.0
WORK_SECONDS = 2.0  # a share of longer work; messages that are due wait no longer for it
TIDY_SECONDS = 600.0
FETCH_SECONDS = 60.0  # replies are told at once; this finds those that could not be

celery = Celery("journey")
log = structlog.stdlib.get_logger("journey.tasks")
_state: dict[str, App] = {}


def configure(app: App) -> Celery:
    """Points Celery at the broker of the settings: Redis, or memory when embedded."""
    for name in _FOREIGN:
        # Celery reads these by itself and prefers them; only JOURNEY_REDIS_URL decides here.
        os.environ.pop(name, None)
    broker = app.settings.redis_url.get_secret_value() or "memory://localhost/"
    tick = app.settings.tick_seconds
    # A wake-up that waited longer than this is not worth waking for: another one came since.
    fresh = max(2.0, 3 * tick)
    celery.conf.update(
        broker_url=broker,
        task_default_queue=QUEUE,
        # Wake-ups need no acknowledgment. With it, two that a Redis restart left unacknowledged fill the
        # prefetch limit for good (celery issues 8091 and 10205), and the worker never wakes again.
        task_queues=[Queue(QUEUE, Exchange(QUEUE), routing_key=QUEUE, no_ack=True)],
        task_ignore_result=True,
        task_store_errors_even_if_ignored=False,
        task_acks_late=False,
        worker_prefetch_multiplier=1,
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options=_transport_options(app),
        beat_scheduler=SCHEDULER,
        beat_max_loop_interval=tick,
        beat_schedule={
            "tick": {"task": "journey.tick", "schedule": tick, "options": {"expires": fresh}},
            "sweep": {"task": "journey.sweep", "schedule": 2 * tick, "options": {"expires": fresh}},
            "work": {"task": "journey.work", "schedule": 2 * tick, "options": {"expires": fresh}},
            "post": {"task": "journey.post", "schedule": 2 * tick, "options": {"expires": fresh}},
            "fetch": {
                "task": "journey.fetch",
                "schedule": FETCH_SECONDS,
                "options": {"expires": FETCH_SECONDS},
            },
            "tidy": {"task": "journey.tidy", "schedule": TIDY_SECONDS, "options": {"expires": TIDY_SECONDS}},
        },
        timezone="UTC",
    )
    celery.conf.journey_fresh = fresh
    _state["app"] = app
    return celery


def _transport_options(app: App) -> dict[str, Any]:
    if app.settings.is_embedded:
        return {"polling_interval": 0.05}  # seconds; the memory broker polls
    return {"socket_keepalive": True, "socket_timeout": 10, "socket_connect_timeout": 5}


def current_app() -> App:
    """The process's own wiring, made on first use (a prefork child makes its own)."""
    if "app" not in _state:
        configure(build(read_settings()))
    return _state["app"]


@signals.worker_process_init.connect
def _forget_the_parents_wiring(**_: Any) -> None:
    # A forked child must not share the parent's sockets; their file descriptors stay the parent's.
    parent = _state.pop("app", None)
    if parent is not None:
        parent.context.database.abandon()
        current_app()  # now, not at the first task: its clock watch counts from the child's own start
    # What the parent imported stays for good: the collector need not walk it again and again.
    gc.freeze()


@signals.setup_logging.connect
def _log_as_we_do(**_: Any) -> None:
    """Celery sets up nothing of its own once somebody answers this."""
    configure_logs(*OPERATORS_ERRORS)


@signals.task_failure.connect
def _tell_failure(sender: Any = None, exception: Any = None, **_: Any) -> None:
    log.error("task failed", task=getattr(sender, "name", ""), exc_info=exception)


@celery.task(name="journey.tick")
def tick() -> None:
    for channel, wakeups in due_channels(current_app().context, WAKEUPS).items():
        for _ in range(wakeups):
            wake.apply_async((channel.value,), expires=celery.conf.journey_fresh)


@celery.task(name="journey.deliver")
def wake(channel: str) -> None:
    sent = deliver(current_app().worker(), Channel(channel), seconds=DELIVER_SECONDS)
    if sent:
        log.info("handed to the provider", channel=channel, messages=sent)


@celery.task(name="journey.sweep")
def look_after() -> None:
    looked_at = sweep(current_app().worker())
    if looked_at:
        log.info("looked after", messages=looked_at)


@celery.task(name="journey.work")
def work_on_jobs() -> None:
    work(current_app().context, WORK_SECONDS)


@celery.task(name="journey.post")
def post() -> None:
    app = current_app()
    posted = post_due(app.context, app.post_events)
    if posted:
        log.info("told other systems", events=posted)


@celery.task(name="journey.fetch")
def fetch_replies() -> None:
    try:
        missed = catch_up(current_app().worker())
    except NotListed as error:
        log.warning("replies could not be fetched", said=str(error))
        return
    if missed:
        log.warning("fetched replies that were never told", replies=missed)


@celery.task(name="journey.tidy")
def tidy_up() -> None:
    app = current_app()
    tidy(app.context, app.session_limits)
    reports.refresh_recent(app.context)
