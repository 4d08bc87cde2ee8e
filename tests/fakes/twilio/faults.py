"""Harm on demand: hung and reset connections, and killed processes."""

import asyncio
import os
import signal
import socket
import struct

import psutil
from aiohttp import web

from tests.fakes.twilio.rules import Action


async def hang(request: web.BaseRequest) -> None:
    """Keep silent until the client goes away."""
    while request.transport is not None and not request.transport.is_closing():
        await asyncio.sleep(0.05)


def reset(request: web.BaseRequest) -> None:
    """Close with a TCP RST instead of a polite end."""
    if request.transport is None:
        return
    connection = request.transport.get_extra_info("socket")
    if connection is not None:
        # Linger of zero seconds: the kernel throws away what is unsent and resets.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.transport.abort()


def kill(request: web.BaseRequest, action: Action) -> list[int]:
    """SIGKILL the process or group an action names; return what was really hit."""
    pid = peer_pid(request) if action.kind == "kill_peer" else action.pid
    if pid is None:
        return []
    try:
        if action.kind == "killpg":
            os.killpg(pid, signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return []
    return [pid]


def peer_pid(request: web.BaseRequest) -> int | None:
    """The process that owns the client's end of this connection, such as a prefork child."""
    if request.transport is None:
        return None
    theirs = request.transport.get_extra_info("peername")
    ours = request.transport.get_extra_info("sockname")
    for connection in psutil.net_connections("tcp4"):
        if connection.laddr == theirs and connection.raddr == ours:
            return connection.pid
    return None
