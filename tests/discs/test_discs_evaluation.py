"""What an evaluation of disc models says, by models that find what they are told."""

import json

import numpy as np
import pytest
from disc_models import CONFIG, LEVELS, STEPS_MM, Told, told

from spinetk.discs.evaluation import evaluate
from spinetk.discs.pointdata import PointDataset
from spinetk.discs.predictor import DiscPredictor
from spinetk.discs.preparation import read_dataset, read_samples
from spinetk.discs.search import Column


def test_evaluation_is_perfect_for_the_truth_and_sees_a_shift(prepared, tmp_path):
    samples = {len(s.pixels()): s for s in read_samples(prepared, "test")}
    (sample,) = samples.values() if len(samples) == 1 else list(samples.values())[:1]
    content = read_dataset(prepared)
    content["split"]["test"] = [sample.stem]
    folder = tmp_path / "prepared"
    folder.mkdir()
    (folder / "dataset.json").write_text(json.dumps(content))
    for suffix in (".png", ".json"):
        (folder / f"{sample.stem}{suffix}").write_bytes((prepared / f"{sample.stem}{suffix}").read_bytes())
    shifted = {n + 1: p for n, p in sample.points.items() if n < 23}
    rows = evaluate(
        folder, [told(sample.points), told(shifted)], tmp_path / "out", part="test", methods=["search"], rounds=5
    )
    assert (rows[0]["level_accuracy"], rows[0]["dtt_median_mm"]) == (1, pytest.approx(0, abs=0.05))
    assert (rows[1]["level_accuracy"], rows[1]["one_level_shift_rate"]) == (0, 0.75)
    assert rows[1]["dtt_median_mm"] < 0.05
    assert (rows[0]["candidates"]["f1"], rows[1]["candidates"]["f1"]) == (1, 0)
    assert "T12/L1" in (tmp_path / "out/evaluation.txt").read_text()
    assert json.loads((tmp_path / "out/evaluation.json").read_text())["rows"] == rows
    assert (tmp_path / "out" / "1-told" / f"{sample.stem}.png").exists()


def test_pictures_are_brought_to_the_grid_of_the_model(prepared):
    """Prepared at 1 mm, for a model of 2 mm: places in mm are the truth's, in the table and for the point network."""
    sample = read_samples(prepared, "test")[0]
    height, width = sample.pixels().shape
    shrunk = np.array([round(width / 2) / width, round(height / 2) / height])
    predictor = told({n: tuple(np.array(p) * shrunk) for n, p in sample.points.items()}, grid_mm=2.0)
    grey, px_mm = sample.on_grid(2.0)
    assert grey.shape == (round(height / 2), round(width / 2))
    assert px_mm == pytest.approx([width / grey.shape[1], height / grey.shape[0]])
    evidence = predictor.look(grey)
    found = {d.number: np.array(d.point) * px_mm for d in predictor.label(evidence, predictor.choose(evidence))}
    assert sorted(found) == sorted(sample.points)
    for number, point in sample.points.items():
        assert found[number] == pytest.approx(point, abs=0.2)
    assert PointDataset([sample], predictor, 0)[0][1].tolist() == [1.0] * len(sample.points)


def test_evaluation_is_in_mm_whatever_the_grid_of_the_model(prepared, tmp_path):
    """Every picture of the part has its discs at other places: a model that says those of one is right on that one."""
    samples = read_samples(prepared, "test")
    sizes = [np.array(s.pixels().shape[::-1]) for s in samples]
    points = {n: tuple(np.array(p) * np.round(sizes[0] / 2) / sizes[0]) for n, p in samples[0].points.items()}
    rows = evaluate(prepared, [told(points, grid_mm=2.0), told(samples[0].points)], tmp_path, part="test",
                    methods=["search"], rounds=5)  # fmt: skip
    for name in ("level_accuracy", "fnr_percent", "fpr_percent"):
        assert rows[0][name] == rows[1][name]
    assert rows[0]["dtt_mean_mm"] == pytest.approx(rows[1]["dtt_mean_mm"], abs=0.2)
    assert rows[0]["candidates"] == rows[1]["candidates"]


def test_a_level_that_no_picture_bears_is_not_judged(prepared, tmp_path):
    """A model that finds L4/L5 below labels that end at L3/L4 is not blamed for it, and the table says so."""
    levels = (*LEVELS, 24)
    column = Column(levels, np.vstack([STEPS_MM, STEPS_MM[-1:]]), np.full((4, 2), 4.0))
    sample = next(s for s in read_samples(prepared, "test") if max(s.points) == 23)
    below = {24: tuple(np.array(sample.points[23]) + STEPS_MM[-1])}
    network = Told(sample.points | below, levels)
    wider = DiscPredictor(network, CONFIG | {"levels": list(levels), "column": column.to_json()}, "wider", device="cpu")
    evidence = wider.look(sample.pixels())
    assert wider.label(evidence, wider.choose(evidence))[-1].number == 24
    content = read_dataset(prepared)
    content["split"] = {"train": [], "val": [], "test": [sample.stem]}
    (tmp_path / "dataset.json").write_text(json.dumps(content))
    for suffix in (".png", ".json"):
        (tmp_path / f"{sample.stem}{suffix}").write_bytes((prepared / f"{sample.stem}{suffix}").read_bytes())
    (row,) = evaluate(tmp_path, [wider], tmp_path / "out", part="test", methods=["search"], rounds=5)
    assert (row["not_judged"], row["fpr_percent"], row["sets"]["fp"], row["candidates"]["f1"]) == ([24], 0, 0, 1)
    assert "wider: L4/L5" in (tmp_path / "out/evaluation.txt").read_text()
