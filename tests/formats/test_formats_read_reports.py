"""What is made of reports, point lists and centroids in which every field says something, whole, as worked by hand."""

from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pydicom
import pytest
from dicom_whole import film
from pydicom.dataset import Dataset
from report_items import code, group, item, region
from whole import LOWER, NAMES, UPPER, bodies, items, plain, rich, save, told

from spinetk.facing import Facing
from spinetk.formats.slicer import read_markups, write_fcsv, write_markups
from spinetk.formats.sr import write_sr
from spinetk.formats.sr.others import drawn_in
from spinetk.formats.sr.read import _code
from spinetk.geometry import Frame
from spinetk.reading import Reading

HEAD = {"kind": "femoral_head", "points": [[30, 240]], "radius_px": 9.5, "score": 0.625, "sigma_px": 1.25}
S1 = {"kind": "s1", "points": [[20, 200], [56, 212]]}


def saved(data: Dataset, path):
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    data.save_as(path, enforce_file_format=True)
    return path


# --- structured reports ---


@pytest.mark.parametrize("frames", [5, None])
def test_our_own_reports(tmp_path, frames):
    pytest.importorskip("highdicom")
    (tmp_path / "series").mkdir()
    picture = saved(film(frames), tmp_path / "series" / "film.dcm")
    write_sr(tmp_path / "r 1.dcm", rich("x"), picture, frame=None if frames is None else 3)
    (found,) = items("sr", tmp_path / "r 1.dcm")
    # What is not seen stands where the others have their middle.
    lower = [[20, 80], [30.6669921875, 102], [20, 112], [52, 114]]
    wanted = {
        "picture": picture,
        "case": "r 1",
        "schema": "vertebra4",
        "vertebrae": [
            told(UPPER, box=[15, 31, 50, 67], label="L1", score=0.75),
            told(lower, (1, 0, 1, 1), box=[19, 79, 53, 115], label="hook"),
        ],
        "landmarks": [S1, HEAD],
        "interval_scale": {"height": 1.5},
        "frame": Frame((0.5, 0.25), "PixelSpacing", "P", "F", None, 3),
        "view": "sagittal",
        "size": [128, 256],
        "model": "net 1",
        "facing": Facing("left", "sacrum", 0.9688),
        "not_graded": "made for films",
        "threshold": 0.5,
        "label_probability": 0.875,
        "remarks": ["a remark"],
    }
    assert found == wanted | ({} if frames is None else {"slice": 3})
    (same,) = items("sr", tmp_path)
    assert same == found
    picture.unlink()
    (found,) = items("sr", tmp_path / "r 1.dcm")
    assert (found["picture"], "slice" in found) == (type(tmp_path)("r 1.dcm"), False)
    assert found["missing"] == (
        f"{tmp_path / 'r 1.dcm'}: is about a picture that is not there (put the DICOM file beside it, or into the list)"
    )


def site(value, meaning):
    return item("CODE", ConceptNameCodeSequence=code("363698007", "Finding Site", "SCT"),
                ConceptCodeSequence=code(value, meaning, "SCT"))  # fmt: skip


def test_reports_of_others(tmp_path):
    """Two pictures in one report: the second, a frame of several, is a case of its own."""
    saved(film(), tmp_path / "film.dcm")
    frames = film(5)
    frames.SOPInstanceUID = "1.2.3.9"
    saved(frames, tmp_path / "frames.dcm")
    corners = [UPPER[k] for k in (0, 1, 3, 2)]
    first = group("body of L4", region("POLYLINE", corners))
    first.ContentSequence.insert(1, site("66794005", "L1 vertebra"))
    second = group("L2 body", region("POLYGON", [LOWER[k] for k in (0, 1, 3, 2)], frame=4))
    hip = group("left hip", region("CIRCLE", [(30, 240), (39, 240)], frame=4))
    for one, uid in ((first, "1.2.3.1"), (second, "1.2.3.9"), (hip, "1.2.3.9")):
        for child in one.ContentSequence:
            if child.ValueType == "SCOORD":
                child.ContentSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID = uid
    report = film()
    report.SOPClassUID, report.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.88.33", "1.2.3.8"
    del report.Rows
    report.ContentSequence = [first, second, hip]
    saved(report, tmp_path / "r.dcm")
    remark = "a report of another program: its regions were taken"
    outlines = "points taken from outlines (1 vertebrae)"
    assert items("sr", tmp_path / "r.dcm") == [
        {
            "picture": tmp_path / "film.dcm", "case": "r", "schema": "vertebra4", "size": [128, 256],
            "vertebrae": [told(UPPER, label="L1")], "remarks": [remark, outlines],
        },
        {
            "picture": tmp_path / "frames.dcm", "case": "r-2", "schema": "vertebra4", "size": [128, 256], "slice": 3,
            "vertebrae": [told(LOWER, label="L2")], "landmarks": [{"kind": "femoral_head", "points": [[30, 240]]}],
            "remarks": [remark, outlines],
        },
    ]  # fmt: skip


