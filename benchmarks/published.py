"""The tables that the originals published, side by side at one budget: several seeds, intervals, curves.

``python benchmarks/published.py TABLE OUT [--data FOLDER] [--iterations N] [--seeds 0,1,2] [--minutes M]``

TABLE is ``discs`` (hourglass, with attention, look once, shape-aware U-Net, plain U-Net), ``lesions`` (nine networks of
slices), ``atrium`` (V-Net, hybrid and focal losses, attention, 16.2 M, MONAI's) or ``skin`` (TMUnet, U-Net, attention
U-Net). Each row is trained and scored by the verbs of ``spinetk``, once a seed, in ``OUT/ROW-SEED``; the seed deals the
parts of the data out, too, alike for all rows. The same command goes on where it was stopped, in the middle of a
training too; ``--minutes`` stops it after that long. At its end it prints what is finished: the mean over the seeds
with its 95 % interval (Student's t), and the differences behind the published order, paired by seed. They are written
to ``OUT/table.md``, the figures of every run to ``OUT/rows.json``, and the validation losses to ``OUT/curves.png``.

Without ``--data`` phantoms are drawn into ``OUT/data``. ``--rows A,B`` takes some rows; ``--set`` and ``--phantom``
hand further words to the trainings and to the drawing, for small trials. ``--leave-one-out`` is for data of few
patients (``lesions``): a seed trains a row once a case, on all the others, and its scores are means over the cases;
nothing is left to validate on, so that the last weights are scored.

``--cost N`` trains nothing to the end: each row is trained for two and for two and N iterations, and what lies between
is the time of N; ``OUT/cost.md`` says how many hours the table takes on this machine.
"""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from published_rows import TABLES, Row, Table, Words

Scores = dict[str, float]


class MinutesOverError(Exception):
    """The minutes are over."""


class Runner:
    """Runs verbs of ``spinetk``, until the minutes are over."""

    def __init__(self, minutes: float | None) -> None:
        self.end = None if minutes is None else time.monotonic() + 60 * minutes

    def __call__(self, *words: object) -> str:
        """What a verb prints; the words of a failing one are in the error."""
        command = [sys.executable, "-m", "spinetk", *map(str, words)]
        left = None if self.end is None else self.end - time.monotonic()
        if left is not None and left <= 0:
            raise MinutesOverError
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                out, _ = process.communicate(timeout=left)
            except subprocess.TimeoutExpired:
                process.terminate()  # a training keeps its checkpoint
                process.communicate()
                raise MinutesOverError from None
        if process.returncode:
            raise RuntimeError(f"{shlex.join(command)} ended with {process.returncode}")
        return out


def train_words(table: Table, row: Row, data: Path, out: Path, iterations: int, seed: int, more: Words) -> Words:
    """The words that train one row with one seed."""
    task = () if table.task is None else ("--task", table.task)
    budget = ("--iterations", str(iterations), "--seed", str(seed), "--resume")
    return (table.verb, "train", str(data), *task, "--out", str(out), *row.train, *table.common, *budget, *more)


def run_row(table: Table, row: Row, data: Path, out: Path, asked: argparse.Namespace, seed: int, run: Runner) -> Scores:
    """Train what is missing and score it."""
    if asked.leave_one_out:
        return leave_one_out(table, row, data, out, asked, seed, run)
    run(*train_words(table, row, data, out, asked.iterations, seed, tuple(asked.set)))
    if table.verb == "discs":
        best = next(path for path in (out / "model_best.pth", out / "model_final.pth") if path.is_file())
        words: Words = ("discs", "evaluate", str(data), "--model", str(best), "--part", "test", "--json")
        words = (*words, "--out", str(out / "scores"))
        method = "search"
        if row.points:
            points, method = out / "points", "lookonce+search"
            budget = ("--iterations", asked.iterations, "--seed", seed, "--resume")
            run("discs", "train", data, "--out", points, "--points-of", best, *budget)
            words = (*words, "--points", str(sorted(points.glob("model_*.pth"))[0]))
        (found,) = [r for r in json.loads(run(*words)) if r["method"] == method]
        return {column: float(found[column]) for column in table.columns if found.get(column) is not None}
    return evaluate_slices(table, data, out, run)


def evaluate_slices(table: Table, data: Path, out: Path, run: Runner, more: Words = ()) -> Scores:
    """Scores of a segmentation on the test part."""
    words = ("segment", "evaluate", str(data), "--task", str(table.task), "--model", str(out), "--part", "test")
    (found,) = json.loads(run(*words, "--json", "--no-pictures", "--out", out / "scores", *more))
    scores = dict(found.get("mean") or found)
    small = found.get("small_lesions") or {}
    scores["small_dice"] = (small.get("pooled") or {}).get("dice")
    return {column: float(scores[column]) for column in table.columns if scores.get(column) is not None}


