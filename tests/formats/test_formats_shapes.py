"""What is made of drawn shapes, and what a picture's own file says where its annotation does not."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pydicom
import pytest
from report_source import source

from spinetk.formats.capture import write_capture
from spinetk.formats.cvat import read_cvat
from spinetk.formats.item import CaseItem
from spinetk.formats.presentation import write_presentation
from spinetk.formats.registry import format_named
from spinetk.formats.shapes import Shape, assemble
from spinetk.formats.sr import write_sr
from spinetk.geometry import Frame
from spinetk.images import read_picture
from spinetk.images.find import find_series
from spinetk.phantoms import lateral_radiograph, write_dicom
from spinetk.reading import Reading, Vertebra
from spinetk.schema import VERTEBRA4, VERTEBRA6

CORNERS = np.array([[10, 10], [30, 12], [31, 25], [9, 24.0]])
SIZE = (90, 120)


def test_an_outline_of_four_corners_shows_no_middles():
    (body,) = assemble([Shape("L3", outline=CORNERS)], VERTEBRA6, SIZE).vertebrae
    seen = dict(zip(VERTEBRA6.keypoints, body.visible.tolist(), strict=True))
    assert [name for name in VERTEBRA6.keypoints if not seen[name]] == ["bottom_middle", "top_middle"]
    places = dict(zip(VERTEBRA6.keypoints, body.points.tolist(), strict=True))
    assert places["top_middle"] == [20, 11]
    assert places["bottom_right"] == [31, 25]


def test_an_outline_of_more_corners_shows_all_points():
    # Straight endplates, with corners set along them too.
    fine = np.concatenate([np.linspace(a, b, 9)[:-1] for a, b in zip(CORNERS, np.roll(CORNERS, -1, 0), strict=True)])
    (body,) = assemble([Shape("L3", outline=fine)], VERTEBRA6, SIZE).vertebrae
    assert body.visible.all()


def test_points_of_a_structure_bear_its_name():
    """A skeleton named after a structure, its points after a side or after nothing of ours."""
    shapes = [
        Shape("clavicle", points={"Left End": (1.0, 2), "right": (5.0, 6)}, hidden={"right"}),
        Shape("pelvis", points={"iliac crest": (7.0, 8), "pelvis rim": (9.0, 10)}),
        Shape("sketch", points={"a": (1.0, 1)}),
    ]
    found = assemble(shapes, VERTEBRA6, SIZE)
    assert {name: points.tolist() for name, points in found.extras.items()} == {
        "clavicle_left_end": [[1, 2]],
        "pelvis_iliac_crest": [[7, 8]],
        "pelvis_rim": [[9, 10]],
    }
    assert found.remarks == ["1 x 'sketch' with other points: left out"]


def test_a_box_without_points_is_counted_and_its_edges_are_read(tmp_path):
    """CVAT names the edges of a box xtl, ytl, xbr, ybr; one of them wrong, and the whole image is said to be."""
    box = '<box label="L3" occluded="0" xtl="1.5" ytl="2.5" xbr="30.25" ybr="{}"/>'
    for edge in ("40.75", "low"):
        image = f'<image id="0" name="a.png" width="90" height="120">{box.format(edge)}</image>'
        (tmp_path / f"{edge}.xml").write_text(f"<annotations>{image}</annotations>")
    (found,) = read_cvat(tmp_path / "40.75.xml")
    assert found.remarks == ["1 x box 'L3' without the points of vertebra6: left out"]
    with pytest.raises(ValueError, match="box 'L3' whose points are not numbers"):
        read_cvat(tmp_path / "low.xml")


def test_what_the_annotation_leaves_open_comes_from_the_picture_with_its_source(tmp_path):
    film = write_dicom(lateral_radiograph(4, region="lumbar", spacing_mm=1.0), tmp_path / "film.dcm")
    header = pydicom.dcmread(film)
    item = CaseItem(film, "film", VERTEBRA6, size=(int(header.Columns), int(header.Rows)))
    own = item.shown().frame
    assert own.spacing_source
    assert own.toward_right
    assert item.reading().frame == own
    said = "PixelSpacing does not say how it was calibrated: it may be that of the detector plane"
    assert replace(item, remarks=[said, "own"]).reading().remarks == [said, "own"]  # as a report of it holds it
    told = Frame((0.5, 0.25), "user", "A", "F")
    assert replace(item, frame=told).reading().frame == told
    for tag in ("PixelSpacing", "ImagerPixelSpacing"):
        if tag in header:
            del header[tag]
    header.PixelAspectRatio = [3, 2]
    header.save_as(film)
    assert replace(item, frame=Frame()).reading().frame.pixel_aspect == 1.5
    assert replace(item, frame=Frame(pixel_aspect=2.0)).reading().frame.pixel_aspect == 2
    assert replace(item, frame=told).reading().frame.pixel_aspect is None


def test_a_point_list_has_the_scale_of_its_own_series(tmp_path):
    """Two axial series in one folder, shown as sagittal reformations: the point lies where the middle plane of the one
    that was read does (30 columns, slices 0 to 33 mm), whatever the user gave as spacing.
    """
    folder = tmp_path / "study"
    folder.mkdir()
    for series, spacing in (("1", 0.5), ("2", 2.0)):
        for number in range(12):
            data = source(rows=40, columns=30)
            data.SeriesInstanceUID, data.SOPInstanceUID = f"1.2.3.{series}", f"1.2.3.{series}.{number}"
            data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID
            data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
            data.ImagePositionPatient, data.ImageOrientationPatient = [0, 0, 3 * number], [1, 0, 0, 0, 1, 0]
            data.InstanceNumber, data.PixelSpacing, data.SliceThickness = number + 1, [spacing, spacing], 3
            data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
            data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 8, 8, 7, 0
            data.PixelData = bytes(range(30)) * 40
            data.save_as(folder / f"{series}-{number:02}.dcm", enforce_file_format=True)
    names = {files[0].name[0]: name for name, files in find_series(folder).items()}
    points = np.array([[0, 12], [10, 12], [20, 12], [20, 0], [10, 0], [0, 0.0]]) + 2.5
    for series, spacing in (("1", 0.5), ("2", 2.0)):
        seen = read_picture(folder, series=names[series])
        body = Vertebra.from_points(points, label="L1")
        told = Reading(str(folder), seen.height, seen.width, VERTEBRA6, [body], Frame((9, 9), "user"))
        format_named("slicer").write(tmp_path / "a.mrk.json", [replace(told, series=names[series])])
        (markup,) = json.loads((tmp_path / "a.mrk.json").read_text())["markups"]
        # Across, the reformation has the rows of the axial slices; down, it goes from the uppermost of them.
        place = [14.5 * spacing, 2 * spacing, 33 - 14 * seen.frame.spacing_mm[0]]
        assert markup["controlPoints"][0]["position"] == pytest.approx(place)


def test_all_objects_say_who_made_them(tmp_path):
    """PS3.3 C.7.5.1: the archive shows the maker of an object, whichever kind it is."""
    pytest.importorskip("highdicom")
    one, picture = Reading("x", 300, 200, VERTEBRA6), source()
    picture.PhotometricInterpretation, picture.SamplesPerPixel = "MONOCHROME2", 1
    picture.BitsAllocated, picture.BitsStored, picture.HighBit, picture.PixelRepresentation = 8, 8, 7, 0
    one.vertebrae = [Vertebra.from_points(np.array([[5, 20], [10, 20], [15, 20], [15, 9], [10, 9], [5, 9.0]]))]
    write_sr(tmp_path / "sr.dcm", one, picture)
    write_presentation(tmp_path / "pr.dcm", one, picture)
    write_capture(tmp_path / "sc.dcm", np.zeros((9, 9, 3), np.uint8), picture)
    for name in ("sr", "pr", "sc"):
        made = pydicom.dcmread(tmp_path / f"{name}.dcm")
        assert (made.Manufacturer, made.ManufacturerModelName) == ("spinetk", "spinetk"), name
        assert made.SoftwareVersions, name


def test_points_that_lie_off_their_box_are_said():
    """Shares in place of px, y before x, and a box that is a little tight, by hand."""
    names = ("top_left", "top_right", "bottom_left", "bottom_right")
    corners = dict(zip(names, [(20.0, 10.0), (60.0, 10.0), (20.0, 40.0), (60.0, 40.0)], strict=True))
    ways = {"right": lambda x, y: (x, y), "shares": lambda x, y: (x / 90, y / 160), "y first": lambda x, y: (y, x)}
    said = "points of a body lie off its own box: are all x before y, and in px?"
    for way, change in ways.items():
        points = {name: change(*point) for name, point in corners.items()}
        shape = Shape("L3", points, box=(22.0, 12.0, 58.0, 38.0))
        assert assemble([shape], VERTEBRA4, (90, 160)).remarks == ([] if way == "right" else [said])