def test_regions_without_a_concept_and_codes_of_every_length(tmp_path):
    bare = region("POINT", [(5, 6)])
    del bare.ConceptNameCodeSequence
    line = region("POLYLINE", [(1, 1), (2, 2), (3, 1)])
    box = region("POLYGON", [(1, 1), (9, 1), (9, 7), (1, 7)])
    found = drawn_in(item("CONTAINER", group("L3 top_left", bare), group("", line), group("", box)), tmp_path / "r")
    ((first, second, third),) = found.values()
    assert (first.label, first.points, first.level) == ("L3", {"top_left": (5, 6)}, None)
    assert (second.label, second.loose.tolist()) == ("POLYLINE", [[1, 1], [2, 2], [3, 1]])
    assert (third.label, third.outline.tolist()) == ("vertebra", [[1, 1], [9, 1], [9, 7], [1, 7]])
    for name in ("CodeValue", "LongCodeValue", "URNCodeValue"):
        one = Dataset()
        setattr(one, name, "urn:1")
        assert _code(one) == "urn:1"


# --- point lists ---


def control(label, place, **more):
    return {"label": label, "position": [*place, 0]} | more


def test_point_lists_of_3d_slicer(tmp_path):
    """Without a spacing, in px of the centre of the first pixel; RAS counts x and y the other way."""
    save(tmp_path / "a.png")
    points = [control(f"L2 {name}", (0.5 - x, 0.5 - y)) for name, (x, y) in zip(NAMES, LOWER, strict=True)]
    points[1]["positionStatus"] = "missing"
    points += [
        control(f"#7 {name}", (0.5 - x, 0.5 - y), description=" L1 ") for name, (x, y) in zip(NAMES, UPPER, strict=True)
    ]
    points += [control("clavicle left", (0.5 - x, 0.5 - y)) for x, y in ((8, 4), (24, 6))]
    points += [control("tool", (0, 0)), control("dens", (0, 0), positionStatus="missing")]
    markups = [{"type": "Line"}, {"type": "Line"}, {"coordinateSystem": "RAS", "controlPoints": points}]
    (tmp_path / "a.mrk.json").write_text(json.dumps({"markups": markups}))
    lower = [LOWER[0], [(20 + 20 + 52) / 3, 102], LOWER[2], LOWER[3]]
    (found,) = items("slicer", tmp_path)
    hidden = found["vertebrae"][1]
    assert hidden["visible"] == [1, 0, 1, 1]
    hidden["points"][1] = lower[1]
    assert found == {
        "picture": tmp_path / "a.png",
        "case": "a",
        "schema": "vertebra4",
        "vertebrae": [told(UPPER, label="L1"), told(lower, (1, 0, 1, 1), label="L2")],
        "extras": {"clavicle_left": [[8, 4], [24, 6]]},
        "size": [128, 256],
        "remarks": [
            "2 x markup of type Line: left out",
            "1 x point 'tool' without the points of vertebra4: left out",
        ],
    }


def test_fiducials_of_an_older_slicer(tmp_path):
    """RAS where nothing is said, columns by their heading, and a status without one at the end."""
    save(tmp_path / "a.png")
    rows = [f"{0.5 - x},{0.5 - y},0,L1 {name},note,2,0" for name, (x, y) in zip(NAMES, UPPER, strict=True)]
    rows += ["-4,-4,0,dens,,1,0", "-3.5,-4.5,0, dens ,,2,0"]
    (tmp_path / "a.fcsv").write_text("# columns = x,y,z,label,desc\n\n" + "\n".join(rows) + "\n# end\n")
    (found,) = items("fcsv", tmp_path / "a.fcsv")
    assert found == {
        "picture": tmp_path / "a.png", "case": "a", "schema": "vertebra4", "size": [128, 256],
        "vertebrae": [told(UPPER, label="L1")], "extras": {"dens": [[4, 5]]},
    }  # fmt: skip


