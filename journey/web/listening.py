"""The port that a process serves on: taken before anything else is done, refused in plain words."""

from __future__ import annotations

import socket

from journey.services.context import Refusal

_BACKLOG, _LAST_PORT = 128, 65535


def listen(host: str, port: int) -> socket.socket:
    """A bound socket, taken before anything is prepared. Raises Refusal in plain words."""
    if not 0 <= port <= _LAST_PORT:  # the system would quietly take another one
        raise Refusal(f"--port {port} is no port; choose one from 1024 to {_LAST_PORT}")
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind)
    except (OSError, UnicodeError) as error:
        raise Refusal(f"--host {host} --port {port}: no such address ({error})") from None
    try:
        # Otherwise a port that was in use a moment ago stays refused for a minute.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise Refusal(_why_not(host, port, error)) from None
    return listener


def _why_not(host: str, port: int, error: OSError) -> str:
    if isinstance(error, PermissionError):
        return f"port {port} needs more rights; choose one above 1023, such as --port 8000"
    if error.errno == 98 or "in use" in str(error).lower():
        return f"port {port} is in use by another program; stop it, or choose another: --port {port + 1}"
    return f"{host} port {port} cannot be listened on ({error.strerror}); choose another host or port"


def in_address(host: str) -> str:
    """A host as a browser takes it: everywhere means here, and IPv6 stands in brackets."""
    if host in ("0.0.0.0", "::", ""):
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
