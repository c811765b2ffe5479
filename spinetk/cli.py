"""``spinetk VERB``: the command line. The verbs are in the ``commands`` modules, found by :mod:`spinetk.rooms`.

How a verb ends is in :mod:`spinetk.exits`, how it is interrupted in :mod:`spinetk.signals`.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import warnings
from typing import Annotated

import typer

from spinetk._version import __version__
from spinetk.arguments import OriginalFlagError
from spinetk.errors import InputError
from spinetk.exits import ExitCode
from spinetk.extras import missing
from spinetk.options import verbs, warn
from spinetk.rooms import Rooms
from spinetk.signals import Leave, leaving

app = verbs(
    name="spinetk",
    cls=Rooms,
    help="Vertebral landmarks, heights and deformity from radiographs, MR and CT slices. For research use.",
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit


def main() -> None:
    """Run the command line; turn errors into one line and an exit code, and warnings into one line."""
    with leaving(), warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: warn([str(message)])
        try:
            app()
        except InputError as error:
            warn([str(error)])
            sys.exit(ExitCode.BAD_INPUT)
        except OriginalFlagError as error:
            warn(error.lines)
            sys.exit(ExitCode.BAD_INPUT)
        except Leave as stop:
            warn([str(stop)])
            raise
        except KeyboardInterrupt:
            warn([str(Leave(signal.SIGINT))])
            sys.exit(ExitCode.INTERRUPTED)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT) or os.environ.get("SPINETK_DEBUG"):
                _own_fault(error)
            warn([f"{error.filename or 'the results'}: {error.strerror} (make room, then run the same again)"])
            sys.exit(ExitCode.BAD_INPUT)
        except ModuleNotFoundError as error:
            needed = missing(error)
            if needed is None or os.environ.get("SPINETK_DEBUG"):
                _own_fault(error)
            warn([str(needed)])
            sys.exit(ExitCode.BAD_INPUT)
        except Exception as error:
            _own_fault(error)


def _own_fault(error: Exception) -> None:
    if os.environ.get("SPINETK_DEBUG"):
        raise error
    warn([f"internal error, please report it: {type(error).__name__}: {error} (SPINETK_DEBUG=1 shows where)"])
    sys.exit(ExitCode.FAULT)
