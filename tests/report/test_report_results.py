"""Reports from result files: pages and structured reports, of a phantom that went the whole way as DICOM."""

import json
import re
from copy import deepcopy
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pydicom
import pytest
from typer.testing import CliRunner

from spinetk.batch.pools import Processes
from spinetk.errors import InputError
from spinetk.formats.registry import formats
from spinetk.formats.results import find_results, iter_results, read_result
from spinetk.formats.sr import read_sr
from spinetk.geometry import Frame
from spinetk.images import read_picture, to_uint8
from spinetk.images.source import dicom_source
from spinetk.measure import measure
from spinetk.phantoms import lateral_radiograph, sagittal_mr, write_dicom
from spinetk.reading import Reading, Vertebra
from spinetk.report.commands import app
from spinetk.report.results import write_reports
from spinetk.schema import VERTEBRA6

pytest.importorskip("highdicom")
NAME = "PLANTED^Zyxwvut"


def result_of(phantom, path, out, bodies=None):
    """A result file as `spinetk predict` writes it, from the true points; a structured report of two bodies is fast."""
    picture = read_picture(path)
    reading = deepcopy(phantom.reading)
    reading.vertebrae = reading.vertebrae[:bodies]
    reading.file, reading.frame, reading.model = str(path), picture.frame, "phantom-truth"
    for vertebra in reading.vertebrae:
        vertebra.score, vertebra.point_sigma_px = 0.875, np.full(6, 0.4)
    measured = measure(reading, picture=to_uint8(picture.pixels, picture.padding))
    measured.remarks[:0] = picture.remarks
    out.write_text(json.dumps(measured.to_json(), allow_nan=False))
    return measured


@pytest.fixture(scope="module")
def phantom():
    return lateral_radiograph(4, region="lumbar", spacing_mm=1.0, deformity={"L1": ("wedge", 31.0)})


def known(content):
    """Without unknown fields, which a structured report leaves out; a refused deformity stays."""
    if isinstance(content, dict):
        return {k: known(v) for k, v in content.items() if v is not None or k == "deformity"}
    return content


def test_phantom_to_dicom_to_result_to_structured_report(tmp_path, phantom):
    write_dicom(phantom, tmp_path / "a.dcm", monochrome1=True, spacing_source="ImagerPixelSpacing", patient_name=NAME)
    measured = result_of(phantom, tmp_path / "a.dcm", tmp_path / "a.json")
    done = write_reports(find_results([tmp_path / "a.json"]), tmp_path / "out", sr=True)
    assert done.failures == []
    report = read_sr(tmp_path / "out" / "a.dcm")
    source = pydicom.dcmread(tmp_path / "a.dcm")
    assert (report.sop_instance_uid, report.sop_class_uid) == (source.SOPInstanceUID, source.SOPClassUID)
    assert report.reading.frame == measured.frame == read_picture(tmp_path / "a.dcm").frame
    assert report.reading.frame.spacing_source == "ImagerPixelSpacing"
    assert report.reading.angles == known(measured.angles)
    assert report.reading.remarks == measured.remarks
    kinds = set()
    for got, wanted in zip(report.reading.vertebrae, measured.vertebrae, strict=True):
        assert np.abs(got.points - wanted.points).max() <= 0.0005 + 2**-15  # JSON keeps 0.001 px, SR 32-bit floats
        assert (got.label, got.score) == (wanted.label, 0.875)
        assert got.measures == known(wanted.measures)
        kinds.add(got.measures["deformity"]["type"])
    assert "wedge" in kinds

    # The patient's name stands in the structured report, where DICOM wants it, and nowhere else.
    written = [p for p in (tmp_path / "out").rglob("*") if p.is_file()]
    assert {p.name for p in written} == {"a.dcm", "a.html", "index.html"}
    for path in [*written, tmp_path / "a.json"]:
        copies = len(re.findall(rb"PLANTED|Zyxwvut", path.read_bytes()))
        assert copies == (2 if path.suffix == ".dcm" else 0), path.name
    document = pydicom.dcmread(tmp_path / "out" / "a.dcm")
    assert document.PatientName == NAME
    del document.PatientName
    assert "Zyxwvut" not in str(document)


