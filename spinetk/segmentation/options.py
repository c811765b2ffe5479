"""Options of ``spinetk segment``: which of them a task takes. Light to import."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import typer

from spinetk.errors import InputError
from spinetk.exits import leave
from spinetk.options import show, warn
from spinetk.training.options import Start, TrainingOptions, given

if TYPE_CHECKING:
    from spinetk.batch.pools import Pool

T = TypeVar("T")


Task = Literal["atrium", "lesion", "gland", "vessel", "skin", "cells"]
Stage = Literal["both", "locator", "segmenter"]
"""Which network of the atrium is trained."""

How = Literal["locate", "slide"]
"""Where the segmenter looks."""

Schedule = Literal["falling", "threshold-dice", "constant", "increase", "rebalance"]
"""How the weights of the hybrid loss move."""


class Axis(StrEnum):
    """Axis of a slice; Typer knows no lists of a Literal."""

    ROWS = "rows"
    COLUMNS = "columns"


@dataclass(frozen=True)
class SegmentOptions(TrainingOptions):
    """How a network of segmentation is trained, whatever the task."""

    network: Annotated[str | None, typer.Option(help="Name of a network, see `spinetk models`.")] = None
    iterations: Annotated[
        int | None, typer.Option(min=1, help="Total iterations, those before a resume included.", show_default="5000")
    ] = None
    epochs: Annotated[
        int | None,
        typer.Option(
            "--epochs",
            "--max-epochs",
            min=1,
            help="Passes over the cases (atrium: six each, as published), in place of --iterations.",
        ),
    ] = None
    loss: Annotated[
        str | None,
        typer.Option("--loss", "--loss-criterion", help="Dice, FocalLoss, HybridLoss, or a name of spinetk's losses."),
    ] = None
    start: Start = None


@dataclass(frozen=True)
class AtriumOptions:
    """What is only the atrium's: the V-Net, its locator, its geometry."""

    stage: Annotated[
        Stage | None, typer.Option(help="Atrium: which network to train; the options are its own.", show_default="both")
    ] = None
    loss_schedule: Annotated[
        Schedule | None,
        typer.Option(
            "--loss-schedule", "--schedule", help="Atrium: schedule of the hybrid loss.", show_default="falling"
        ),
    ] = None
    factor: Annotated[
        float | None, typer.Option("--factor", "--reduce", help="Atrium: factor of the learning rate at a plateau.")
    ] = None
    patience: Annotated[
        int | None, typer.Option(min=0, help="Atrium: validations without gain that make a plateau.")
    ] = None
    layers: Annotated[
        int | None, typer.Option("--layers", "--num-layers", min=1, help="V-Net: convolutions in the outer blocks.")
    ] = None
    dilation: Annotated[int | None, typer.Option(min=1, help="V-Net: dilation of the encoder's convolutions.")] = None
    attention: Annotated[
        bool | None,
        typer.Option(
            "--attention/--no-attention",
            "--attention-module/--no-attention-module",
            help="V-Net: attention in the encoder.",
        ),
    ] = None
    attention_reduction: Annotated[int | None, typer.Option(min=1, help="V-Net: channels inside the attention.")] = None
    attention_dilation: Annotated[int | None, typer.Option(min=1, help="V-Net: dilation inside the attention.")] = None
    locator_network: Annotated[str | None, typer.Option(help="Atrium: network of the locator.")] = None
    locator_iterations: Annotated[int | None, typer.Option(min=1, help="Atrium: iterations of the locator.")] = None
    locator_batch: Annotated[
        int | None,
        typer.Option(
            "--locator-batch", "--locator-batch-size", min=1, help="Atrium: crops per iteration of the locator."
        ),
    ] = None
    locator_rate: Annotated[
        float | None,
        typer.Option("--locator-rate", "--locator-learning-rate", help="Atrium: learning rate of the locator."),
    ] = None
    grid: Annotated[
        str | None,
        typer.Option(help="Atrium: spacing to work at, MM or SLICE,ROW,COLUMN; by default that of the data."),
    ] = None
    margin: Annotated[
        float | None, typer.Option(min=0, help="Atrium: mm around the locator's find.", show_default="10")
    ] = None


