"""`python -m tests.faults.beatless`: a worker as `journey worker` runs it, but without its own beat."""

from journey.bootstrap import build
from journey.settings import read_settings
from journey.tasks.app import configure

if __name__ == "__main__":
    options = ["--concurrency=2", "--loglevel=WARNING", "--without-gossip", "--without-mingle"]
    configure(build(read_settings())).worker_main(["worker", *options])