def test_series_is_reported_about_the_slice_that_was_read(tmp_path):
    phantom = sagittal_mr(2, region="lumbar", spacing_mm=2.0)
    folder = tmp_path / "series"
    for index in range(6):
        write_dicom(phantom, folder / f"{index}.dcm")
        ds = pydicom.dcmread(folder / f"{index}.dcm")
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.{index}"
        ds.ImagePositionPatient = [4.0 * (index - 2), *ds.ImagePositionPatient[1:]]
        ds.PixelData = (ds.pixel_array + 0 * index).astype("<u2").tobytes()
        ds.save_as(folder / f"{index}.dcm")
    said = next(r for r in read_picture(folder).remarks if r.startswith("slice "))
    result_of(phantom, folder, tmp_path / "a.json", bodies=2)
    assert write_reports([tmp_path / "a.json"], tmp_path / "out", html=False, sr=True).failures == []
    place = int(said.split()[1]) - 1
    # Slices count along the normal of the plane, which may run either way.
    uid = read_sr(tmp_path / "out" / "a.dcm").sop_instance_uid
    assert uid in (f"1.2.3.{place}", f"1.2.3.{5 - place}")
    assert dicom_source(folder) == (folder / f"{uid[-1]}.dcm", None)


def test_results_of_one_name_have_reports_of_their_own(tmp_path, phantom):
    """Two patients' ``a.json``, and one that the overview is named like: a page, a report and a JSON each."""
    for folder, stem, truth in (("x", "a", "first"), ("y", "A", "second"), ("y", "index", "third")):
        (tmp_path / folder).mkdir(exist_ok=True)
        write_dicom(phantom, tmp_path / folder / f"{truth}.dcm")
        result_of(phantom, tmp_path / folder / f"{truth}.dcm", tmp_path / folder / f"{stem}.json", bodies=2)
    given, out = [tmp_path / "x", tmp_path / "y"], tmp_path / "out"
    done = write_reports(given, out, formats=["html", "sr", "ours"])
    assert done.failures == []
    assert len(set(done.written)) == len(done.written) == len(list(out.iterdir())) == 10
    told = {path.stem: path.read_text() for path in done.written if path.suffix == ".html"}
    overview = told.pop("index")
    for stem, page in told.items():
        (truth,) = (word for word in ("first", "second", "third") if f"{word}.dcm" in page)
        assert f"/{stem}.html'" in overview
        assert read_result(out / f"{stem}.json").file.endswith(f"{truth}.dcm")
        wanted = pydicom.dcmread(next(tmp_path.glob(f"*/{truth}.dcm"))).SOPInstanceUID
        assert read_sr(out / f"{stem}.dcm").sop_instance_uid == wanted


def test_a_report_is_not_written_over_a_picture(tmp_path, phantom):
    write_dicom(phantom, tmp_path / "a.dcm")
    kept = (tmp_path / "a.dcm").read_bytes()
    result_of(phantom, tmp_path / "a.dcm", tmp_path / "a.json", bodies=2)
    (failure,) = write_reports([tmp_path / "a.json"], tmp_path, html=False, sr=True).failures
    assert "a.dcm: is there and is no structured report" in failure
    assert (tmp_path / "a.dcm").read_bytes() == kept
    for _ in range(2):  # a report of before is
        assert write_reports([tmp_path / "a.json"], tmp_path / "out", html=False, sr=True).failures == []


def test_measures_of_results_of_one_name_are_files_of_their_own(tmp_path, phantom):
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        write_dicom(phantom, tmp_path / folder / "a.dcm")
        result_of(phantom, tmp_path / folder / "a.dcm", tmp_path / folder / "a.json")
    told = CliRunner().invoke(app, ["measure", str(tmp_path / "x"), str(tmp_path / "y"), "-o", str(tmp_path / "out")])
    assert told.exit_code == 0, told.output
    found = [read_result(path).file for path in (tmp_path / "out").glob("*.json")]
    assert sorted(found) == [str(tmp_path / "x" / "a.dcm"), str(tmp_path / "y" / "a.dcm")]


