"""Options of the verbs that work on many inputs. Light to import."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spinetk.errors import InputError

if TYPE_CHECKING:
    from spinetk.batch.pools import Pool

Inputs = Annotated[
    list[str] | None,
    typer.Argument(help="Files, folders, patterns, dicomweb+http://HOST/PATH/studies?..., dicom://AET@HOST:PORT."),
]
Lists = Annotated[list[Path] | None, typer.Option("--list", help="File with an input a line; - is standard input.")]
Resume = Annotated[bool, typer.Option("--resume/--again", help="Do what is missing in the folder, or everything anew.")]
PoolWorkers = Annotated[
    int | None, typer.Option("--workers", help="Processes of this machine; with --slurm or --pbs, jobs.")
]
Scheduler = Annotated[str | None, typer.Option(help="Dask scheduler that deals the inputs out, e.g. tcp://HOST:8786.")]
Slurm = Annotated[bool, typer.Option("--slurm", help="Submit --workers jobs to SLURM, each a Dask worker.")]
Pbs = Annotated[bool, typer.Option("--pbs", help="The same by PBS.")]
Job = Annotated[list[str] | None, typer.Option(help="NAME=VALUE of dask-jobqueue, e.g. memory=16GB; may be repeated.")]
Series = Annotated[
    str | None, typer.Option(help="Which of several series of a folder or file: its number in `spinetk info`.")
]
Aet = Annotated[str, typer.Option(help="Own AE title, for archives by DIMSE.")]


def given_inputs(inputs: Sequence[str] | None, lists: Sequence[Path] | None) -> list[str]:
    """The inputs of a command line, which needs some or a list of some.

    Raises:
        InputError: It has neither.
    """
    if not inputs and not lists:
        raise InputError("the command", "names no input", "give files or folders, or --list FILE")
    return list(inputs or [])


def pool_of(
    workers: int | None,
    scheduler: str | None,
    slurm: bool,
    pbs: bool,
    job: Sequence[str] | None,
    device: str = "cpu",
) -> Pool:
    """The pool that a command line asks for.

    Raises:
        InputError: As of :func:`spinetk.batch.pools.open_pool`.
    """
    from spinetk.batch.pools import Cluster, open_pool

    if slurm and pbs:
        raise InputError("--slurm", "and --pbs exclude each other", "give the one that this machine has")
    if job and not (slurm or pbs):
        raise InputError("--job", "is for --slurm and --pbs", "leave it out")
    system = "slurm" if slurm else "pbs" if pbs else None
    pool = open_pool(workers, scheduler, system, job or [], device=device)
    if isinstance(pool, Cluster) and pool.dashboard:
        typer.echo(f"dashboard: {pool.dashboard}", err=True)
    return pool
