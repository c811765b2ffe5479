"""The command line: light to start, exit codes, one line per fault, a batch that goes on."""

from __future__ import annotations

import json
import subprocess
import sys

import cv2
import numpy as np
import pytest
import torch

from spinetk import zoo
from spinetk.cli import main
from spinetk.keypoints.network import VertebraRCNN
from spinetk.keypoints.preset import FAST
from spinetk.schema import VERTEBRA6


@pytest.fixture
def spinetk(monkeypatch, capsys):
    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["spinetk", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture
def model(tmp_path):
    torch.manual_seed(0)
    network = VertebraRCNN(FAST, VERTEBRA6)
    path = tmp_path / "random.pth"
    zoo.save(path, network.state_dict(), {"config": network.config()})
    return path


def test_help_imports_nothing_heavy():
    heavy = ["torch", "numpy", "cv2", "pandas", "lightning", "pydicom", "matplotlib", "scipy"]
    code = (
        "import sys; sys.argv = ['spinetk', '--help']\n"
        "from spinetk.cli import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        f"print([m for m in {heavy} if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    for verb in ("info", "prepare", "augment", "coco", "split", "train", "evaluate", "predict", "measure", "report"):
        assert verb in done.stdout


def test_from_pictures_to_coco(spinetk, case_folder, tmp_path):
    code, out, _ = spinetk("split", case_folder)
    assert (code, out.strip()) == (0, "train 7, val 2, test 3")
    code, out, _ = spinetk("coco", case_folder, "-o", tmp_path / "coco.json", "--part", "test")
    assert code == 0
    assert len(json.loads((tmp_path / "coco.json").read_text())["images"]) == 3


def test_predict_writes_what_it_promises_and_goes_on(spinetk, model, picture_file, tmp_path):
    (tmp_path / "in" / "deep").mkdir(parents=True)
    picture = cv2.imread(str(picture_file))
    cv2.imwrite(str(tmp_path / "in" / "a.png"), picture)
    cv2.imwrite(str(tmp_path / "in" / "deep" / "A.png"), picture)
    (tmp_path / "in" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nrubbish")
    out = tmp_path / "out"
    code, _, err = spinetk(
        "predict", tmp_path / "in", "-o", out, "--model", model, "--threshold", 0, "--spacing", "0.5"
    )
    assert code == 3  # one failed, the others are done
    assert "broken.png" in err
    assert "Traceback" not in err
    (other,) = out.glob("A-????????.json")  # of another picture with the same name: told apart by its path
    written = {
        "a.json",
        "a.png",
        other.name,
        f"{other.stem}.png",
        "vertebrae.csv",
        "run.json",
        "journal.jsonl",
        ".lock",
    }
    assert written == {p.name for p in out.iterdir()}
    manifest = json.loads((out / "run.json").read_text())
    assert len(manifest["inputs"]) == 3
    assert "broken.png" in manifest["failed"][0]["input"]
    content = json.loads((out / "a.json").read_text())
    assert content["spacing_mm"] == [0.5, 0.5]
    assert content["spacing_source"] == "user"
    rows = (out / "vertebrae.csv").read_text().splitlines()
    both = [json.loads((out / name).read_text())["vertebrae"] for name in ("a.json", other.name)]
    assert len(rows) == 1 + sum(map(len, both))


@pytest.mark.parametrize("kind", ["empty folder", "missing", "no picture", "1x1", "blank", "nonsense spacing", "model"])
def test_a_lone_bad_input_is_one_line_and_code_2(spinetk, model, picture_file, tmp_path, kind):
    given, options = tmp_path / "given.png", ["--model", model]
    if kind == "empty folder":
        given = tmp_path / "empty"
        given.mkdir()
    elif kind == "no picture":
        given.write_text("hello")
    elif kind in ("1x1", "blank"):
        cv2.imwrite(str(given), np.zeros((1, 1) if kind == "1x1" else (90, 70), np.uint8))
    elif kind == "nonsense spacing":
        given, options = picture_file, [*options, "--spacing", "wide"]
    elif kind == "model":
        given, options = picture_file, ["--model", "no-such-model"]
    code, _, err = spinetk("predict", given, "-o", tmp_path / "out", *options)
    assert code == 2
    assert len(err.strip().splitlines()) == 1
    assert err.startswith("spinetk: ")


@pytest.mark.parametrize("verb", ["split", "augment", "train", "evaluate"])
def test_an_empty_case_folder_is_named(spinetk, tmp_path, verb):
    (tmp_path / "none").mkdir()
    more = ["--model", "x.pth"] if verb == "evaluate" else []
    code, _, err = spinetk(verb, tmp_path / "none", *more)
    assert code == 2
    assert len(err.strip().splitlines()) == 1


def test_damaged_cases_are_named(spinetk, case_folder):
    source = case_folder / "case 1" / "src" / "0" / "src-0.json"
    content = json.loads(source.read_text())
    damages = {
        "keypoints": lambda c: c["annotations"][0]["keypoints"].pop(),
        "bbox": lambda c: c["annotations"][0].update(bbox=[0, 0, 9000, 9000]),
    }
    for field, damage in damages.items():
        broken = json.loads(json.dumps(content))
        damage(broken)
        source.write_text(json.dumps(broken))
        code, _, err = spinetk("coco", case_folder, "-o", case_folder.parent / "x.json")
        assert code == 2
        assert "case 1" in err
        assert field in err
        assert len(err.strip().splitlines()) == 1


def test_measure_and_report_a_result(spinetk, drawn, tmp_path):
    result = tmp_path / "results" / "column.json"
    result.parent.mkdir()
    result.write_text(json.dumps(drawn.to_json()))
    code, out, _ = spinetk("measure", result.parent, "-o", tmp_path / "measured", "--facing", "left", "--json")
    assert code == 0
    heights = json.loads(out)[0]["vertebrae"][0]["heights_mm"]
    assert heights["middle"] == pytest.approx(18, abs=1e-6)
    code, out, _ = spinetk("report", tmp_path / "measured" / "column.json", "-o", tmp_path / "report")
    assert code == 0
    assert "column.png" in (tmp_path / "report" / "column.html").read_text()
    assert (tmp_path / "report" / "index.html").exists()
    code, _, err = spinetk("report", tmp_path / "nothing.json", "-o", tmp_path / "report")
    assert code == 2
    assert "nothing.json" in err


def test_info_of_many_is_the_same_by_processes_and_by_a_list(spinetk, picture_file, tmp_path):
    (tmp_path / "no-picture.txt").write_text("text")
    (tmp_path / "list.txt").write_text(f"{picture_file}\n{tmp_path / 'no-picture.txt'}\n")
    alone = spinetk("info", picture_file, tmp_path / "no-picture.txt", "--json")
    code, out, err = spinetk("info", "--list", tmp_path / "list.txt", "--workers", "2", "--json")
    assert (code, out) == alone[:2] == (3, out)
    assert alone[2].strip() in err  # after the progress bar


def test_our_own_fault_is_code_1_without_a_traceback(spinetk, monkeypatch, tmp_path):
    monkeypatch.setattr("spinetk.cases.splitting.make_split", lambda *_, **__: 1 / 0)
    code, _, err = spinetk("split", tmp_path)
    assert code == 1
    assert "internal error" in err
    assert "Traceback" not in err


def test_models_lists_networks(spinetk):
    code, out, _ = spinetk("models", "--json")
    assert code == 0
    assert {"r50", "fast"} <= {row["name"] for row in json.loads(out)}
    code, out, _ = spinetk("models")
    assert code == 0
    assert out.splitlines()[0].split() == ["name", "task", "kind", "parameters", "licence", "chosen", "by"]
    assert out.splitlines()[1].startswith(json.loads(spinetk("models", "--json")[1])[0]["name"])
