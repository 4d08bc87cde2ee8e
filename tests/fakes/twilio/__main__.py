"""Command line: `python -m tests.fakes.twilio --port 0 --ledger FILE`."""

import argparse
import asyncio

from aiohttp import web

from tests.fakes.ledger import Ledger
from tests.fakes.serving import announce_and_wait, base_parser
from tests.fakes.twilio.server import TwilioServer


async def serve(options: argparse.Namespace) -> None:
    ledger = Ledger(options.ledger, fsync=not options.no_fsync)
    fake = TwilioServer(ledger, options.account_sid, options.auth_token)
    # The low-level server: no routing, no middlewares, no access log on the hot path.
    server = web.Server(fake.handle, access_log=None, keepalive_timeout=600.0)
    runner = web.ServerRunner(server, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", options.port, backlog=1024).start()
    _, port = runner.addresses[0]
    await announce_and_wait(f"http://127.0.0.1:{port}")
    await fake.callbacks.close()
    await runner.cleanup()


def main() -> None:
    parser = base_parser("A fake Twilio on loopback.")
    parser.add_argument("--account-sid", default="AC" + "0" * 32)
    parser.add_argument("--auth-token", default="fake-auth-token")
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
