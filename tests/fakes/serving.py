"""What every fake's command line shares: its options, its ready line, and its end."""

import argparse
import asyncio
import signal
import sys
from pathlib import Path


def base_parser(description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--ledger", type=Path, required=True, help="JSON lines, appended")
    parser.add_argument("--no-fsync", action="store_true", help="do not wait for the disk")
    return parser


async def announce_and_wait(address: str) -> None:
    """Print the line that controllers wait for, then run until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    sys.stdout.write(f"listening on {address}\n")
    sys.stdout.flush()
    await stop.wait()
