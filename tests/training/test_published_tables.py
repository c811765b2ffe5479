"""``benchmarks/published.py``: intervals and order, commands that exist, a run that goes on where it was stopped."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import typer

from spinetk.cli import app

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import published


def test_interval_of_three_by_hand():
    mean, half = published.interval([1.0, 2.0, 3.0])
    assert mean == 2
    assert half == pytest.approx(4.302653 * 1 / 3**0.5, rel=1e-5)  # t of 2 degrees of freedom
    assert published.interval([4.0])[0] == 4
    assert str(published.interval([4.0])[1]) == "nan"


def test_order_is_paired_by_seed_and_knows_what_less_means():
    table = published.TABLES["discs"]
    rows = {
        "hourglass-attention": {0: {"dtt_mean_mm": 1.0}, 1: {"dtt_mean_mm": 2.0}, 2: {"dtt_mean_mm": 9.0}},
        "hourglass": {0: {"dtt_mean_mm": 1.5}, 1: {"dtt_mean_mm": 2.7}},
        "shapeunet": {0: {"dtt_mean_mm": 3.0}},
        "unet": {0: {"dtt_mean_mm": 2.0}},
    }
    text = published.render(table, rows)
    # 0.5 and 0.7 less: by 0.6, with 12.7062 * 0.1414 / sqrt(2).
    assert "| hourglass-attention | hourglass | 0.600 ± 1.271 dtt_mean_mm | holds; the interval holds 0" in text
    assert "| shapeunet | unet | -1.000 ± nan dtt_mean_mm | does not hold" in text
    assert "look-once |" not in text


@pytest.mark.parametrize("name", published.TABLES)
def test_every_row_is_a_training_that_the_command_line_knows(name, tmp_path):
    table = published.TABLES[name]
    assert {row for pair in table.order for row in pair} <= {row.name for row in table.rows}
    for row in table.rows:
        words = published.train_words(table, row, tmp_path, tmp_path / "out", 6, 1, ("--device", "cpu"))
        place = typer.main.get_command(app)
        context = place.make_context("spinetk", list(words))
        group = place.commands[words[0]]
        inner = group.make_context(words[0], list(words[1:]), parent=context)
        values = group.commands["train"].make_context("train", list(words[2:]), parent=inner).params
        assert values["seed"] == 1
        assert values["resume"] is True
        assert values["iterations"] == 6


def test_it_goes_on_where_it_was_stopped(tmp_path, capsys):
    scores = {"mean": {"dice": 0.5, "iou": 0.3}, "small_lesions": {"pooled": {"dice": 0.25}}}
    said: list[tuple[str, ...]] = []

    class Fake:
        def __init__(self, minutes):
            self.left = minutes

        def __call__(self, *words):
            said.append(tuple(map(str, words)))
            self.left = None if self.left is None else self.left - 1
            if self.left is not None and self.left < 0:
                raise published.MinutesOverError
            return json.dumps([scores]) if "evaluate" in words else ""

    words = ["lesions", str(tmp_path / "out"), "--data", str(tmp_path), "--rows", "spin,unet", "--seeds", "0,1"]
    assert published.main([*words, "--minutes", "3"], Fake) == 0
    first = json.loads((tmp_path / "out" / "rows.json").read_text())["rows"]
    assert first["spin"] == {"0": {"dice": 0.5, "iou": 0.3, "small_dice": 0.25}}
    assert "goes on" in capsys.readouterr().err
    before = len(said)
    assert published.main(words, Fake) == 0
    assert sum("train" in one for one in said[before:]) == 3  # the interrupted one again, and the other seed
    assert "| spin | 0, 1 | 0.500 ± 0.000" in (tmp_path / "out" / "table.md").read_text()
    assert (tmp_path / "out" / "curves.png").is_file()
    with pytest.raises(SystemExit):
        published.main([*words, "--iterations", "7"], Fake)


def test_each_case_is_left_out_once(tmp_path):
    """Three patients: each is scored by a training on the two others, and the row is the mean."""
    for name in ("patient1", "patient2", "patient3"):
        (tmp_path / "data" / name).mkdir(parents=True)
        for kind in ("FLAIR", "lesion"):
            (tmp_path / "data" / name / f"{kind}.nii.gz").touch()  # only names are asked for
    trained: list[tuple[list[str], list[str]]] = []

    class Fake:
        def __init__(self, minutes):
            pass

        def __call__(self, *words):
            given = dict(str(word).split("=", 1) for word in words if "=" in str(word))
            if "evaluate" in words:
                assert given == {"contrast": "FLAIR"}
                return json.dumps([{"mean": {"dice": float(len(trained))}}])
            trained.append(tuple(Path(given[part]).read_text().split() for part in ("train_list", "test_list")))
            return ""

    words = ["lesions", str(tmp_path / "out"), "--data", str(tmp_path / "data"), "--rows", "unet", "--seeds", "5"]
    assert published.main([*words, "--leave-one-out", "--set", "--set contrast=FLAIR"], Fake) == 0
    assert trained == [
        (["patient2", "patient3"], ["patient1"]),
        (["patient1", "patient3"], ["patient2"]),
        (["patient1", "patient2"], ["patient3"]),
    ]
    rows = json.loads((tmp_path / "out" / "rows.json").read_text())["rows"]
    assert rows["unet"] == {"5": {"dice": 2.0}}


def test_what_a_table_costs(tmp_path, monkeypatch, capsys):
    """3 s an iteration and 20 s of start, by a clock of the test: 2 seeds of 1000 iterations are 1.68 hours."""
    clock = [0.0]

    class Fake:
        def __init__(self, minutes):
            pass

        def __call__(self, *words):
            iterations = int(words[words.index("--iterations") + 1])
            clock[0] += 20 + 3 * iterations * (2 if "monai-unet" in words else 1)
            return ""

    monkeypatch.setattr(published.time, "perf_counter", lambda: clock[0])
    words = ["lesions", str(tmp_path), "--data", str(tmp_path), "--rows", "unet,monai-unet", "--seeds", "0,1"]
    assert published.main([*words, "--iterations", "1000", "--cost", "5"], Fake) == 0
    said = capsys.readouterr().out
    assert "| unet | 3.00 | 20 | 0.84 | 1.7 |" in said
    assert "| monai-unet | 6.00 | 20 | 1.67 | 3.3 |" in said
    assert "| all, 1000 iterations, 2 seeds | | | | 5.0 |" in said
    assert not (tmp_path / "rows.json").exists()
