"""What no picture is needed to judge is told once, before anything is read or written."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from spinetk import zoo
from spinetk.batch.opening import open_pool
from spinetk.batch.pools import Here
from spinetk.cases.splitting import make_split
from spinetk.cli import main
from spinetk.errors import InputError
from spinetk.keypoints.batch import predict_files
from spinetk.keypoints.reader import Reader
from spinetk.phantoms import write_phantom_set

ANYWHERE = [
    ("--device tpu", "device 'tpu': is unknown"),
    ("--device mps", "device 'mps': is unknown"),
    ("--series abc", "--series abc: is no number of a series"),
    ("--series 0", "--series 0: is no number of a series"),
    ("--model no-such-model", "is unknown"),
]
PICTURES = [
    ("--anchor L9=last", "anchor 'L9=last': is not LEVEL=PLACE"),
    ("--anchor L1=2,L2=2", "fits no spine"),
    ("--threshold 2", "confidence threshold 2.0: is not in 0..1"),
    ("--threshold nan", "confidence threshold nan: is not in 0..1"),
    ("--spacing nan", "--spacing nan: is not MM or ROW,COLUMN"),
    ("--model discs-t2w", "is a model of the task 'discs'"),
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Two pictures; whoever decodes one fails the test."""
    (tmp_path / "in").mkdir()
    for name in "ab":
        cv2.imwrite(str(tmp_path / "in" / f"{name}.png"), np.zeros((99, 70), np.uint8))

    def never(*_, **__):
        raise AssertionError("a picture was read")

    for room in ("spinetk.keypoints.batch.read_picture", "spinetk.discs.batch.read_picture"):
        monkeypatch.setattr(room, never)
    return tmp_path / "in"


def refused(capsys, *words) -> str:
    """The only line of a command line that ends with code 2."""
    sys.argv = ["spinetk", *map(str, words)]
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


@pytest.fixture(autouse=True)
def own_words(monkeypatch):
    monkeypatch.setattr(sys, "argv", [])


@pytest.mark.parametrize(("option", "said"), [*ANYWHERE, *PICTURES])
def test_predict_tells_an_option_that_fits_no_picture_once(folder, capsys, tmp_path, option, said):
    assert said in refused(capsys, "predict", folder, "-o", tmp_path / "out", *option.split())
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("option", "said"),
    [*ANYWHERE, ("--model xray-ap", "is a model of the task 'keypoints'"), ("--spacing 0", "is not plausible")],
)
def test_discs_too(folder, capsys, tmp_path, option, said):
    assert said in refused(capsys, "discs", "predict", folder, "-o", tmp_path / "out", *option.split())
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("verb", ["predict", "discs predict", "segment predict"])
def test_a_device_that_this_machine_has_not_is_told_at_once(folder, capsys, tmp_path, monkeypatch, verb):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    line = refused(capsys, *verb.split(), folder, "-o", tmp_path / "out", "--device", "cuda")
    assert line == "spinetk: device 'cuda': no CUDA GPU can be used here (use --device cpu)"
    assert not (tmp_path / "out").exists()