@pytest.mark.parametrize("verb", [["measure"], ["report", "--as", "ours"]])
def test_a_result_in_the_folder_of_the_new_ones_is_not_written_over_by_another_of_its_name(tmp_path, phantom, verb):
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        write_dicom(phantom, tmp_path / folder / "a.dcm")
        result_of(phantom, tmp_path / folder / "a.dcm", tmp_path / folder / "a.json")
    told = CliRunner().invoke(app, [*verb, str(tmp_path / "x"), str(tmp_path / "y"), "-o", str(tmp_path / "y")])
    assert told.exit_code == 0, told.output
    assert read_result(tmp_path / "y" / "a.json").file == str(tmp_path / "y" / "a.dcm")
    found = [read_result(path).file for path in (tmp_path / "y").glob("a*.json")]
    assert sorted(found) == [str(tmp_path / "x" / "a.dcm"), str(tmp_path / "y" / "a.dcm")]


def test_a_result_without_dicom_still_gets_its_page(tmp_path, phantom):
    import cv2

    cv2.imwrite(str(tmp_path / "a.png"), (phantom.pixels // 16).astype(np.uint8))
    result_of(phantom, tmp_path / "a.png", tmp_path / "a.json")
    (tmp_path / "b.json").write_text("{}")
    (tmp_path / "c.json").write_text("[" * 100_000)
    done = write_reports(find_results([tmp_path]), tmp_path / "out", sr=True)
    assert {p.name for p in done.written} == {"a.html", "index.html"}
    assert len(done.failures) == 2  # no DICOM, and the damaged c.json; b.json is no result
    assert all("\n" not in line for line in done.failures)
    assert any("is no DICOM file" in line for line in done.failures)
    assert read_result(tmp_path / "a.json").frame == Frame()
    with pytest.raises(InputError, match="cannot be read"):
        read_result(tmp_path / "absent.json")


@pytest.mark.parametrize("tool", ["slicer", "cvat"])
@pytest.mark.parametrize("kind", ["dcm", "mr", "png"])
def test_points_moved_in_another_program_come_back(tmp_path, phantom, tool, kind):
    import cv2

    used = sagittal_mr(2, region="lumbar", spacing_mm=2.0) if kind == "mr" else phantom
    picture = tmp_path / f"a.{'png' if kind == 'png' else 'dcm'}"
    if kind == "png":
        cv2.imwrite(str(picture), (used.pixels // 16).astype(np.uint8))
    else:
        write_dicom(used, picture)
    wanted = result_of(used, picture, tmp_path / "a.json")
    done = write_reports([tmp_path / "a.json"], tmp_path, html=False, slicer=tool == "slicer", cvat=tool == "cvat")
    assert done.failures == []
    (file,) = done.written
    assert find_results([tmp_path]) == [tmp_path / "a.json"]
    ((path, found),) = iter_results([file])
    assert path == tmp_path / "a.json"
    assert (found.file, found.frame, found.view, found.model) == (
        wanted.file,
        wanted.frame,
        wanted.view,
        wanted.model,
    )
    assert [v.label for v in found.vertebrae] == [v.label for v in wanted.vertebrae]
    for a, b in zip(found.vertebrae, wanted.vertebrae, strict=True):
        np.testing.assert_allclose(a.points, b.points, atol=2e-3)
        assert a.measures == {}
    (tmp_path / "a.json").unlink()
    # Without the result the picture beside the file says how large it is and what scale it has.
    ((_, alone),) = iter_results([file])
    assert (alone.file, alone.frame, alone.model) == (str(picture), read_picture(picture).frame, None)
    for a, b in zip(alone.vertebrae, wanted.vertebrae, strict=True):
        np.testing.assert_allclose(a.points, b.points, atol=2e-3)
    picture.unlink()
    ((_, left),) = iter_results([file])
    assert isinstance(left, InputError) == (tool == "slicer")


def test_processes_write_the_same_reports_and_runs_that_differ_are_said(tmp_path, phantom):
    """Two runs into one folder, one result damaged: byte for byte what one process writes, remarks and failures too."""
    for name in ("a", "b"):
        write_dicom(phantom, tmp_path / f"{name}.dcm")
        result_of(phantom, tmp_path / f"{name}.dcm", tmp_path / f"{name}.json")
    (tmp_path / "c.json").write_text("[" * 100_000)
    runs = {"1": {"model": "x", "threshold": 0.6}, "2": {"model": "x", "threshold": 0.5}}
    (tmp_path / "run.json").write_text(json.dumps({"runs": runs}))
    found = []
    with Processes(2) as pool:
        for out, where in ((tmp_path / "one", None), (tmp_path / "two", pool)):
            done = write_reports([tmp_path], out, formats=["slicer", "coco", "html"], pool=where)
            files = {path.name: path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}
            found.append((files, [path.name for path in done.written], done.failures, done.remarks))
    assert found[0] == found[1]
    files, _, failures, remarks = found[0]
    assert {"a.html", "b.html", "index.html"} <= set(files)
    assert len(failures) == 1
    assert remarks == [f"{tmp_path} holds results of 2 runs, which differ in threshold (see run.json)"]
    assert files["index.html"].count(b"<article>") == 2


@pytest.mark.parametrize("form", ["slicer", "fcsv"])
def test_a_spacing_that_the_user_gave_moves_no_point_of_3d_slicer(tmp_path, phantom, form):
    """Slicer shows a PNG in px: so the points are, whatever they were measured in, with a result beside or not."""
    import cv2

    cv2.imwrite(str(tmp_path / "a.png"), (phantom.pixels // 16).astype(np.uint8))
    wanted = replace(result_of(phantom, tmp_path / "a.png", tmp_path / "a.json"), frame=Frame((0.4, 0.25), "user"))
    (tmp_path / "a.json").write_text(json.dumps(wanted.to_json()))
    (file,) = write_reports([tmp_path / "a.json"], tmp_path, html=False, formats=[form]).written
    numbers = [float(text) for text in re.findall(r"-?\d+\.\d+", file.read_text())]
    first = (wanted.vertebrae[0].points[0] - 0.5).tolist()
    assert any(pair == pytest.approx(first, abs=1e-3) for pair in pairwise(numbers))
    ((_, beside),) = iter_results([file])
    assert beside.frame == wanted.frame
    (tmp_path / "a.json").unlink()
    ((_, alone),) = iter_results([file])
    assert alone.frame == Frame()
    for found in (beside, alone):
        for a, b in zip(found.vertebrae, wanted.vertebrae, strict=True):
            np.testing.assert_allclose(a.points, b.points, atol=2e-3)


def test_a_correction_that_may_be_of_several_results_is_refused(tmp_path, phantom):
    """Pictures of two patients bear one name; the one that lies beside the file is meant, else nobody knows."""
    import cv2

    for folder in ("x", "y", "both"):
        (tmp_path / folder).mkdir()
    for folder in ("x", "y"):
        cv2.imwrite(str(tmp_path / folder / "a.png"), (phantom.pixels // 16).astype(np.uint8))
        result_of(phantom, tmp_path / folder / "a.png", tmp_path / "both" / f"{folder}.json")
    (file,) = write_reports([tmp_path / "both" / "x.json"], tmp_path / "both", html=False, cvat=True).written
    ((_, error),) = iter_results([file])
    assert "may correct any of 2 results" in str(error)
    beside = file.rename(tmp_path / "x" / file.name)
    for folder in ("x", "y"):
        (tmp_path / "both" / f"{folder}.json").rename(tmp_path / "x" / f"{folder}.json")
    ((path, found),) = iter_results([beside])
    assert (path.name, found.file) == ("x.json", str(tmp_path / "x" / "a.png"))


def test_a_correction_of_another_slice_is_no_correction(tmp_path, phantom):
    """A set of COCO says which slice: the result of slice 3 of the volume is not given the points of slice 1."""
    import nibabel

    voxels = np.zeros((7, 12, 12), np.int16) + np.arange(7, dtype=np.int16)[:, None, None]
    nibabel.save(nibabel.Nifti1Image(voxels, np.eye(4)), tmp_path / "a.nii.gz")
    body = Vertebra.from_points(np.array([[2, 8], [5, 8], [8, 8], [8, 2], [5, 2], [2, 2]], float), label="L1")
    told = Reading(str(tmp_path / "a.nii.gz"), 12, 12, VERTEBRA6, [body], model="net", label_probability=0.97, slice=3)
    (tmp_path / "a.json").write_text(json.dumps(told.to_json()))
    for place, label, model, sure in ((3, "L1", "net", 0.97), (3, "L2", "net", None), (1, "L1", None, 0.97)):
        one = replace(told, slice=place, vertebrae=[replace(body, label=label)])
        formats()["coco"].write(tmp_path / "coco.json", [one])
        ((_, found),) = iter_results([tmp_path / "coco.json"])
        assert (found.slice, found.model, found.label_probability) == (place, model, sure)
