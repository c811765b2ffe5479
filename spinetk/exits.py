"""Exit codes: what a verb tells the shell. The one table; ``docs/reference/exit-codes.md`` is made from it."""

from __future__ import annotations

from enum import IntEnum

import typer


class ExitCode(IntEnum):
    """How a verb ended."""

    DONE = 0
    FAULT = 1
    BAD_INPUT = 2
    PARTLY = 3
    INTERRUPTED = 130
    TERMINATED = 143


MEANING = {
    ExitCode.DONE: "All that was asked for is done; what was guessed about an input is said in remarks.",
    ExitCode.FAULT: "The program is at fault: please report the line it prints (SPINETK_DEBUG=1 shows where).",
    ExitCode.BAD_INPUT: "Nothing could be done: an option, a file, a model card, a setting or every input cannot be "
    "used, or the disk is full. Each line names the file, what is wrong and what to do.",
    ExitCode.PARTLY: "Some inputs failed, each in one line, and the others are done.",
    ExitCode.INTERRUPTED: "Ctrl+C (SIGINT): left within two seconds. What was finished is kept; a training goes on "
    "with --resume.",
    ExitCode.TERMINATED: "SIGTERM, as of kill, SLURM or a container: the same.",
}


def leave(done: int, failed: int) -> None:
    """End a verb that took many inputs, by how many were done and how many failed.

    Raises:
        typer.Exit: ``PARTLY`` when some failed, ``BAD_INPUT`` when nothing was done.
    """
    if not done:
        raise typer.Exit(ExitCode.BAD_INPUT)
    if failed:
        raise typer.Exit(ExitCode.PARTLY)
