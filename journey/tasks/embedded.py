"""Worker and beat as threads of this process, over the memory broker: the embedded default."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Any, Self

from celery import Celery
from celery.beat import EmbeddedService
from celery.worker import WorkController
from celery.worker.state import reset_state

from journey.tasks.app import SCHEDULER

_THREADS = 3  # texts, e-mails and the sweep side by side
_PATIENCE = 30.0  # seconds to let a batch that is on its way come to its end


class EmbeddedWorker:
    """Use it as a context manager: inside the block, due messages go out."""

    def __init__(self, celery: Celery) -> None:
        # The plain controller installs no signal handlers, which only a main thread may do.
        self._controller: Any = WorkController(
            app=celery,
            pool="threads",
            concurrency=_THREADS,
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
        )
        self._thread = threading.Thread(target=self._controller.start, name="worker", daemon=True)
        self._beat: Any = EmbeddedService(celery, thread=True, scheduler_cls=SCHEDULER)

    def __enter__(self) -> Self:
        self._thread.start()
        self._beat.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # The beat's next tick ends the wait for messages, so it goes last.
        self._controller.stop()
        self._beat.stop()
        self._thread.join(_PATIENCE)
        reset_state()
