"""Lesions in DICOM: a folder of NIfTI, a series and an enhanced file gives masks that lie at the same places."""

import numpy as np
import pytest
from one_volume import NAME, SHUFFLED, place_of, write_enhanced, write_folder, write_nifti
from torch import nn

from spinetk.images.volume import read_volume
from spinetk.segmentation.slices.batch import predict_files
from spinetk.segmentation.slices.predictor import SlicePredictor, Statistics

LESION = (slice(1, 4), slice(5, 9), slice(11, 14))


class Bright(nn.Module):
    def forward(self, x):
        return 50 * (x - 1.0)


@pytest.mark.parametrize("named", [True, False])
def test_every_form_gives_the_same_mask(tmp_path, named):
    values = np.full((6, 20, 24), 40, np.uint16)
    values[LESION] = 900
    (tmp_path / "in").mkdir()
    forms = [
        write_nifti(tmp_path / "in/n.nii.gz", values, to_left=True),
        write_folder(tmp_path / "in/f", values, SHUFFLED),
        write_enhanced(tmp_path / "in/e.dcm", values, SHUFFLED),
    ]
    predictor = SlicePredictor(Bright(), 1, Statistics(0.0, 100.0))
    run = predict_files(predictor, forms if named else [tmp_path / "in"], tmp_path / "out")
    assert run["failed"] == []
    assert sorted(entry["mask"] for entry in run["written"]) == ["e.nrrd", "f.nrrd", "n.nii.gz"]
    expected = {place_of(s, row, column) for s, row, column in np.argwhere(values == 900).tolist()}
    for entry in run["written"]:
        mask = read_volume(tmp_path / "out" / entry["mask"])
        places = mask.grid.to_mm(np.argwhere(mask.values > 0)[:, ::-1]) * (-1, -1, 1)
        assert {tuple(np.round(place, 3).tolist()) for place in places} == expected, entry
    assert NAME not in (tmp_path / "out/run.json").read_text()
