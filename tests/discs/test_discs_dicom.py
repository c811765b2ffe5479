"""DICOM volumes: a series or an enhanced file is labelled as the NIfTI of it is, with the neighbours of its slice."""

import json

import nibabel
import numpy as np
import pydicom
import pytest
from one_volume import NAME, SHUFFLED, place_of, write_enhanced, write_folder, write_nifti
from test_discs_prediction import told

from spinetk.discs.batch import predict_files
from spinetk.discs.slab import read_slab
from spinetk.images.dicom_volume import volume_of
from spinetk.phantoms import lateral_radiograph, write_dicom

POINTS = {20: (20.5, 25.5), 21: (21.5, 47.5), 22: (23.5, 70.5), 23: (26.5, 94.5)}
MIDDLE = 3


@pytest.fixture(scope="module")
def values():
    """Slices by whose mean it is seen which were averaged: their value is a power of two."""
    return np.broadcast_to(2 ** np.arange(6, dtype=np.uint16)[:, None, None], (6, 112, 60)).copy()


@pytest.fixture
def forms(tmp_path, values):
    (tmp_path / "in").mkdir()
    return [
        write_nifti(tmp_path / "in/n.nii.gz", values),
        write_nifti(tmp_path / "in/m.nii.gz", values, to_left=True),
        write_folder(tmp_path / "in/f", values, SHUFFLED),
        write_enhanced(tmp_path / "in/e.dcm", values, SHUFFLED),
    ]


def results(out):
    found = {path.name[0]: json.loads(path.read_text()) for path in sorted(out.glob("*_labels.json"))}
    return found, {key: nibabel.load(next(out.glob(f"{key}_*.nii.gz"))) for key in found}


def test_every_form_gives_the_same_discs(tmp_path, values, forms):
    """6 mm of slices 4 mm apart are two of them: the one in the middle and its neighbour on the left."""
    done = predict_files([tmp_path / "in"], tmp_path / "out", told(POINTS))
    assert (done.failures, sorted(done.readings)) == ([], ["e", "f", "m", "n"])
    found, labels = results(tmp_path / "out")
    for key, content in found.items():
        assert [disc["level"] for disc in content["discs"]] == ["T12/L1", "L1/L2", "L2/L3", "L3/L4"], key
        voxels = labels[key].get_fdata()
        assert voxels.shape == (60, 112, 6)
        assert "mean of sagittal slices 3 to 4 of 6" in content["remarks"]
        assert content["spacing_mm"] == [1, 1]
        for disc, (column, row) in zip(content["discs"], POINTS.values(), strict=True):
            x, y, z = place_of(MIDDLE, row - 0.5, column - 0.5)
            assert np.allclose(disc["mm"], [-x, -y, z], atol=0.05), key
            (at,) = np.argwhere(voxels == disc["number"])
            assert np.allclose(nibabel.affines.apply_affine(labels[key].affine, at), [-x, -y, z], atol=0.51)
    for path in forms:
        assert np.unique(read_slab(path, volume=volume_of(path)).pixels).tolist() == [(2**2 + 2**3) / 2]


def test_the_stored_slice_of_the_points_is_named(tmp_path, forms):
    predict_files(forms, tmp_path / "out", told(POINTS))
    found, _ = results(tmp_path / "out")
    number = SHUFFLED.index(MIDDLE)
    assert "middle_slice" not in found["n"]
    assert found["e"]["middle_slice"] == {"file": "e.dcm", "frame": number + 1}
    assert found["f"]["middle_slice"] == {"file": f"{number:03d}.dcm", "frame": None}
    for file, frame in (("in/e.dcm", number), (f"in/f/{number:03d}.dcm", ...)):
        assert np.unique(pydicom.dcmread(tmp_path / file).pixel_array[frame]).tolist() == [2**MIDDLE]
    assert not any(NAME in path.read_text() for path in (tmp_path / "out").glob("*.json*"))


def test_what_was_given_about_pictures_is_not_used_for_a_volume_and_that_is_said(tmp_path, values, forms):
    write_nifti(tmp_path / "one.nii.gz", values[2:3])
    for file, front, said in ((forms[0], "right", True), (tmp_path / "one.nii.gz", "auto", False)):
        spacing = (0.5, 0.5) if said else None
        done = predict_files([file], tmp_path / f"out-{front}", told(POINTS), spacing_mm=spacing, facing=front)
        (reading,) = done.readings.values()
        assert reading.frame.spacing_mm == (1, 1)
        assert ("the spacing given was not used: a volume has its own" in reading.remarks) == said
        assert ("the front given was not used: a volume has its own" in reading.remarks) == said
    assert "sagittal slice 1 of 1" in reading.remarks


