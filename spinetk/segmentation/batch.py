"""Many inputs to masks: what atrium, slices and pictures share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from spinetk import zoo
from spinetk._version import __version__
from spinetk.atomic import write_json
from spinetk.batch.pools import Pool
from spinetk.batch.run import Names, Run, run_batch
from spinetk.batch.sources import sources
from spinetk.batch.task import Maker, content
from spinetk.errors import InputError


def mask_files(
    inputs: Iterable[str | Path],
    output: str | Path,
    maker: Maker,
    settings: dict[str, Any],
    *,
    expand: Callable[[list[Path]], Iterable[Path]],
    name_of: Callable[[str], str],
    lists: Sequence[str | Path] = (),
    pool: Pool | None = None,
    again: bool = True,
    aet: str = "SPINETK",
) -> dict[str, Any]:
    """Do what is missing, see :func:`spinetk.batch.run.run_batch`, and write ``output/run.json``.

    Args:
        inputs, lists: See `spinetk.batch.sources`.
        output: Folder of the masks.
        maker: Makes what writes one mask and says ``mask``, its size and ``remarks``.
        settings: All that a mask depends on; those that are plain words go into ``run.json``.
        expand: Inputs that a folder holds.
        name_of: Name of the mask of an input, suffix included.
        pool, again, aet: As of :func:`spinetk.batch.run.run_batch`.

    Returns:
        What ``run.json`` holds: ``written`` (file, mask, voxels or pixels, seconds, remarks) and ``failed`` (file, why)
        of the inputs named.
    """
    lost: list[dict[str, str]] = []

    def expanded(paths: list[Path]) -> Iterable[Path]:
        for path in paths:
            own = list(expand([path]))
            if not own:
                error = InputError(path, "holds nothing to segment", "give files or another folder")
                lost.append({"file": str(path), "why": str(error)})
            yield from own

    found = list(sources(inputs, lists, expand=expanded, aet=aet))
    kept: dict[str, Any] = {}

    def finish(run: Run) -> None:
        manifest = _manifest(run, settings)
        kept.update(manifest | {"failed": lost + manifest["failed"]})
        write_json(run.out / "run.json", kept)

    run = run_batch(
        found, output, maker, settings, names=Names("{}", ("run.json", "journal.jsonl"), name_of), pool=pool,
        aet=aet, again=again, empty=False, progress=pool is not None, finish=finish,
    )  # fmt: skip
    if not kept:
        finish(run)
    return kept


def maker_of(work: Callable[..., dict[str, Any]], predictor: Any, *options: Any) -> Maker:
    """A maker of work with a predictor that is there already."""
    return partial(partial, work, predictor, *options)


def _manifest(run: Run, settings: dict[str, Any]) -> dict[str, Any]:
    own = list(run.own())
    plain = {name: value for name, value in settings.items() if isinstance(value, str) and name != "spinetk"}
    done = [(source, entry) for source, entry in own if entry.state == "done"]
    written = [{"file": source, "seconds": entry.seconds} | (entry.about or {}) for source, entry in done]
    failed = [{"file": source, "why": entry.why} for source, entry in own if entry.state != "done"]
    return {"spinetk": __version__, **plain, "written": written, "failed": failed}


def digests(models: Iterable[str | None], kind: type[zoo.Card]) -> list[str]:
    """SHA-256 of weights by name or path, of everything in folders of runs; None is left out.

    Args:
        models: The weights.
        kind: The card that a release of the task has.

    Raises:
        InputError: There are none, or a release is of another task by its card.
    """
    found = []
    for name in models:
        if name is None:
            continue
        path = Path(name)
        files = sorted(path.rglob("*.pth")) + sorted(path.rglob("*.safetensors")) if path.is_dir() else [zoo.find(name)]
        for file in files:
            zoo.check_card(file, kind, name)
            found.append(content(file))
    return found