def leave_one_out(
    table: Table, row: Row, data: Path, out: Path, asked: argparse.Namespace, seed: int, run: Runner
) -> Scores:
    """Each case scored by a training on all the others; means over the cases. What is scored is not trained again."""
    from spinetk.segmentation.data.layouts import find_cases

    contrast = dict(word.split("=", 1) for word in asked.set if "=" in word).get("contrast")
    names = [case.name for case in find_cases(data, str(table.task), contrast=contrast)[1].cases]
    scores: list[Scores] = []
    for name in names:
        fold = out / name
        fold.mkdir(parents=True, exist_ok=True)
        kept = fold / "row.json"
        if not kept.is_file():
            (fold / "train.txt").write_text("".join(f"{other}\n" for other in names if other != name))
            (fold / "test.txt").write_text(f"{name}\n")
            lists = ("--set", f"train_list={fold / 'train.txt'}", "--set", f"test_list={fold / 'test.txt'}")
            run(*train_words(table, row, data, fold, asked.iterations, seed, (*asked.set, *lists)))
            words = ("--set", f"contrast={contrast}") if contrast else ()
            kept.write_text(json.dumps(evaluate_slices(table, data, fold, run, words)))
        scores.append(json.loads(kept.read_text()))
    shared = [column for column in table.columns if all(column in one for one in scores)]
    return {column: float(np.mean([one[column] for one in scores])) for column in shared}


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Mean, and half the width of its 95 % interval by Student's t; not a number for a single value."""
    from scipy.stats import t

    count = len(values)
    if count < 2:
        return float(np.mean(values)), float("nan")
    return float(np.mean(values)), float(t.ppf(0.975, count - 1) * np.std(values, ddof=1) / np.sqrt(count))


def render(table: Table, rows: dict[str, dict[int, Scores]]) -> str:
    """Markdown: the table, then the published order, paired by seed."""
    published = {row.name: row.published for row in table.rows}
    lines = [f"| row | seeds | {' | '.join(table.columns)} | published |", "|---" * (len(table.columns) + 3) + "|"]
    for name, by_seed in rows.items():
        cells = [_cell([s[column] for s in by_seed.values() if column in s]) for column in table.columns]
        lines.append(f"| {name} | {', '.join(map(str, by_seed))} | {' | '.join(cells)} | {published[name]} |")
    lines += ["", "| published as better | than | by (paired by seed) | here |", "|---|---|---|---|"]
    column = table.columns[0]
    for better, worse in table.order:
        shared = [
            s for s in rows.get(better, {}) if column in rows.get(worse, {}).get(s, {}) and column in rows[better][s]
        ]
        if not shared:
            continue
        sign = -1 if column in table.lower else 1
        mean, half = interval([sign * (rows[better][s][column] - rows[worse][s][column]) for s in shared])
        verdict = "holds" if mean > 0 else "does not hold"
        clear = "the interval leaves 0 out" if abs(mean) > half else "the interval holds 0, or one seed"
        lines.append(f"| {better} | {worse} | {mean:.3f} ± {half:.3f} {column} | {verdict}; {clear} |")
    return "\n".join(lines) + "\n"


def _cell(values: list[float]) -> str:
    if not values:
        return "-"
    mean, half = interval(values)
    return f"{mean:.3f} ± {half:.3f}"


def draw_curves(out: Path, names: Sequence[str], seeds: Sequence[int]) -> None:
    """Validation loss of every run over iterations."""
    from matplotlib.figure import Figure

    from spinetk.segmentation.atrium.pictures import read_curves

    figure = Figure(figsize=(8, 5), layout="constrained")
    axis = figure.subplots()
    for number, name in enumerate(names):
        for seed in seeds:
            folders = {log.parents[2] for log in (out / f"{name}-{seed}").rglob("logs/*/metrics.csv")} - {
                out / f"{name}-{seed}" / "points"
            }
            for folder in sorted(folders)[-1:]:
                points = read_curves(folder).get("val_loss", [])
                label = name if seed == seeds[0] else None
                axis.plot(*zip(*points, strict=True) if points else ([], []), color=f"C{number % 10}", label=label)
    axis.set(xlabel="iteration", ylabel="validation loss", yscale="log")
    if axis.lines:
        axis.legend(fontsize=8)
    figure.savefig(out / "curves.png")


def prepare_data(table: Table, asked: argparse.Namespace, run: Runner) -> Path:
    """The data that the rows are trained on; phantoms are drawn, and disc sets prepared, once."""
    data = Path(asked.data) if asked.data else asked.out / "data"
    if not asked.data and not data.exists():
        task = () if table.verb == "discs" else ("--task", table.task)
        run(table.verb, "phantom", *task, "--out", data, *asked.phantom)
    if table.verb != "discs":
        return data
    prepared = asked.out / "prepared"
    if not (prepared / "dataset.json").is_file():
        run("discs", "prepare", data, "--out", prepared, "--grid", asked.grid)
    return prepared


