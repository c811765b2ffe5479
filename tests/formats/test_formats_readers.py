"""Readers of annotation programs on files written by hand, as the programs write them."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace

import cv2
import numpy as np
import pytest

from spinetk.cases.preparation import prepare
from spinetk.errors import InputError
from spinetk.formats.cvat import cvat_items
from spinetk.formats.registry import detect, format_named, lost, read
from spinetk.formats.results import iter_results
from spinetk.formats.shapes import level_in, named_points, point_in, split_label, structure_in
from spinetk.geometry import Frame
from spinetk.schema import VERTEBRA4, VERTEBRA6, KeypointSchema

WIDTH, HEIGHT = 200, 400
NAMES = VERTEBRA6.keypoints
UPPER = dict(zip(NAMES, [(50, 80), (70, 79), (90, 81), (90, 52.5), (70, 53), (50, 50)], strict=True))
LOWER = {name: (x + 4, y + 60) for name, (x, y) in UPPER.items()}


@pytest.fixture
def folder(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH)).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "film.png"), pixels)
    return tmp_path


def only(folder, name=None, schema=None):
    (item,) = read(folder, name, schema)
    assert not isinstance(item, InputError), str(item)
    assert item.missing is None
    return item


def check(item, levels=("L3", "L4"), schema=VERTEBRA6):
    assert item.schema == schema
    assert [v.label for v in item.vertebrae] == list(levels)
    for vertebra, wanted in zip(item.vertebrae, (UPPER, LOWER), strict=True):
        np.testing.assert_allclose(vertebra.points, [wanted[name] for name in schema.keypoints], atol=0.01)


# --- words ---


@pytest.mark.parametrize(
    ("text", "level"),
    [
        *[(text, "L3") for text in ("L3", "l3", "vertebra_L3", "L3 vertebra", "L 3", "L03", "vertebrae_L3")],
        *[(text, "T12") for text in ("Th12", "T12", "D12", "th-12")],
        *[(text, None) for text in ("L3-L4", "disc L4", "T2w", "vertebra", "", None, "T14", "AL3", "IVD_L3")],
    ],
)
def test_levels_in_labels(text, level):
    assert level_in(text) == level


def test_names_of_points_and_structures():
    assert point_in("Upper left") == point_in("superior-left") == point_in("left_top") == "top_left"
    assert point_in("nose") is None
    assert point_in("top_left 2") is None
    assert split_label("L3.top_left") == ("L3", "top_left")
    assert split_label("#2 bottom middle") == ("#2", "bottom_middle")
    assert split_label("pedicle") == ("pedicle", None)
    assert structure_in("Femoral head (left)") == "femoral_head_left"
    assert structure_in("S1 endplate") == "s1_endplate"
    assert structure_in("vertebra") is None


def test_outlines_give_corners_and_only_curved_ones_give_middles():
    quad = np.array([UPPER[n] for n in ("top_left", "top_right", "bottom_right", "bottom_left")])
    for turn in range(4):
        found = named_points(np.roll(quad, turn, axis=0), VERTEBRA4)
        np.testing.assert_allclose(found, [UPPER[name] for name in VERTEBRA4.keypoints])
    x = np.linspace(0, 40, 41)
    waisted = np.concatenate(
        [
            np.column_stack([x + 50, 100 + 4 * np.sin(np.pi * x / 40)]),
            np.column_stack([x[::-1] + 50, 130 - 3 * np.sin(np.pi * x[::-1] / 40)]),
        ]
    )
    wanted = {"top_left": (50, 100), "top_middle": (70, 104), "top_right": (90, 100)}
    wanted |= {"bottom_left": (50, 130), "bottom_middle": (70, 127), "bottom_right": (90, 130)}
    found = dict(zip(NAMES, named_points(waisted), strict=True))
    for name, place in wanted.items():
        assert np.hypot(*(found[name] - place)) < 0.6, name


# --- labelme ---


def labelme(folder, shapes, **fields):
    content = {"version": "5.5.0", "flags": {}, "shapes": shapes, "imagePath": "film.png", "imageData": None}
    content |= {"imageHeight": HEIGHT, "imageWidth": WIDTH} | fields
    (folder / "film.json").write_text(json.dumps(content))
    return folder


def drawn(label, points, kind="point", group=None):
    return {"label": label, "points": [list(p) for p in points], "group_id": group, "shape_type": kind, "flags": {}}


def by_group():
    for group, points in ((1, UPPER), (7, LOWER)):
        yield from (drawn(name, [place], group=group) for name, place in points.items())
    yield drawn("L3", [(45, 45), (95, 85)], "rectangle", group=1)
    yield drawn("L4", [(45, 105), (105, 145)], "rectangle", group=7)


def by_label():
    for level, points in (("L3", UPPER), ("L4", LOWER)):
        yield from (drawn(f"{level}_{name}", [place]) for name, place in points.items())


def by_rectangle():
    for level, points, box in (("L4", LOWER, [(45, 105), (105, 145)]), ("L3", UPPER, [(95, 85), (45, 45)])):
        yield drawn(level, box, "rectangle")
        yield from (drawn(name, [place]) for name, place in points.items())


@pytest.mark.parametrize("way", [by_group, by_label, by_rectangle])
def test_labelme_points_find_their_vertebra(folder, way):
    labelme(folder, list(way()))
    assert detect(folder)[0].name == "labelme"
    check(only(folder))
    check(only(folder / "film.json", schema=VERTEBRA4), schema=VERTEBRA4)


def test_labelme_outlines_and_structures(folder):
    quads = [[p[n] for n in ("top_left", "top_right", "bottom_right", "bottom_left")] for p in (UPPER, LOWER)]
    shapes = [drawn("L3", quads[0], "polygon"), drawn("vertebra", quads[1], "polygon")]
    shapes += [drawn("femoral head", [(60, 300), (70, 300)], "circle"), drawn("S1", [(50, 200), (90, 210)], "line")]
    shapes += [drawn("pedicle", [(5, 5)]), drawn("rib", [(5, 5), (6, 6), (7, 9)], "polygon")]
    item = only(labelme(folder, shapes))
    check(item, ("L3", None), VERTEBRA4)
    plate, head = item.landmarks
    assert plate.points.tolist() == [[50, 200], [90, 210]]
    assert (head.points.tolist(), head.radius_px) == ([[60, 300]], 10)
    said = "; ".join(item.remarks)
    assert "1 x point 'pedicle'" in said
    assert "1 x outline 'rib'" in said


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda s: [*s, drawn("top_left", [(1, 1)])], "belongs to no vertebra"),
        (lambda s: [*s, drawn("L3_top_left", [(1, 1)])], "two points"),
        (lambda s: [*s, {"label": "x", "points": [["a", 1]]}], "not a list of x and y"),
        (lambda s: [*s, drawn("x", [(float("inf"), 1)])], "coordinate"),
        (lambda s: [*s, 3], "table of fields"),
    ],
)
def test_labelme_faults_are_one_line(folder, change, word):
    text = json.dumps(change(list(by_label())))
    labelme(folder, json.loads(text))
    (error,) = read(folder, "labelme")
    assert isinstance(error, InputError)
    assert word in str(error)


# --- YOLO ---


def yolo(folder, bodies, names=None, order=NAMES, classes=("L3", "L4"), extra=""):
    (folder / "labels").mkdir()
    lines = []
    for k, points in enumerate(bodies):
        flat = " ".join(f"{points[n][0] / WIDTH} {points[n][1] / HEIGHT} 2" for n in order)
        lines.append(f"{min(k, len(classes) - 1)} 0.35 0.2 0.2 0.1 {flat}")
    (folder / "labels" / "film.txt").write_text("\n".join(lines) + "\n" + extra)
    data = f"path: /somewhere\ntrain: images\nkpt_shape: [{len(order)}, 3]\nnames: {list(classes)}\n"
    (folder / "data.yaml").write_text(data + (f"kpt_names:\n  0: {list(names)}\n" if names else ""))
    return folder


def test_yolo_with_names(folder):
    yolo(folder, [UPPER, LOWER], names=NAMES)
    assert detect(folder)[0].name == "yolo"
    item = only(folder)
    check(item)
    assert item.remarks == []


@pytest.mark.parametrize("order", [NAMES, NAMES[::-1], ("top_left", "top_right", "bottom_right", "bottom_left")])
def test_yolo_points_without_names_are_named_by_their_places(folder, order):
    item = only(yolo(folder, [UPPER, LOWER], order=order))
    check(item, schema=VERTEBRA6 if len(order) == 6 else VERTEBRA4)
    assert "named by their places in 2 of 2 bodies" in item.remarks[0]


@pytest.mark.parametrize(
    ("extra", "word"), [("0 1 2", "has 3 numbers"), ("a", "not numbers"), ("0 " + "nan " * 22, "no share")]
)
def test_yolo_faults_name_their_line(folder, extra, word):
    (error,) = read(yolo(folder, [UPPER, LOWER], names=NAMES, extra=extra))
    assert "line 3" in str(error)
    assert word in str(error)


# --- COCO ---


def coco(folder, *entries, **fields):
    category = {"id": 1, "name": "vertebra", "keypoints": list(NAMES), "skeleton": []}
    image = {"id": 1, "width": WIDTH, "height": HEIGHT, "file_name": "film.png"}
    content = {"images": [image], "annotations": list(entries), "categories": [category]} | fields
    (folder / "coco.json").write_text(json.dumps(content))
    return folder


def entry(points, shift=0.5, **fields):
    flat = [v for name in NAMES for v in (points[name][0] - shift, points[name][1] - shift, 2)]
    return {"id": 1, "image_id": 1, "category_id": 1, "keypoints": flat, "iscrowd": 0, **fields}


@pytest.mark.parametrize("attributes", [{"level": "L3"}, {"label": "L3"}])
def test_coco_of_cvat_is_where_its_xml_is(folder, attributes):
    """One task of CVAT, exported twice."""
    text = "".join(f'<points label="{n}" outside="0" points="{x},{y}"/>' for n, (x, y) in UPPER.items())
    level = '<attribute name="level">L3</attribute>'
    image = f'<image id="0" name="film.png" width="{WIDTH}" height="{HEIGHT}"><skeleton label="vertebra">{level}{text}'
    (folder / "a.xml").write_text(f"<annotations>{image}</skeleton></image></annotations>")
    coco(folder, entry(UPPER, shift=0, attributes={"occluded": False, **attributes}))
    xml, again = only(folder / "a.xml"), only(folder / "coco.json")
    np.testing.assert_allclose(again.vertebrae[0].points, xml.vertebrae[0].points, atol=1e-9)
    assert again.vertebrae[0].label == xml.vertebrae[0].label == "L3"
    assert "CVAT wrote it" in again.remarks[-1]


@pytest.mark.parametrize("info", [{"contributor": "Label Studio"}, {"description": "Exported from roboflow.com"}])
def test_coco_of_programs_that_count_from_the_corner(folder, info):
    item = only(coco(folder, entry(UPPER, shift=0), info=info))
    np.testing.assert_allclose(item.vertebrae[0].points[0], UPPER["bottom_left"])


def test_coco_of_label_studio_that_joins_all_bodies_is_refused(folder):
    category = {"id": 1, "name": "default", "keypoints": list(NAMES)}
    info = {"contributor": "Label Studio"}
    (error,) = read(coco(folder, entry(UPPER), categories=[category], info=info))
    assert "all its vertebrae in one annotation" in str(error)
    assert "JSON or YOLO" in str(error)


@pytest.mark.parametrize("key", ["1", 1.0])
def test_coco_ids_of_other_types(folder, key):
    check(only(coco(folder, entry(UPPER, image_id=key), entry(LOWER, image_id=1))), (None, None))


def test_coco_annotations_that_meet_no_image(folder):
    found = list(read(coco(folder, entry(UPPER, image_id=7), entry(LOWER, image_id=8))))
    assert all(isinstance(one, InputError) for one in found)
    assert "2 annotations of 2 pictures met no image" in str(found[0])
    assert "no annotation, while others" in str(found[1])


def test_coco_outlines_without_keypoints(folder):
    quad = [v for n in ("top_left", "top_right", "bottom_right", "bottom_left") for v in UPPER[n]]
    item = only(coco(folder, {"id": 1, "image_id": 1, "category_id": 1, "segmentation": [quad]}, categories=[{"id": 1, "name": "L3"}]))  # noqa: E501  # fmt: skip
    assert (item.vertebrae[0].label, item.schema) == ("L3", VERTEBRA4)
    np.testing.assert_allclose(item.vertebrae[0].points[0], UPPER["top_left"])


# --- CVAT for video ---


def test_cvat_for_video_takes_the_frames_somebody_annotated(tmp_path):
    (tmp_path / "images").mkdir()
    for number in range(4):
        pixels = np.full((HEIGHT, WIDTH), 10 * number, np.uint8)
        cv2.imwrite(str(tmp_path / "images" / f"frame_{number:06d}.png"), pixels)
    tracks = ""
    for k, (level, points) in enumerate((("L3", UPPER), ("L4", LOWER))):
        tracks += f'<track id="{k}" label="vertebra" source="manual">'
        for frame, key in ((0, 1), (1, 0), (2, 1), (3, 0)):
            tracks += f'<skeleton frame="{frame}" keyframe="{key}" outside="{int(frame == 3)}" z_order="0">'
            tracks += f'<attribute name="level">{level}</attribute>'
            tracks += "".join(
                f'<points label="{n}" keyframe="{key}" outside="0" points="{x + frame},{y}"/>'
                for n, (x, y) in points.items()
            )
            tracks += "</skeleton>"
        tracks += "</track>"
    size = f"<original_size><width>{WIDTH}</width><height>{HEIGHT}</height></original_size>"
    meta = f"<meta><task><mode>interpolation</mode>{size}</task></meta>"
    (tmp_path / "annotations.xml").write_text(f"<annotations><version>1.1</version>{meta}{tracks}</annotations>")
    first, second = cvat_items(tmp_path)
    assert [item.picture.name for item in (first, second)] == ["frame_000000.png", "frame_000002.png"]
    assert [v.label for v in second.vertebrae] == ["L3", "L4"]
    np.testing.assert_allclose(second.vertebrae[0].points[0], np.add(UPPER["bottom_left"], (2, 0)))
    assert first.remarks == ["2 frames between the annotated ones were left out: their points are interpolated"]


def test_cvat_loose_points_in_groups(folder):
    """As datumaro and people write them: a point a label, tied by the group."""
    text = "".join(
        f'<points label="{n}" group_id="{g}" points="{x},{y}"/>'
        for g, points in ((1, UPPER), (2, LOWER))
        for n, (x, y) in points.items()
    )
    image = f'<image id="0" name="film.png" width="{WIDTH}" height="{HEIGHT}">{text}</image>'
    (folder / "a.xml").write_text(f"<annotations>{image}</annotations>")
    check(only(folder / "a.xml"), (None, None))


# --- Label Studio ---


def regions(points, key, **fields):
    for name, (x, y) in points.items():
        yield {
            "id": f"{key}{name}",
            "type": "keypointlabels",
            "original_width": WIDTH,
            "original_height": HEIGHT,
            "value": {"x": 100 * x / WIDTH, "y": 100 * y / HEIGHT, "keypointlabels": [name]},
            **fields,
        }


def test_label_studio_points_tied_by_relations_alone(folder):
    result = [*regions(UPPER, "a"), *regions(LOWER, "b")]
    for key in "ab":
        ties = [f"{key}{name}" for name in NAMES]
        result += [{"type": "relation", "from_id": a, "to_id": b} for a, b in itertools.pairwise(ties)]
    task = {"id": 1, "data": {"image": "/data/local-files/?d=x%2Ffilm.png"}, "annotations": [{"result": result}]}
    (folder / "e.json").write_text(json.dumps([task]))
    check(only(folder), (None, None))


def test_two_annotators_are_two_readings(folder, tmp_path, capsys):
    moved = {name: (x + 1, y) for name, (x, y) in UPPER.items()}
    answers = [
        {"id": 5, "completed_by": 1, "updated_at": "2024-02", "result": list(regions(UPPER, "a", parentID="v"))},
        {"id": 6, "completed_by": {"id": 2, "email": "somebody@example.org"}, "updated_at": "2024-01"}
        | {"result": list(regions(moved, "a", parentID="v"))},
    ]
    (folder / "e.json").write_text(json.dumps([{"id": 1, "data": {"image": "film.png"}, "annotations": answers}]))
    first, second = read(folder / "e.json")
    assert (first.annotator, second.annotator, first.rank, second.rank) == ("annotator 1", "annotator 2", 0, 1)
    assert "the newest counts (by annotator 1)" in first.remarks[0]
    done = prepare(folder / "e.json", tmp_path / "cases", progress=False)
    assert done.cases == ["film"]
    assert any("a further reading (by annotator 2) was left out" in line for line in done.remarks)
    paths = [path.name for path, _ in iter_results([folder / "e.json"])]
    assert paths == ["film.json", "film.annotator-2.json"]
    from spinetk.report.agreement import agree_in

    found = agree_in(folder / "e.json")
    assert found.values["file"].nunique() == 1
    np.testing.assert_allclose(found.values.loc[found.values["unit"] == "px", "difference"], 0, atol=1e-6)


# --- centres in volumes ---


@pytest.fixture
def volume(tmp_path):
    """8 x 10 x 12 voxels of 1 x 2 x 3 mm, stored from right to left, back to front, feet to head (LAS)."""
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(np.random.default_rng(0).integers(0, 99, (12, 10, 8)).astype(np.int16))
    image.SetSpacing((1.0, 2.0, 3.0))
    image.SetDirection((1, 0, 0, 0, -1, 0, 0, 0, 1))  # in LPS: x to the left, y to the front, z to the head
    sitk.WriteImage(image, str(tmp_path / "sub-1_ct.nii.gz"))
    return tmp_path


def test_verse_centroids_lie_where_the_voxels_are_shown(volume):
    from spinetk.images import read_picture

    # Voxel (x, y, z) = (4, 7, 9) of the stored volume (size 8 x 10 x 12), in the axes P, I, R: 10-1-7, 12-1-9, 8-1-4.
    entries = [{"direction": ["P", "I", "R"]}, {"label": 20, "X": 2, "Y": 2, "Z": 3}, {"label": 22, "X": 2.5, "Y": 8, "Z": 3}]  # noqa: E501  # fmt: skip
    (volume / "sub-1_seg-subreg_ctd.json").write_text(json.dumps(entries))
    assert detect(volume)[0].name == "verse"
    item = only(volume)
    assert [v.label for v in item.vertebrae] == ["L1", "L3"]
    picture = read_picture(volume / "sub-1_ct.nii.gz")
    assert item.size == (picture.width, picture.height)
    assert (picture.frame.toward_right, picture.frame.toward_bottom) == ("P", "F")
    # Of the picture (back on the right, feet below) that is column 2 and row 2, seen at their middles.
    across, down = picture.width / 10, picture.height / 12
    np.testing.assert_allclose(item.vertebrae[0].points[0], [2.5 * across, 2.5 * down])
    np.testing.assert_allclose(item.vertebrae[1].points[0], [3.0 * across, 8.5 * down])
    reading = item.reading()
    assert reading.frame.spacing_mm is not None


@pytest.mark.parametrize(("name", "wanted"), [("labels-disc", "disc_C2_C3"), ("labels-vert", "C3")])
def test_sct_point_labels_mean_discs_or_vertebrae_by_the_name_of_the_file(volume, name, wanted):
    import SimpleITK as sitk

    source = sitk.ReadImage(str(volume / "sub-1_ct.nii.gz"))
    labels = np.zeros((12, 10, 8), np.uint8)
    labels[9, 7, 4] = 3
    image = sitk.GetImageFromArray(labels)
    image.CopyInformation(source)
    sitk.WriteImage(image, str(volume / f"sub-1_{name}.nii.gz"))
    (volume / "sub-1_ct.nii.gz").rename(volume / "sub-1_T2w.nii.gz")
    (volume / f"sub-1_{name}.nii.gz").rename(volume / f"sub-1_T2w_{name}.nii.gz")
    item = only(volume, "sct")
    place = item.extras[wanted][0] if name == "labels-disc" else item.vertebrae[0].points[0]
    assert wanted in (*item.extras, *(v.label for v in item.vertebrae))
    np.testing.assert_allclose(place, [2.5 * item.size[0] / 10, 2.5 * item.size[1] / 12])


def test_centres_have_no_schema_of_bodies(volume):
    (volume / "sub-1_ctd.json").write_text(json.dumps([{"direction": ["P", "I", "R"]}]))
    (error,) = read(volume, "verse", KeypointSchema("x", ("a", "b")))
    assert "centroids do not give" in str(error)


# --- DICOM structured reports of others ---


def test_reports_of_others_give_outlines_and_levels(tmp_path):
    hd = pytest.importorskip("highdicom")
    import pydicom
    from highdicom import sr
    from pydicom.sr.codedict import codes
    from pydicom.sr.coding import Code

    from spinetk.phantoms import lateral_radiograph, write_dicom

    phantom = lateral_radiograph(4, region="lumbar", spacing_mm=1.0)
    write_dicom(phantom, tmp_path / "film.dcm")
    source = pydicom.dcmread(tmp_path / "film.dcm")
    image = sr.SourceImageForRegion(source.SOPClassUID, source.SOPInstanceUID)
    groups = []
    for vertebra, site, text in zip(
        phantom.reading.vertebrae[2:4],
        (Code("66794005", "SCT", "L1 vertebra"), Code("51282000", "SCT", "Vertebra")),
        ("a region", "L2 body"),
        strict=True,
    ):
        quad = vertebra.points[[5, 3, 2, 0]]
        groups.append(
            sr.PlanarROIMeasurementsAndQualitativeEvaluations(
                tracking_identifier=sr.TrackingIdentifier(hd.UID(), text),
                referenced_region=sr.ImageRegion("POLYLINE", np.vstack([quad, quad[:1]]), image),
                finding_type=Code("51282000", "SCT", "Vertebra"),
                finding_sites=[sr.FindingSite(site)],
            )
        )
    device = sr.DeviceObserverIdentifyingAttributes(uid=hd.UID())
    context = sr.ObservationContext(observer_device_context=sr.ObserverContext(codes.DCM.Device, device))
    procedure = codes.SCT.ImagingProcedure
    content = sr.MeasurementReport(context, procedure_reported=procedure, imaging_measurements=groups)
    uids = {"series_instance_uid": hd.UID(), "sop_instance_uid": hd.UID()}
    numbers = {"series_number": 1, "instance_number": 1}
    sr.ComprehensiveSR([source], content[0], **uids, **numbers, manufacturer="x").save_as(tmp_path / "report.dcm")
    item = only(tmp_path / "report.dcm")
    assert item.picture == tmp_path / "film.dcm"
    assert [v.label for v in item.vertebrae] == ["L1", "L2"]
    assert item.schema == VERTEBRA4
    for found, wanted in zip(item.vertebrae, phantom.reading.vertebrae[2:4], strict=True):
        np.testing.assert_allclose(found.points, wanted.points[[5, 3, 0, 2]], atol=1e-3)
    assert "a report of another program" in item.remarks[0]


# --- pictures that EXIF turns ---


def test_annotations_of_the_turned_picture_are_measured_on_the_stored_one(tmp_path):
    from PIL import Image

    pixels = np.random.default_rng(0).integers(0, 255, (WIDTH, HEIGHT)).astype(np.uint8)  # stored lying
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise: stored (x, y) is seen at (stored height - y, x)
    Image.fromarray(pixels).save(tmp_path / "film.png", exif=exif)
    ((_, reading),) = iter_results([labelme(tmp_path, list(by_label())) / "film.json"])
    assert (reading.width, reading.height) == (HEIGHT, WIDTH)
    for vertebra, wanted in zip(reading.vertebrae, (UPPER, LOWER), strict=True):
        seen = np.array([wanted[name] for name in NAMES])
        np.testing.assert_allclose(vertebra.points, np.column_stack([seen[:, 1], WIDTH - seen[:, 0]]))
    assert any("turned back" in remark for remark in reading.remarks)


def test_points_on_a_picture_that_exif_turns_by_half_are_said_to_be_as_stored(tmp_path):
    """Its size is the same either way."""
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 3
    Image.fromarray(np.zeros((HEIGHT, WIDTH), np.uint8)).save(tmp_path / "film.png", exif=exif)
    ((_, reading),) = iter_results([labelme(tmp_path, list(by_label())) / "film.json"])
    np.testing.assert_allclose(reading.vertebrae[0].points, np.array([UPPER[name] for name in NAMES]))
    assert any("taken to be about it as stored" in remark for remark in reading.remarks)
    assert any("points are in px as stored" in line for line in lost(format_named("cvat"), [reading]))
    assert not any("as stored" in line for line in lost(format_named("cvat"), [replace(reading, frame=Frame())]))