@dataclass(frozen=True)
class SliceOptions:
    """What is only for slices of volumes."""

    channels: Annotated[int | None, typer.Option(min=1, help="Lesion: neighbouring slices the network sees.")] = None
    positive_rate: Annotated[float | None, typer.Option(min=0, max=1, help="Lesion: share of slices with one.")] = None


More = Annotated[list[str] | None, typer.Option("--set", help="NAME=VALUE: an option of the task that has no flag.")]


@dataclass(frozen=True)
class MaskOptions:
    """How masks are made, for ``predict`` and ``evaluate``."""

    locator: Annotated[
        str | None,
        typer.Option("--locator", "--locator-path", help="Atrium: weights of the locator, if not with the model."),
    ] = None
    how: Annotated[
        How | None,
        typer.Option(help="Atrium: a crop that the locator finds, or a sliding window.", show_default="locate"),
    ] = None
    flip: Annotated[
        list[Axis] | None, typer.Option(help="Average over a copy flipped along this axis too; repeatable.")
    ] = None
    surface: Annotated[bool, typer.Option("--surface/--no-surface", help="Atrium: also a turning surface (GIF).")] = (
        False
    )
    more: More = None

    def given(self) -> dict[str, Any]:
        """What was given, but for ``more``."""
        return {name: value for name, value in given(self).items() if value and name != "more"}


@dataclass(frozen=True)
class Prediction:
    """What the verb ``predict`` is told, whatever the task.

    Attributes:
        flip: Axes whose flipped copies are averaged too.
        pictures: Also draw outlines.
        device: Where the network runs.
        lists, pool, again, aet: As of :func:`spinetk.segmentation.batch.mask_files`.
        as_json: Print what ``run.json`` holds in place of a line.
    """

    flip: Sequence[str] = ()
    pictures: bool = False
    device: str = "auto"
    lists: Sequence[Path] = ()
    pool: Pool | None = None
    again: bool = False
    aet: str = "SPINETK"
    as_json: bool = False


@dataclass(frozen=True)
class Evaluation:
    """What the verb ``evaluate`` is told, whatever the task.

    Attributes:
        part: ``train``, ``val`` or ``test`` of the split, or ``all``.
        split: ``split.json`` of the training; None looks beside the weights.
        flip: Axes whose flipped copies are averaged too.
        pictures: Draw outlines of truth and prediction for every case.
        device: Where the network runs.
        as_json: Print JSON instead of a table.
    """

    part: str = "val"
    split: str | Path | None = None
    flip: Sequence[str] = ()
    pictures: bool = False
    device: str = "auto"
    as_json: bool = False


def of(kind: type[T], options: dict[str, Any]) -> T:
    """Options of a verb as its dataclass.

    Raises:
        InputError: One of them is not for the task.
    """
    known = {f.name for f in fields(kind)}  # type: ignore[arg-type]
    strange = sorted(options.keys() - known)
    if strange:
        raise InputError(f"option {strange[0]}", "is not for this task", "leave it out")
    return kind(**options)


def split_seed(seed: int | None, settings: dict[str, Any]) -> int:
    """The seed that cases are split by: what is given, else that of the settings file, else 0."""
    if seed is None and settings.get("config") is not None:
        from spinetk.training.settings import read_settings

        seed = read_settings(settings["config"]).get("seed")
    return seed or 0


def say_done(run: dict[str, Any], out: Path, empty: Sequence[str], as_json: bool) -> None:
    """Say what became of a folder of inputs, and leave with the exit code for it.

    Args:
        run: What ``run.json`` holds.
        out: Folder of the masks.
        empty: Lines on inputs in which nothing was found.
        as_json: Print ``run`` on standard output.
    """
    if as_json:
        show(run)
    warn([f"{entry['file']}: {remark}" for entry in run["written"] for remark in entry["remarks"]])
    warn([failure["why"] for failure in run["failed"]])
    warn(list(empty))
    typer.echo(f"{len(run['written'])} masks in {out}, {len(run['failed'])} failed", err=as_json)
    leave(len(run["written"]), len(run["failed"]))
