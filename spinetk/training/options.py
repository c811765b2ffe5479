"""Options of every verb that trains, and which of them were given. Light to import."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

Config = Annotated[
    Path | None,
    typer.Option(help="Settings file (JSON, TOML, YAML), or settings.json of a run; flags win over it."),
]
Devices = Annotated[
    int | None, typer.Option(min=1, help="Processes on each machine, one a GPU; by default as launched, else 1.")
]
Nodes = Annotated[int | None, typer.Option(min=1, help="Machines; by default as launched, else 1.")]
Accumulate = Annotated[int, typer.Option(min=1, help="Parts to compute a batch in, where it does not fit.")]
Compile = Annotated[bool, typer.Option("--compile/--no-compile", help="Compile the network with torch.compile.")]
BestBy = Annotated[str, typer.Option(help="Logged value that chooses the best weights: a loss or a score.")]
Precision = Annotated[str, typer.Option(help="auto, 32-true, bf16-mixed, ...")]
Workers = Annotated[int, typer.Option(min=0, help="Processes that prepare data; results do not depend on it.")]
Offline = Annotated[
    bool, typer.Option("--offline", envvar="SPINETK_OFFLINE", help="Never use the network, even for --start.")
]
FindRate = Annotated[bool, typer.Option("--find-rate", help="Only advise on a learning rate (Lightning's finder).")]
FitBatch = Annotated[bool, typer.Option("--fit-batch", help="Only find the largest batch that fits the GPU.")]


def forbid_network(offline: bool) -> None:
    """Have :func:`spinetk.training.download.offline` say so, here and in the processes of the run."""
    if offline:
        os.environ["SPINETK_OFFLINE"] = "1"


def first() -> bool:
    """Whether this is the first, or the only, process of a run."""
    import sys

    torch = sys.modules.get("torch")
    ready = torch is not None and torch.distributed.is_available() and torch.distributed.is_initialized()
    return not ready or torch.distributed.get_rank() == 0


def say_once(text: str) -> None:
    """Print a line, in the first of several processes."""
    if first():
        typer.echo(text)


def given(context: typer.Context, names: Iterable[str]) -> dict[str, Any]:
    """The options among ``names`` that were given on the command line: they win over a settings file."""
    found = {}
    for name in names:
        source = context.get_parameter_source(name)
        if source is not None and source.name != "DEFAULT":
            found[name] = context.params[name]
    return found
