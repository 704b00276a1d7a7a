"""Listens, serves, and ends when what is running is finished."""

from __future__ import annotations

import gc
import ipaddress
import socket
import sys
from functools import partial
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from uvicorn.supervisors import Multiprocess

from reference_impls.serving.app import create
from reference_impls.serving.settings import Settings

#: Seconds that running requests get beyond their own deadline when the endpoint is stopped.
_GRACE = 5
_BACKLOG = 2048
#: Seconds that a thread may keep the others waiting: the one that writes decisions is waited for by requests.
_SWITCH = 0.0005
#: New objects after which those among them that nobody can reach any more are looked for.
_COLLECTED = 10_000


def check_address(host: str, key_env: str) -> None:
    """Refuses to listen where strangers can reach it, unless they need a key.

    Raises:
        ValueError: one line.
    """
    if not loopback(host) and not key_env:
        raise ValueError(
            f"--host {host}: whoever reaches it could spend your money"
            " (name the variable of a key that clients have to send, --key-env, or stay on 127.0.0.1)"
        )


def loopback(host: str) -> bool:
    """Whether an address is reached from this machine alone.

    >>> loopback("127.0.0.1"), loopback("::1"), loopback("localhost"), loopback("0.0.0.0"), loopback("example.org")
    (True, True, True, False, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Raises:
        ValueError: the address cannot be had: one line.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        made = socket.socket(family, socket.SOCK_STREAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
    except OSError as error:
        raise ValueError(f"{host}:{port}: cannot listen there: {error.strerror} (another --port or --host)") from None
    made.listen(_BACKLOG)
    made.set_inheritable(True)
    return made


def configured(settings: Settings, workers: int = 1) -> uvicorn.Config:
    """The server's own settings, with the application.

    Raises:
        ValueError, ModuleNotFoundError: something is wrong with the settings: one line.
    """
    app = create(settings)
    if workers > 1:  # each makes its own; this one has shown that they can
        app.state.close()
    return uvicorn.Config(
        partial(_made, settings) if workers > 1 else app, factory=workers > 1, workers=workers,
        log_level="warning", access_log=False, server_header=False, proxy_headers=False, timeout_keep_alive=30,
        timeout_graceful_shutdown=int(settings.deadline) + _GRACE, lifespan="on", ws="none", backlog=_BACKLOG,
    )  # fmt: skip


def _made(settings: Settings) -> Starlette:
    """The application of one of several processes."""
    _hurry()
    return create(settings)


def _hurry() -> None:
    """Sets this process up for many short requests: what was loaded until now stays, and is not looked through for
    garbage again and again, which takes up to a tenth of a second.
    """
    sys.setswitchinterval(_SWITCH)
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECTED)


class _Workers(Multiprocess):
    """Processes that listen at one address."""

    def terminate_all(self) -> None:
        """Ends them. The parent has the address too: left open, it would take connections that nobody serves."""
        for own in self.sockets:
            own.close()
        super().terminate_all()


def serve(settings: Settings, own: socket.socket, workers: int = 1) -> None:
    """Serves until it is told to stop; then requests under way are finished.

    Args:
        settings: checked by `check_address`.
        own: of `listening`.
        workers: processes.

    Raises:
        ValueError, ModuleNotFoundError: something is wrong with the settings: one line.
    """
    config = configured(settings, workers)
    if workers > 1:
        _Workers(config, [own]).run()
    else:
        _hurry()
        uvicorn.Server(config).run([own])


def state_beside(config: Path | None) -> Path:
    """Where decisions go if nothing else is said: beside the configuration, else in the working folder."""
    return (config.parent if config else Path()) / "atlas-serve.sqlite"
