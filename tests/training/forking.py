"""Programs in processes of their own that need not import torch and Lightning: copies of a server that has them.

A process started anew spends five seconds of processor on imports, which a test of signals is not about.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Mapping
from multiprocessing.process import BaseProcess
from pathlib import Path


def begin(code: str, said: Path, environment: Mapping[str, str] | None = None) -> BaseProcess:
    """Start a program; what it prints goes to ``said``."""
    process = multiprocessing.get_context("forkserver").Process(target=_run, args=(code, said, dict(environment or {})))
    process.start()
    return process


def ended(process: BaseProcess, seconds: float = 300) -> int:
    """Its exit code; the limit is there for a program that would never end."""
    process.join(seconds)
    if process.exitcode is None:
        process.kill()
        process.join()
    return process.exitcode


def _run(code: str, said: Path, environment: Mapping[str, str]) -> None:
    os.environ.update(environment)
    if "RANK" in environment:
        from lightning.fabric.utilities.rank_zero import rank_zero_only

        rank_zero_only.rank = int(environment["RANK"])  # it has been asked for when Lightning was imported
    handle = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(handle, stream)
    exec(compile(code, str(said), "exec"), {"__name__": "__main__"})
