"""`python -m tests.faults.dispatcher`: the services of one worker in a plain loop, without Celery.

It waits for the file GO in its folder, so that several begin at the same moment, and runs until killed.
"""

from __future__ import annotations

import time
from pathlib import Path

from journey.bootstrap import build
from journey.domain.pathway import Channel
from journey.services.dispatching import deliver
from journey.services.sweeping import sweep
from journey.settings import read_settings

GO = "go"


def main() -> None:
    worker = build(read_settings()).worker()
    while not Path(GO).exists():
        time.sleep(0.005)
    while True:
        for channel in Channel:
            deliver(worker, channel)
        sweep(worker)
        time.sleep(0.05)


if __name__ == "__main__":
    main()
