"""Tables and batches."""

import csv
import json

import numpy as np
import pytest
import SimpleITK as sitk
from torch import nn

from spinetk.segmentation.atrium.batch import predict_files
from spinetk.segmentation.atrium.predictor import AtriumPredictor, Geometry
from spinetk.segmentation.evaluation import Evaluation, table


class Bright(nn.Module):
    def forward(self, x):
        return 50 * (x - 1.0)


def test_figures_of_two_cases(tmp_path):
    """Case 1 agrees; case 2 has two true lesions of one voxel 3 mm apart and finds one: Dice 2/3, HD 3 mm."""
    truth = np.zeros((4, 4, 4))
    truth[1, 1, 0] = truth[1, 1, 3] = 1
    half = truth.copy()
    half[1, 1, 3] = 0
    result = Evaluation(lesion_wise=True)
    result.add("one", truth, truth, (2, 1, 1))
    result.add("two", half, truth, (2, 1, 1))
    summary = result.summary()
    assert summary["mean"]["dice"] == pytest.approx((1 + 2 / 3) / 2)
    assert summary["sd"]["dice"] == pytest.approx((1 / 3) / 2**0.5)
    assert summary["pooled"]["dice"] == pytest.approx(6 / 7)
    assert summary["mean"]["hd_mm"] == pytest.approx(1.5)
    assert summary["mean"]["lesion_f1"] == pytest.approx((1 + 2 / 3) / 2)
    assert summary["mean"]["volume_error_mm3"] == pytest.approx(-1.0)
    result.write(tmp_path / "cases.csv")
    with open(tmp_path / "cases.csv") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["name"] for row in rows] == ["one", "two"]
    assert float(rows[1]["hd_mm"]) == 3
    lines = table([("vnet", result), ("unet", result)]).splitlines()
    assert len(lines) == 4
    assert lines[2].startswith("| vnet | 0.833 ± 0.236 | ")
    assert len({line.count("|") for line in lines}) == 1


def test_batch_goes_on_and_overwrites_nothing(tmp_path):
    values = np.zeros((16, 20, 18), np.int16)
    values[4:9, 6:12, 5:11] = 100
    image = sitk.GetImageFromArray(values)
    image.SetOrigin((3.0, -4.0, 5.0))
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        sitk.WriteImage(image, str(tmp_path / folder / "scan.nii.gz"))
    (tmp_path / "b" / "broken.nrrd").write_text("NRRD0004\nnothing\n\n")
    predictor = AtriumPredictor([Bright()], Geometry((1.0, 1.0, 1.0), (16, 16, 16), (2.0, 2.0, 2.0)), Bright())
    out = tmp_path / "out"
    run = predict_files(predictor, [tmp_path / "a", tmp_path / "b"], out)
    first, second = [item["mask"] for item in run["written"]]
    assert (first, second[:5], second[-7:], len(second)) == (
        "scan.nii.gz",
        "scan-",
        ".nii.gz",
        len("scan-12345678.nii.gz"),
    )
    assert [item["file"].endswith("broken.nrrd") for item in run["failed"]] == [True]
    assert json.loads((out / "run.json").read_text()) == run
    for name in (first, second):
        mask = sitk.ReadImage(str(out / name))
        assert mask.GetOrigin() == image.GetOrigin()
        assert np.array_equal(sitk.GetArrayFromImage(mask), values == 100)