@pytest.mark.parametrize("write", [write_markups, write_fcsv])
def test_a_corrected_point_list(tmp_path, write):
    """Points, structures and scores of the list; everything else as it was, but what was about the old points."""
    base = rich("film.png", frame=Frame((0.5, 0.25), "user"))
    path = tmp_path / ("a.mrk.json" if write is write_markups else "a.fcsv")
    moved = Reading.from_json(base.to_json())
    for one in (*moved.vertebrae, *moved.landmarks):
        one.points = one.points + 1
    write(path, moved)
    found = plain(read_markups(path, base))
    wanted = plain(base)
    hidden = found["vertebrae"][1]["points"].pop(1)
    assert hidden == ([53, 82] if write is write_markups else [31.6669921875, 103])
    for one, own in zip(wanted["vertebrae"], bodies(), strict=True):
        one["points"] = (own.points + 1).tolist()
        one.pop("score", None)
        one["bbox"] = [*own.points[own.visible].min(axis=0) + 1, *own.points[own.visible].max(axis=0) + 1]
    wanted["vertebrae"][1]["points"].pop(1)
    wanted["landmarks"] = [S1 | {"points": [[21, 201], [57, 213]]}, {"kind": "femoral_head", "points": [[31, 241]]}]
    del wanted["angles"]
    assert found == wanted
    write(path, base)
    assert plain(read_markups(path, base)) == {key: own for key, own in plain(base).items() if key != "angles"}


# --- centroids ---


def nifti(path, values, spacing=(1, 2, 3)):
    """Axes to the left, the back and the head."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nib.Nifti1Image(values, np.diag([-spacing[0], -spacing[1], spacing[2], 1.0]))
    image.header.set_sform(image.affine, 1)
    nib.save(image, path)


def test_verse_in_the_folders_of_its_data_set(tmp_path):
    """Voxel (4, 7, 9) of 8 x 10 x 12: shown with the back on the right and the feet below, column 7 and row 2."""
    nifti(tmp_path / "rawdata" / "sub-1" / "sub-1_ct.nii.gz", np.zeros((8, 10, 12), np.int16), (1, 1, 1))
    nifti(tmp_path / "rawdata" / "sub-1" / "sub-1_ct_msk.nii.gz", np.zeros((8, 10, 12), np.int16), (1, 1, 1))
    folder = tmp_path / "derivatives" / "sub-1"
    folder.mkdir(parents=True)
    entries = [{"direction": ["l", "P", "S"]}, {"label": 20, "X": 4, "Y": 7, "Z": 9}]
    entries += [{"label": 99, "X": 0, "Y": 0, "Z": 0}, {"label": 27, "X": 0, "Y": 0, "Z": 0}]
    (folder / "sub-1_seg-vert_ctd.json").write_text(json.dumps(entries))
    (found,) = items("verse", tmp_path)
    assert found == {
        "picture": tmp_path / "rawdata" / "sub-1" / "sub-1_ct.nii.gz",
        "case": "sub-1_seg-vert",
        "schema": ["centre"],
        "vertebrae": [told([[7.5, 2.5]], (1,), label="L1")],
        "extras": {"coccyx": [[0.5, 11.5]]},
        "view": "sagittal",
        "size": [10, 12],
        "remarks": [
            "centres projected into the slice that is shown, though they lie in several",
            "label 99 names no vertebra or disc: left out",
        ],
    }


@pytest.mark.parametrize("kind", ["disc", "vert"])
def test_point_labels_of_the_spinal_cord_toolbox(tmp_path, kind):
    """Labels and volume meet in mm: the labels are stored with every other slice of the volume only. 49 is the junction
    of pons and medulla, no vertebra.
    """
    nifti(tmp_path / "sub-1_T2w.nii.gz", np.zeros((8, 10, 12), np.int16), (1, 1, 1))
    values = np.zeros((8, 10, 6), np.uint8)
    values[4, 7, 4], values[4, 3, 1], values[4, 3, 2], values[0, 0, 5] = 21, 22, 22, 49
    nifti(tmp_path / f"sub-1_T2w_labels-{kind}.nii.gz", values, (1, 1, 2))
    (found,) = items("sct", tmp_path)
    high, low = [7.5, 3.5], [3.5, 8.5]
    common = {
        "picture": tmp_path / "sub-1_T2w.nii.gz", "case": "sub-1_T2w", "schema": ["centre"], "view": "sagittal",
        "size": [10, 12],
        "remarks": [
            "centres projected into the slice that is shown, though they lie in several",
            "label 49 names no vertebra or disc: left out",
        ],
    }  # fmt: skip
    if kind == "disc":
        assert found == common | {"extras": {"disc_L1_L2": [high], "disc_L2_L3": [low]}}
    else:
        assert found == common | {"vertebrae": [told([high], (1,), label="L2"), told([low], (1,), label="L3")]}


def test_a_picture_of_the_same_uid_is_the_one_with_pixels(tmp_path):
    """A report has no rows: it is no picture, whatever it is called."""
    from spinetk.formats.sr.items import by_uid

    data = film()
    saved(data, tmp_path / "a.dcm")
    del data.Rows
    saved(data, tmp_path / "b.dcm")
    (tmp_path / "c.dcm").write_bytes(b"no DICOM")
    assert by_uid(tmp_path.glob("*")) == {"1.2.3.1": tmp_path / "a.dcm"}
    assert pydicom.dcmread(tmp_path / "b.dcm").SOPInstanceUID == "1.2.3.1"
