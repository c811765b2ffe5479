"""``spinetk segment VERB``: the command line of this room. Heavy libraries are imported inside the verbs.

Options of the original programs are understood with ``_`` and with ``-``: ``--num_layers`` is ``--num-layers``. What is
not given is left to the task's own default.
"""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from spinetk.batch.options import BatchOptions, Inputs, given_inputs
from spinetk.errors import InputError
from spinetk.options import About, AsJson, Device, Out, Part, Seed, grouped, verbs
from spinetk.segmentation.options import (
    AtriumOptions,
    MaskOptions,
    More,
    SegmentOptions,
    SliceOptions,
    Task,
)
from spinetk.training.options import RunOptions, given

app = verbs(
    help="Segment volumes and pictures: left atrium, brain lesions, glands, vessels, skin, cells.",
    context_settings={"token_normalize_func": lambda name: name.replace("_", "-").lower()},
)

LOSSES = {"focalloss": "focal", "hybridloss": "hybrid"}
"""What the original calls them, in small letters; Dice is ours too."""
RELEASED = {"atrium": "atrium-vnet"}  # models that come with spinetk

TaskOption = Annotated[Task, typer.Option(help="What is segmented.")]
MODEL = "Weights: a released name, a path, or the folder of a run; "
Averaged = Annotated[
    list[str] | None,
    typer.Option("--model", "--segmentor-path", help=MODEL + "several are averaged. Atrium: atrium-vnet by default."),
]
Compared = Annotated[list[str], typer.Option("--model", help=MODEL + "repeat it to compare; A,B averages two.")]
Pictures = Annotated[bool, typer.Option("--pictures/--no-pictures", help="Also draw contours on slices.")]


@app.command()
@grouped
def train(
    source: Annotated[Path, typer.Argument(help="Folder of the cases; for the atrium with raw/ and label/.")],
    options: SegmentOptions,
    atrium: AtriumOptions,
    slices: SliceOptions,
    run: RunOptions,
    task: TaskOption = "atrium",
    out: Out = Path("output/segment"),
    more: More = None,
) -> None:
    """Train a segmentation network; for the atrium first the locator, then the segmenter."""
    run.forbid_network()
    known, own = options.given(), given(atrium)
    for group, its_own in ((own, task == "atrium"), (given(slices), task == "lesion")):
        if group and not its_own:
            option = next(iter(group)).replace("_", "-")
            raise InputError(f"--{option}", f"is not for the task {task}", "leave it out")
        known |= group
    if "loss" in known:
        known["loss"] = LOSSES.get(known["loss"].lower(), known["loss"].lower())
    if known.get("start") == "random":
        del known["start"]
    _call(task, "train", source, out, more, resume=run.resume, config=run.config, advice=run.advice, **known)


@app.command()
@grouped
def predict(
    masks: MaskOptions,
    batch: BatchOptions,
    inputs: Inputs = None,
    model: Averaged = None,
    task: TaskOption = "atrium",
    out: Annotated[Path, typer.Option("--out", "-o", "--output-dir", help="Folder for the results.")] = Path(
        "output/segment/predict"
    ),
    pictures: Pictures = False,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Masks in the format and geometry of each input; run it again to do what is missing.

    Inputs are volumes, pictures, DICOM series, or folders of them.
    """
    asked = given_inputs(inputs, batch.lists)
    if not model:
        if task not in RELEASED:
            raise InputError(f"task {task}", "has no released model", "train one and give it with --model")
        model = [RELEASED[task]]
    with batch.pool(device) as pool:
        _call(
            task, "predict", asked, out, masks.more, model=model, pictures=pictures, device=device, lists=batch.lists,
            pool=pool, again=not batch.resume, aet=batch.aet, as_json=as_json, **masks.given(),
        )  # fmt: skip


@app.command()
@grouped
def evaluate(
    source: Annotated[Path, typer.Argument(help="Folder of the cases, as in training.")],
    model: Compared,
    masks: MaskOptions,
    task: TaskOption = "atrium",
    part: Annotated[Part, typer.Option(help="Part of the split.")] = "val",
    split: Annotated[Path | None, typer.Option(help="split.json of a training; that beside the model.")] = None,
    lesion_rule: Annotated[
        str | None, typer.Option(help="What makes a lesion found: touch (default), cover:SHARE or iou:LEAST.")
    ] = None,
    pictures: Pictures = True,
    device: Device = "auto",
    out: Out = Path("output/segment/evaluation"),
    as_json: AsJson = False,
) -> None:
    """Compare masks with the truth: mean and SD over the cases, distances in mm."""
    _call(
        task, "evaluate", source, out, masks.more, model=model, part=part, split=split, lesion_rule=lesion_rule,
        pictures=pictures, device=device, as_json=as_json, **masks.given(),
    )  # fmt: skip


@app.command()
def phantom(
    out: Out,
    task: TaskOption = "atrium",
    cases: Annotated[int, typer.Option(min=1, help="Number of cases.")] = 24,
    seed: Seed = 0,
) -> None:
    """Make synthetic cases with exact truth, to try the other verbs on."""
    _call(task, "phantom", cases, out, None, seed=seed)


@app.command()
def release(
    model: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a training of locator and segmenter.")],
    name: Annotated[str, typer.Argument(help="Name of the release.")],
    about: About,
    metrics: Annotated[Path | None, typer.Option(help="summary.json of `segment evaluate`.")] = None,
    task: TaskOption = "atrium",
    out: Out = Path("output/segment/release"),
) -> None:
    """Write NAME.safetensors (half precision) and NAME.json, its model card."""
    from spinetk.zoo import read_about

    fields = read_about(about, ("licence", "use", "data", "command"))
    said = fields.pop("task", task)
    if said != task:
        raise InputError(about, f"is about the task {said!r}, not {task!r}", f"give --task {said}")
    _call(task, "release", model, out, None, name=name, metrics=metrics, **fields)


def _call(task: Task, verb: str, what: Any, out: Path, more: list[str] | None, **options: Any) -> None:
    """Hand a verb over to the task's module with the options that were given."""
    known = {name: value for name, value in options.items() if value is not None and value != []}
    known |= dict(_extra(text) for text in more or [])
    if task != "atrium":
        known["task"] = task
    module = import_module(f"spinetk.segmentation.{'atrium' if task == 'atrium' else 'slices'}.commands")
    function = getattr(module, verb, None)
    if function is None:
        raise InputError(f"task {task}", f"has no {verb}", "choose another task")
    function(what, out, **known)


def _extra(text: str) -> tuple[str, Any]:
    name, found, value = text.partition("=")
    if not found or not name:
        raise InputError(f"--set {text}", "is not NAME=VALUE", "for example --set activation=elu")
    try:
        return name.replace("-", "_"), json.loads(value)
    except ValueError:
        return name.replace("-", "_"), value
