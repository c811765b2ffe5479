"""Server: binds the address, says where the page is, and serves it until interrupted."""

from __future__ import annotations

import asyncio
import secrets
import signal
import socket
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import typer
import uvicorn
from fastapi.concurrency import run_in_threadpool

from spinetk.errors import InputError
from spinetk.options import counted
from spinetk.review import exporting, importing
from spinetk.review.app import create_app
from spinetk.review.session import ReviewSession
from spinetk.signals import saving_with

MOST_WARMING_S = 2.0


def run(
    inputs: Sequence[Path], cases: Path, *, model: str | None, blinded: bool, host: str, port: int, local: bool
) -> None:
    """Serve the review page until interrupted.

    Args:
        inputs: Pictures, results, case folders, or folders of them.
        cases: Case folder that takes the corrections of pictures that are in none.
        model: A weights file the page may use besides the released ones.
        blinded: Whether readers do not see each other's work until both have signed.
        host: Address to bind.
        port: 0 takes a free one.
        local: Whether only this machine can reach ``host``; if not, a token is made and printed.

    Raises:
        InputError: An input holds nothing to show, the model is unknown, or the address cannot be bound.
    """
    _hang_up()
    with ReviewSession(cases, model=model, blinded=blinded) as session, saving_with(session.close):
        for given in inputs:
            session.add(given)
        warming = threading.Thread(target=_warm, args=(session,), daemon=True)
        warming.start()
        token = None if local else secrets.token_urlsafe(24)
        application, listener = create_app(session, token), _bind(host, port)
        warming.join(MOST_WARMING_S)
        address = f"[{host}]" if ":" in host else host
        count = counted(len(session.entries), "picture")
        typer.echo(f"http://{address}:{listener.getsockname()[1]}/  ({count}; Ctrl+C ends)")
        typer.echo(f"corrections go to {session.describe_target()}")
        if token is not None:
            typer.echo(f"token: {token}  (the page asks for it; anyone who has it sees the pictures, unencrypted)")
        # No access log: it would keep a record of who looked at which picture when. Errors are the guard's to say; what
        # uvicorn says of requests that a signal breaks off is of no use.
        settings = uvicorn.Config(
            application,
            log_level="critical",
            access_log=False,
            server_header=False,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=1,
        )
        with listener:
            uvicorn.Server(settings).run(sockets=[listener])


def _hang_up() -> None:
    """A terminal that is closed ends the server as SIGTERM does, unless it was started to outlive it (nohup)."""
    number = getattr(signal, "SIGHUP", None)
    if number is None or threading.current_thread() is not threading.main_thread():
        return
    if signal.getsignal(number) is not signal.SIG_IGN:
        signal.signal(number, lambda *_: signal.raise_signal(signal.SIGTERM))


def _warm(session: ReviewSession) -> None:
    """Do before the address is said what would hold up the page: libraries are loaded for the first picture and for the
    list of formats, and thousands of cases gone through once.
    """
    session.rows()
    exporting.choices(), importing.choices()
    with suppress(InputError):
        for entry in list(session.entries.values())[:1]:
            asyncio.run(run_in_threadpool(session.open, entry))  # as a request does it


def _bind(host: str, port: int) -> socket.socket:
    if not 0 <= port <= 65535:  # the system would take the rest of a division by 65536
        raise InputError(f"--port {port}", "is no port", "give 0 (a free one) to 65535")
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(place)
        listener.listen(128)  # whoever reads the address may call at once
    except OSError as error:
        fault = f"cannot be used ({error.strerror or error})"
        raise InputError(f"{host}:{port}", fault, "another program may have the port: give --port 0") from error
    return listener
