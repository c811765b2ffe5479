"""The whole job behind ``run.py``: prepare, split, train, evaluate, draw, as the original's script meant to."""

from __future__ import annotations

import shutil
import sys
import warnings
from pathlib import Path

from spinetk.errors import InputError

EMBEDDED = Path(__file__).resolve().parent.parent / "data" / "phantoms"
OUTPUT = Path("output")
USAGE = "usage: python run.py [DIR [vis]]   (DIR holds case folders; without it the phantoms in data/ are used)"

# For the embedded phantoms: minutes on two cores, from a released model to this very set.
EMBEDDED_COPIES = 2
EMBEDDED_ITERATIONS = 60
STARTER = "xray-lateral"
# The original's.
ITERATIONS = 1300


def main(arguments: list[str]) -> int:
    """``run.py [DIR [vis]]``; returns the exit code (0 done, 2 bad input)."""
    if len(arguments) > 2 or (len(arguments) == 2 and arguments[1] != "vis") or arguments[:1] in (["-h"], ["--help"]):
        print(USAGE)
        return 0 if "-h" in arguments or "--help" in arguments else 2
    from spinetk.options import warn

    try:
        with warnings.catch_warnings():
            warnings.showwarning = lambda message, *_, **__: warn([str(message)])
            if arguments:
                run(Path(arguments[0]), OUTPUT, visualise=len(arguments) == 2)
            else:
                run_embedded(OUTPUT)
    except InputError as error:
        print(f"spinetk: {error}", file=sys.stderr)
        return 2
    return 0


def run_embedded(output: Path, iterations: int = EMBEDDED_ITERATIONS) -> None:
    """The job on the embedded phantoms, on a copy so that ``data/`` stays as it is."""
    from spinetk.cases.augmentation import augment

    if not EMBEDDED.is_dir():
        raise InputError(EMBEDDED, "the embedded phantoms are missing", "run from a checkout, or give a folder")
    cases = output / "cases"
    if cases.exists():
        shutil.rmtree(cases)
    shutil.copytree(EMBEDDED, cases)
    print(f"1. prepare: phantoms copied to {cases}, {EMBEDDED_COPIES} augmented copies each")
    augment(cases, copies=EMBEDDED_COPIES, hardware_copies=EMBEDDED_COPIES + 1)
    run(cases, output, visualise=True, version="phantoms", iterations=iterations, preset="centre", start=STARTER)


def run(
    base: Path,
    output: Path,
    *,
    visualise: bool = False,
    version: str = "v1",
    iterations: int = ITERATIONS,
    preset: str | None = None,
    start: str = "random",
) -> None:
    """Split, train (resuming a run of the same version), evaluate on the test part, and draw what was found.

    Args:
        base: Case folders.
        output: Receives ``samples/`` (with ``visualise``), the run, ``model_final.pth``, ``evaluation/`` and
            ``predict/`` (overlay and JSON per test case, ``vertebrae.csv``) and ``report/`` (pages, ``index.html``).
        visualise: Draw samples of the training part.
        version: Name of the run.
        iterations: Total iterations.
        preset, start: As in :func:`spinetk.keypoints.trainer.train`.
    """
    from spinetk.cases.catalog import DatasetCatalog, setup_catalogs
    from spinetk.cases.folder import CaseFolder
    from spinetk.cases.preview import visualize_sample
    from spinetk.cases.splitting import make_split
    from spinetk.keypoints.batch import predict_cases
    from spinetk.keypoints.evaluation import evaluate
    from spinetk.keypoints.original import inference
    from spinetk.keypoints.trainer import train
    from spinetk.report.results import write_reports

    x_train, x_val, x_test, *_ = make_split(base)
    print(f"2. split: {len(x_train)} train, {len(x_val)} val, {len(x_test)} test cases (kept in {base / 'split.json'})")
    folder = CaseFolder(base)
    metadata = setup_catalogs(version, x_train, x_val, x_test, schema=folder.schema())
    if visualise:
        visualize_sample(DatasetCatalog.get(f"vert{version}_train"), metadata, out=output / "samples")
    print(f"3. train: {iterations} iterations")
    weights = train(version, iterations, True, preset=preset, start=start, output=output)
    predictor = inference(weights, 0.6)
    print("4. evaluate on the test part")
    scores = evaluate(base, "test", predictor, output / "evaluation")
    for key in ("pictures", "vertebrae", "missed", "duplicated", "false", "median_px", "median_mm", "median_percent",
                "bbox_AP", "keypoints_AP"):  # fmt: skip
        print(f"   {key:>15}  {scores[key]}")
    print("5. predict the test pictures")
    batch = predict_cases(base, x_test.index, output / "predict", predictor)
    write_reports(batch.results, output / "report")
    print(
        f"done: overlays and tables in {output / 'predict'}, worst cases with truth in {output / 'evaluation'}, "
        f"pages in {output / 'report' / 'index.html'}"
    )