def cost(table: Table, names: Sequence[str], data: Path, asked: argparse.Namespace, run: Runner) -> str:
    """Markdown: seconds an iteration of each row, and hours of its trainings; what needs no iteration counts once each.

    A training of two iterations is the start, the last validation, and the atrium's locator; scoring is left out.
    """
    seeds = len(asked.seeds)
    lines = ["| row | s an iteration | s of the rest | hours a seed | hours of all seeds |", "|---|---|---|---|---|"]
    whole = 0.0
    for row in (row for row in table.rows if row.name in names):
        times = []
        for iterations in (2, 2 + asked.cost):
            out = asked.out / "cost" / f"{row.name}-{iterations}"
            shutil.rmtree(out, ignore_errors=True)
            start = time.perf_counter()
            run(*train_words(table, row, data, out, iterations, 0, tuple(asked.set)))
            times.append(time.perf_counter() - start)
            shutil.rmtree(out, ignore_errors=True)
        each = (times[1] - times[0]) / asked.cost
        rest = times[0] - 2 * each
        hours = (each * asked.iterations + rest) / 3600
        whole += seeds * hours
        lines.append(f"| {row.name} | {each:.2f} | {rest:.0f} | {hours:.2f} | {seeds * hours:.1f} |")
        print(lines[-1], file=sys.stderr, flush=True)
    lines.append(f"| all, {asked.iterations} iterations, {seeds} seeds | | | | {whole:.1f} |")
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None, runner: Callable[[float | None], Runner] = Runner) -> int:
    """Run what is missing, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", choices=TABLES)
    parser.add_argument("out", type=Path)
    parser.add_argument("--data", help="folder of real data; phantoms without")
    parser.add_argument("--iterations", type=int, help="of each training")
    parser.add_argument("--seeds", default="0,1,2", type=lambda text: [int(seed) for seed in text.split(",")])
    parser.add_argument("--rows", help="only these, by name, with commas between")
    parser.add_argument("--minutes", type=float, help="stop after so long; the same command goes on")
    parser.add_argument("--grid", type=float, default=1.5, help="discs: mm a pixel")
    parser.add_argument("--set", type=shlex.split, default=[], help="further words for every training")
    parser.add_argument("--phantom", type=shlex.split, default=[], help="further words for the drawing of phantoms")
    parser.add_argument("--leave-one-out", action="store_true", help="lesions: train once a case, on all the others")
    parser.add_argument(
        "--cost", type=int, metavar="N", help="only tell the table's hours, by N iterations of each row"
    )
    asked = parser.parse_args(arguments)
    table = TABLES[asked.table]
    if asked.leave_one_out and (asked.table != "lesions" or not asked.data):
        parser.error("--leave-one-out: give the table lesions and --data")
    asked.iterations = asked.iterations or table.iterations
    known = [row.name for row in table.rows]
    names = known if asked.rows is None else asked.rows.split(",")
    if strange := sorted(set(names) - set(known)):
        parser.error(f"row {strange[0]}: choose {', '.join(known)}")
    asked.out.mkdir(parents=True, exist_ok=True)
    if asked.cost:
        run = runner(asked.minutes)
        text = cost(table, names, prepare_data(table, asked, run), asked, run)
        (asked.out / "cost.md").write_text(text, encoding="utf-8")
        print(text)
        return 0
    settings = {
        "table": asked.table,
        "data": asked.data,
        "iterations": asked.iterations,
        "set": asked.set,
        "grid": asked.grid,
    } | ({"leave_one_out": True} if asked.leave_one_out else {})
    kept = asked.out / "rows.json"
    content = json.loads(kept.read_text()) if kept.is_file() else {"settings": settings, "rows": {}}
    if content["settings"] != settings:
        parser.error(f"{kept} was made with other settings, choose another OUT")
    run = runner(asked.minutes)
    try:
        data = prepare_data(table, asked, run)
        # All rows of a seed before the next seed: what is there early can be compared.
        for seed in asked.seeds:
            for row in table.rows:
                done = content["rows"].setdefault(row.name, {})
                if row.name in names and str(seed) not in done:
                    done[str(seed)] = run_row(table, row, data, asked.out / f"{row.name}-{seed}", asked, seed, run)
                    kept.write_text(json.dumps(content, indent=1))
    except MinutesOverError:
        print("stopped; the same command goes on", file=sys.stderr)
    rows = {name: {int(s): v for s, v in by.items()} for name, by in content["rows"].items() if by}
    text = render(table, rows)
    (asked.out / "table.md").write_text(text, encoding="utf-8")
    draw_curves(asked.out, list(rows), asked.seeds)
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
