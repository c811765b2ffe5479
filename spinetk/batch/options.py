"""Options of the verbs that work on many inputs. Light to import."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spinetk.errors import InputError
from spinetk.pacs.address import check_title

if TYPE_CHECKING:
    from spinetk.batch.pools import Pool

Inputs = Annotated[
    list[str] | None,
    typer.Argument(help="Files, folders, patterns, dicomweb+http://HOST/PATH/studies?..., dicom://AET@HOST:PORT."),
]
Lists = Annotated[list[Path] | None, typer.Option("--list", help="File with one input per line; - is standard input.")]


def checked_series(series: str | None) -> str | None:
    """What ``--series`` takes: a number, counted from 1, or the key that a result names.

    Raises:
        InputError: It is neither, and no input can have it.
    """
    if series is not None and not re.fullmatch(r"[1-9]\d{0,4}|[0-9a-f]{12}", series):
        raise InputError(f"--series {series}", "is no number of a series", "see `spinetk info`; the first is 1")
    return series


Series = Annotated[
    str | None,
    typer.Option(
        callback=checked_series, help="Which of several series of a folder or file: its number in `spinetk info`."
    ),
]


@dataclass(frozen=True)
class PoolOptions:
    """Options of the verbs that do many inputs: alone, with several processes, or on a cluster."""

    lists: Lists = None
    workers: Annotated[
        int | None,
        typer.Option(
            help="Processes on this machine; with --slurm or --pbs, jobs.",
            show_default="1; predict on a CPU: one per core for 8 pictures or more",
        ),
    ] = None
    scheduler: Annotated[
        str | None, typer.Option(help="Dask scheduler that hands out the inputs, e.g. tcp://HOST:8786.")
    ] = None
    slurm: Annotated[bool, typer.Option("--slurm", help="Submit --workers jobs to SLURM, each a Dask worker.")] = False
    pbs: Annotated[bool, typer.Option("--pbs", help="The same with PBS.")] = False
    job: Annotated[
        list[str] | None, typer.Option(help="NAME=VALUE of dask-jobqueue, e.g. memory=16GB; may be repeated.")
    ] = None

    @property
    def pooled(self) -> bool:
        """Whether any pool was asked for."""
        return self.workers is not None or self.scheduler is not None or self.slurm or self.pbs or bool(self.job)

    def pool(self, device: str = "cpu") -> Pool:
        """The pool that they ask for.

        Raises:
            InputError: As of :func:`spinetk.batch.opening.open_pool`.
        """
        from spinetk.batch.opening import open_pool

        if self.slurm and self.pbs:
            raise InputError("--slurm", "and --pbs exclude each other", "give the one that this machine has")
        if self.job and not (self.slurm or self.pbs):
            raise InputError("--job", "is for --slurm and --pbs", "leave it out")
        system = "slurm" if self.slurm else "pbs" if self.pbs else None
        pool = open_pool(self.workers, self.scheduler, system, self.job or [], device=device)
        if pool.dashboard:
            typer.echo(f"dashboard: {pool.dashboard}", err=True)
        return pool


@dataclass(frozen=True)
class BatchOptions(PoolOptions):
    """Options of the verbs whose results are kept in a folder, and whose inputs may lie in an archive."""

    resume: Annotated[
        bool,
        typer.Option(
            "--resume/--no-resume", " /--again", help="Do what is missing in the folder, or everything again."
        ),
    ] = True
    aet: Annotated[str, typer.Option(callback=check_title, help="Own AE title, for archives by DIMSE.")] = "SPINETK"


def given_inputs(inputs: Sequence[str] | None, lists: Sequence[Path] | None) -> list[str]:
    """The inputs of a command line, which needs some or a list of some.

    Raises:
        InputError: It has neither.
    """
    if not inputs and not lists:
        raise InputError("the command", "names no input", "give files or folders, or --list FILE")
    return list(inputs or [])