def test_a_gpu_beyond_those_there_are_is_none(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    with pytest.raises(InputError, match=r"device 'cuda:2': is none of the 2 GPUs here \(count from cuda:0 to 1\)"):
        open_pool(device="cuda:2")
    assert isinstance(open_pool(device="cuda:1"), Here)


def test_a_cluster_is_not_asked_for_the_gpu_of_this_machine(monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("distributed.Client", lambda *_, **__: None)
    pool = open_pool(scheduler="tcp://there:8786", device="cuda")
    assert not pool.local
    with pytest.raises(InputError, match="device 'tpu': is unknown"):
        open_pool(scheduler="tcp://there:8786", device="tpu")


def test_callers_are_told_as_early(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    for options, said in (
        ({"device": "cuda"}, "no CUDA GPU"),
        ({"threshold": -0.1}, "is not in 0..1"),
        ({"anchor": "L5"}, "is not LEVEL=PLACE"),
        ({"precision": "bf16-true", "device": "cuda"}, "no CUDA GPU"),
    ):
        with pytest.raises(InputError, match=said):
            predict_files([folder], tmp_path / "out", **options)
        if "anchor" not in options:
            with pytest.raises(InputError, match=said):
                Reader(**options)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("limits", ["1,2", "40,25,20", "nan,1,2", "a,b,c", ""])
def test_limits_of_grades_are_judged_before_results_are_read(capsys, tmp_path, limits):
    line = refused(capsys, "measure", tmp_path, "-o", tmp_path / "out", "--grade-limits", limits)
    assert line.startswith(f"spinetk: --grade-limits {limits}: ")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("width", [0, -3, 1_000_000_000])
def test_a_phantom_has_a_width_that_a_picture_can_have(tmp_path, width):
    with pytest.raises(InputError, match="is not between 16 and 16384"):
        write_phantom_set(tmp_path / "out", 1, width=width)
    assert not (tmp_path / "out").exists()


def test_released_models_are_there_for_these_tests():
    assert {"discs-t2w", "xray-ap"} <= {name for name, _ in zoo.released()}
    assert Path(zoo.find("xray-ap")).is_file()


def test_all_models_of_a_comparison_are_looked_for_before_the_first_is_scored(capsys, tmp_path, case_folder):
    line = refused(
        capsys, "evaluate", case_folder, "--model", "phantom-fast", "--model", "no-such", "-o", tmp_path / "out"
    )
    assert "model 'no-such': is unknown" in line
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("train --best-by accuracy", "setting 'best_by' is 'accuracy' (give 'val_loss' or"),
        ("train --network centre --best-by val/keypoint", "best_by 'val/keypoint': is not logged by the network cent"),
        ("train --network centre --best-by val/level", "best_by 'val/level': is not logged by the network centre"),
        ("train --network centre-mr --best-by val/femoral_head", "is not logged by the network centre-mr"),
        ("train --network centre-ap --only refine --best-by val/level", "does not change where --only trains refine"),
        ("train --network fast --only body --best-by val/box_reg", "does not change where --only trains body"),
        ("train --network nope", "preset 'nope': is unknown"),
        ("discs train --best-by val_dice", "'best_by' is 'val_dice' (give 'val_loss' or 'pck' or 'dice')"),
        ("segment train --best-by pck", "'best_by' is 'pck' (give 'val_loss' or 'val_dice')"),
        ("segment train --task lesion --best-by pck", "'best_by' is 'pck' (give 'val_loss' or 'val_dice')"),
        ("segment train --task skin --best-by pck", "'best_by' is 'pck' (give 'val_loss' or 'val_dice')"),
    ],
)
def test_what_picks_the_best_weights_is_judged_before_cases_are_read(capsys, tmp_path, case_folder, words, said):
    room, *options = words.split(" --")
    options = [word for option in options for word in f"--{option}".split()]
    assert said in refused(capsys, *room.split(), case_folder, "-o", tmp_path / "out", *options)
    assert not (tmp_path / "out").exists()
    assert not (case_folder / "split.json").exists()


def test_a_split_has_a_seed_that_can_be_one(case_folder):
    for seed in (-1, 2**31):
        with pytest.raises(InputError, match=f"seed: {seed} is not from 0 to 2147483647"):
            make_split(case_folder, seed=seed)
    assert not (case_folder / "split.json").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [("--model xray-ap", "is a model of the task 'keypoints'"), ("--locator xray-ap", "is a model of the task")],
)
def test_segment_looks_at_the_cards_first(capsys, tmp_path, options, said):
    (tmp_path / "in").mkdir()
    line = refused(capsys, "segment", "predict", tmp_path / "in", "-o", tmp_path / "out", *options.split())
    assert said in line
    assert not (tmp_path / "out").exists()
    line = refused(
        capsys,
        "segment",
        "predict",
        "--task",
        "skin",
        tmp_path / "in",
        "-o",
        tmp_path / "out",
        "--model",
        "atrium-vnet",
    )
    assert "is a model of the task 'atrium' (give weights of skin, cells, gland or vessel)" in line


@pytest.mark.parametrize("name", ["threshold=2", "threshold=-0.1", 'threshold="a"', "opening=-1", "opening=0.5"])
def test_what_cleans_masks_up_is_judged_before_the_model_is_loaded(capsys, tmp_path, name):
    words = ("segment", "predict", "--task", "skin", tmp_path, "--model", "no.pth", "--set", name)
    line = refused(capsys, *words, "-o", tmp_path / "out")
    assert line.startswith("spinetk: threshold" if "thr" in name else "spinetk: opening")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "option", ["--port 65536", "--port -1", "--threshold nan", "--device tpu", "--aet ANAMEOF17LETTERS.", "--view up"]
)
def test_a_node_judges_its_settings_before_it_makes_a_folder(capsys, tmp_path, option):
    refused(capsys, "node", "--folder", tmp_path / "node", "--dry-run", *option.split())
    assert not (tmp_path / "node").exists()


def test_a_title_that_no_archive_can_know_is_told_before_pictures_are_read(folder, capsys, tmp_path):
    line = refused(capsys, "predict", folder, "-o", tmp_path / "out", "--aet", "ANAMEOF17LETTERS.")
    assert line == "spinetk: AE title 'ANAMEOF17LETTERS.': is not 1 to 16 plain characters (for example SPINETK)"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--port 99999", "--port 99999: is no port (give 0 (a free one) to 65535)"),  # glibc would take 34463
        ("--port -1", "--port -1: is no port"),
        ("--host no.such.host.invalid", "no.such.host.invalid:8000: cannot be used ("),
        ("--model discs-t2w", "is a model of the task 'discs'"),
    ],
)
def test_the_review_page_is_not_served_elsewhere(capsys, tmp_path, option, said):
    pytest.importorskip("uvicorn")
    assert said in refused(capsys, "serve", "-o", tmp_path / "out", *option.split())
