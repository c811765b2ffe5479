"""Options of every verb that trains. Light to import.

A field is an option, named after the setting it stands for (:class:`spinetk.training.settings.Settings`). None says
that it was not given: then the settings file, the run that goes on, or the setting's own default holds.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any

import typer


@dataclass(frozen=True)
class TrainingOptions:
    """How a network is trained; each room adds its own.

    The second names of an option are those of the original programs and of earlier versions.
    """

    iterations: Annotated[int | None, typer.Option(min=1, help="Total iterations, those before a resume included.")] = (
        None
    )
    batch: Annotated[
        int | None,
        typer.Option("--batch", "--batch-size", "--train-batch", min=1, help="Pictures or crops per iteration."),
    ] = None
    rate: Annotated[float | None, typer.Option("--rate", "--learning-rate", "--lr", help="Peak learning rate.")] = None
    best_by: Annotated[
        str | None,
        typer.Option(help="Logged value that picks the best weights: a loss or a score.", show_default="val_loss"),
    ] = None
    early_stop: Annotated[
        bool | None,
        typer.Option(
            "--early-stop/--no-early-stop", help="Stop once val_loss falls by less than 10 % in 100 iterations."
        ),
    ] = None
    check_every: Annotated[int | None, typer.Option(min=1, help="Iterations between validations.")] = None
    seed: Annotated[int | None, typer.Option(help="Seed of everything random.", show_default="0")] = None
    workers: Annotated[
        int | None,
        typer.Option(min=0, help="Processes that prepare data; results do not depend on it.", show_default="0"),
    ] = None
    device: Annotated[str | None, typer.Option(help="auto, cpu or cuda.", show_default="auto")] = None
    devices: Annotated[
        int | None, typer.Option(min=1, help="Processes on each machine, one per GPU; by default as launched, else 1.")
    ] = None
    nodes: Annotated[int | None, typer.Option(min=1, help="Machines; by default as launched, else 1.")] = None
    accumulate: Annotated[
        int | None,
        typer.Option(min=1, help="Parts to split a batch into where it does not fit in memory.", show_default="1"),
    ] = None
    precision: Annotated[str | None, typer.Option(help="auto, 32-true, bf16-mixed, ...", show_default="auto")] = None
    compile: Annotated[
        bool | None, typer.Option("--compile/--no-compile", help="Compile the network with torch.compile.")
    ] = None

    def given(self) -> dict[str, Any]:
        """The settings that were given."""
        return given(self)


@dataclass(frozen=True)
class RunOptions:
    """Where a training begins, and whether it is one."""

    resume: Annotated[bool, typer.Option("--resume/--no-resume", help="Continue from the newest checkpoint.")] = False
    config: Annotated[
        Path | None,
        typer.Option(help="Settings file (JSON, TOML, YAML), or settings.json of a run; options override it."),
    ] = None
    find_rate: Annotated[
        bool, typer.Option("--find-rate", help="Only suggest a learning rate (Lightning's finder).")
    ] = False
    fit_batch: Annotated[bool, typer.Option("--fit-batch", help="Only find the largest batch that fits the GPU.")] = (
        False
    )
    offline: Annotated[
        bool, typer.Option("--offline", envvar="SPINETK_OFFLINE", help="Never use the network, even for --start.")
    ] = False

    @property
    def advice(self) -> list[str]:
        """What is asked of Lightning's finders: ``rate``, ``batch``, both or nothing."""
        return [what for what, asked in (("rate", self.find_rate), ("batch", self.fit_batch)) if asked]

    def forbid_network(self) -> None:
        """Have :func:`spinetk.training.download.offline` say so, here and in the processes of the run."""
        if self.offline:
            os.environ["SPINETK_OFFLINE"] = "1"


Devices = Annotated[
    int | None, typer.Option(min=1, help="Processes on each machine, one per GPU; by default as launched, else 1.")
]
Nodes = Annotated[int | None, typer.Option(min=1, help="Machines; by default as launched, else 1.")]
Start = Annotated[
    str | None,
    typer.Option(
        help="Weights to start from: random, imagenet or coco (both downloaded once), or a name or path.",
        show_default="random",
    ),
]


def given(options: Any) -> dict[str, Any]:
    """What was given of a group of options."""
    chosen = {f.name: getattr(options, f.name) for f in fields(options)}
    return {name: value for name, value in chosen.items() if value is not None}


def first() -> bool:
    """Whether this is the first, or the only, process of a run."""
    torch: Any = sys.modules.get("torch")
    ready = torch is not None and torch.distributed.is_available() and torch.distributed.is_initialized()
    return not ready or torch.distributed.get_rank() == 0


def say_once(text: str) -> None:
    """Print a line, in the first of several processes."""
    if first():
        typer.echo(text)
