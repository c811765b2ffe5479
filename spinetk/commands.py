"""Verbs of no single room, and of rooms whose package is too heavy to import for ``--help``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from spinetk.batch.options import PoolOptions, given_inputs
from spinetk.errors import InputError
from spinetk.exits import leave
from spinetk.options import AsJson, Out, Seed, grouped, show, verbs, warn

app = verbs()


@app.command()
@grouped
def info(
    options: PoolOptions,
    files: Annotated[list[Path] | None, typer.Argument(help="Files, series folders, patterns.")] = None,
    as_json: AsJson = False,
) -> None:
    """What a file is: modality, size, spacing and its source, polarity, orientation. No model needed."""
    from spinetk.batch.sources import sources
    from spinetk.images.info import describe, render

    described, failures = [], []
    given = given_inputs([str(file) for file in files or []], options.lists)
    asked = sources(given, options.lists or [], expand=lambda paths: paths)
    if not options.pooled:
        # Without a pool, whose libraries take longer than a file.
        for file in map(Path, asked):
            try:
                described.append(describe(file, decode=True))
            except InputError as error:
                failures.append(str(error))
    else:
        from spinetk.batch.each import do_each

        with options.pool() as pool:
            outcomes = do_each(asked, _describe, pool).values()
        described = [outcome.about for outcome in outcomes if outcome.state == "done"]
        failures = [outcome.why for outcome in outcomes if outcome.state != "done"]
    if as_json:
        show(described)
    else:
        typer.echo("\n\n".join(render(d) for d in described))
    warn(failures)
    leave(len(described), len(failures))


def _describe(path: Path, source: str, out: Path, stem: str) -> dict[str, Any]:
    """The work of a pool."""
    from spinetk.images.info import describe

    return describe(path, decode=True)


@app.command()
def phantom(
    out: Out,
    cases: Annotated[int, typer.Option(help="Number of cases.")] = 24,
    width: Annotated[int | None, typer.Option(help="Resize to this width in px.")] = None,
    hardware_share: Annotated[float, typer.Option(help="Share of the cases with screws, rods or cement.")] = 0.2,
    seed: Seed = 0,
) -> None:
    """Make synthetic lateral radiographs and sagittal MR slices with exact truth, as a case folder."""
    from spinetk.phantoms import write_phantom_set

    names = write_phantom_set(out, cases, seed=seed, width=width, hardware_share=hardware_share)
    typer.echo(f"{len(names)} cases in {out}")


@app.command()
def models(as_json: AsJson = False) -> None:
    """Every network and released weight, with its number of parameters."""
    from spinetk import zoo
    from spinetk.discs.registry import ENTRIES as DISCS
    from spinetk.keypoints.registry import ENTRIES as KEYPOINTS
    from spinetk.segmentation.registry import ENTRIES as SEGMENTATION

    networks: list[tuple[str, Any, str | None]] = [
        ("keypoints", entry, f"--network {entry.name}") for entry in KEYPOINTS
    ]
    networks += [("discs", entry, entry.chosen_by) for entry in DISCS]
    networks += [(entry.tasks[0], entry, f"--network {entry.name}") for entry in SEGMENTATION]
    rows: list[dict[str, Any]] = [
        {"name": entry.name, "task": task, "released": False, "parameters": entry.parameters, "licence": "Apache-2.0",
         "source": entry.source, "chosen_by": chosen_by}
        for task, entry, chosen_by in networks
    ]  # fmt: skip
    for name, card in zoo.released():
        rows.append(
            {"name": name, "task": card["config"].get("task", "keypoints"), "released": True}
            | {key: card.get(key) for key in ("parameters", "licence", "use", "data")}
        )
    if as_json:
        show(rows)
    else:
        head = f"{'name':<24}{'task':<12}{'kind':<10}{'parameters':>13}  {'licence':<20}chosen by"
        typer.echo(head)
        for row in rows:
            kind = "weights" if row["released"] else "network"
            count = f"{row['parameters']:,}" if row["parameters"] else "-"
            line = f"{row['name']:<24}{row['task']:<12}{kind:<10}{count:>13}  {row['licence']:<20}"
            typer.echo((line + (row.get("chosen_by") or "")).rstrip())
