"""The naive side: its worker, and the same due rows as one ETA task each."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from benchmarks.practice import Practice
from benchmarks.scene import PROCESSES, Scene, python
from benchmarks.side_journey import STEP, Pace, latenesses
from benchmarks.worker import ProcessTree

WARM_UP = 50
ENQUEUED_PER_SECOND = 500  # a cautious guess: they must all be enqueued before they are due


def start_naive_worker(scene: Scene, practice: Practice) -> ProcessTree:
    command = python("-m", "celery", "-A", "benchmarks.naive_app:celery", "worker", "--loglevel=WARNING")
    options = [f"--concurrency={PROCESSES}", "--without-gossip", "--without-mingle"]
    tree = ProcessTree([*command, *options], scene, practice.url, "naive")
    try:
        run_naive(scene, practice, tree, WARM_UP)
    except BaseException:
        tree.stop()
        raise
    return tree


def run_naive(scene: Scene, practice: Practice, tree: ProcessTree, number: int) -> Pace:
    due = datetime.now(UTC) + timedelta(seconds=3 + number / ENQUEUED_PER_SECOND)
    practice.make_due(STEP, number, due)
    scene.provider.reset()
    practice.vacuum()
    _enqueue(scene, practice, due)
    time.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds()))
    before = tree.cpu_seconds()
    begun, ended = practice.wait_until_recorded(STEP, number)
    used = tree.cpu_seconds() - before
    late = latenesses(scene, practice, STEP, number)
    practice.cancel(STEP)
    return Pace(number, ended - begun, used, late)


def _enqueue(scene: Scene, practice: Practice, due: datetime) -> None:
    from benchmarks.naive_app import celery, send

    celery.conf.broker_url = scene.redis.url
    rows = practice.rows(f"SELECT id FROM messages WHERE step = '{STEP}' AND status = 'planned'")
    with celery.connection_for_write() as connection, celery.amqp.Producer(connection) as producer:
        for row in rows:
            send.apply_async((str(row.id),), eta=due, producer=producer)