def test_what_is_no_volume_is_read_slice_by_slice_and_says_so(tmp_path, forms):
    """A gap in the series; a spacing of the user's own, which is about pictures."""
    *_, folder, enhanced = forms
    (folder / f"{SHUFFLED.index(1):03d}.dcm").unlink()
    predict_files([folder], tmp_path / "gap", told(POINTS))
    predict_files([enhanced], tmp_path / "told", told(POINTS), spacing_mm=(2.0, 2.0))
    for out, key, why in (("gap", "f", "it has slices that are missing"), ("told", "e", "the spacing given")):
        content, alone = json.loads(next((tmp_path / out).glob("*_labels.json")).read_text()), "without its neighbours"
        assert content["remarks"][0].startswith(f"one slice was read, {alone}: {why}"), key
        assert "voxel" not in content["discs"][0]
    assert content["spacing_mm"] == [2, 2]


def test_an_axial_series_is_cut_where_no_slice_is_stored(tmp_path, values):
    """A stack of axial slices is a volume, too; points lie on no single one of them."""
    folder = write_folder(tmp_path / "f", np.ones((40, 20, 20), np.uint16), tuple(range(40)))
    for number, path in enumerate(sorted(folder.iterdir())):
        data = pydicom.dcmread(path)
        data.ImageOrientationPatient, data.ImagePositionPatient = [1, 0, 0, 0, 1, 0], [0, 0, 4 * number]
        data.save_as(path)
    slab = read_slab(folder, volume=volume_of(folder, None))
    assert (slab.pixels.shape, slab.frame.spacing_mm, slab.middle_slice) == ((40, 20), (4.0, 1.0), None)


@pytest.mark.parametrize(("modality", "said"), [("MR", False), ("CT", True)])
def test_slices_of_another_modality_than_the_models_bear_a_remark(tmp_path, values, modality, said):
    """Of a volume and of a slice alone; discs were found in CT without a word."""
    folder = write_folder(tmp_path / "f", values, SHUFFLED)
    for path in folder.iterdir():
        data = pydicom.dcmread(path)
        data.Modality = modality
        data.save_as(path)
    done = predict_files([folder, folder / "000.dcm"], tmp_path / "out", told(POINTS))
    for reading in done.readings.values():
        found = [remark for remark in reading.remarks if remark.startswith(f"its file says {modality}")]
        assert len(found) == said
    assert len(done.readings) == 2


@pytest.mark.parametrize(("modality", "beside", "said"), [("MR", "CT", []), ("CT", "MR", ["CT"]), ("MR", "SR", [])])
def test_the_modality_is_that_of_the_series_read_not_of_the_file_beside_it(tmp_path, values, modality, beside, said):
    """A scout of CT or a report, first by its name, was taken for the series; an MR scout hid that a CT was read."""
    folder = write_folder(tmp_path / "f", values, SHUFFLED)
    for path in sorted(folder.iterdir()):
        data = pydicom.dcmread(path)
        data.Modality = modality
        data.save_as(path)
    data.Modality, data.SeriesInstanceUID = beside, "1.2.3.99"
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = "1.2.3.99.1"
    if beside == "SR":
        del data.PixelData
    data.save_as(folder / "0.dcm")
    done = predict_files([folder], tmp_path / "out", told(POINTS))
    remarks = done.readings["f"].remarks  # a slice alone is read for itself
    assert "mean of sagittal slices 3 to 4 of 6" in remarks
    assert [r.split(",")[0] for r in remarks if "were taught on MR" in r] == [f"its file says {one}" for one in said]


def test_a_radiograph_is_refused(tmp_path):
    """A lateral film got the disc L5/S1 of a model of MR, without a word."""
    film = write_dicom(lateral_radiograph(4, region="lumbar"), tmp_path / "film.dcm")
    done = predict_files([film], tmp_path / "out", told(POINTS))
    assert done.readings == {}
    assert "is a radiograph (CR) by its file, and discs are looked for in MR" in done.failures[0]


def test_a_secondary_capture_of_a_lateral_film_is_refused(tmp_path):
    """Its modality, OT, does not say that it is a projection; its view does."""
    film = write_dicom(lateral_radiograph(4, region="lumbar"), tmp_path / "film.dcm")
    data = pydicom.dcmread(film)
    data.Modality = "OT"
    data.save_as(film)
    done = predict_files([film], tmp_path / "out", told(POINTS))
    assert done.readings == {}
    assert "is a radiograph (OT) by its file" in done.failures[0]


def test_a_volume_that_looks_like_ct_bears_a_remark(tmp_path, values):
    """NIfTI does not say the modality: Hounsfield units do."""
    import nibabel

    grey = np.full((9, 64, 64), -1000, np.int16)
    grey[:, 8:, 8:] = 40
    grey[:, 30:, 30:] = 300
    for name, shift in (("ct", 0), ("mr", 1000)):
        nibabel.save(nibabel.Nifti1Image(grey + np.int16(shift), np.eye(4)), tmp_path / f"{name}.nii.gz")
    done = predict_files([tmp_path / "ct.nii.gz", tmp_path / "mr.nii.gz"], tmp_path / "out", told(POINTS))
    words = "its grey values are those of CT, and models of discs were taught on MR: discs and levels may be wrong"
    assert {stem: words in reading.remarks for stem, reading in done.readings.items()} == {"ct": True, "mr": False}
