from dataclasses import replace

import numpy as np
import pydicom
import pytest
from pydicom.uid import CTImageStorage
from report_source import disc_between, full_reading, items, random_body, source

from spinetk.formats.sr import read_sr, write_sr
from spinetk.formats.sr.concepts import private, with_places
from spinetk.geometry import Frame
from spinetk.landmark import Landmark
from spinetk.reading import Reading, Vertebra
from spinetk.schema import VERTEBRA4, VERTEBRA6, KeypointSchema

hd = pytest.importorskip("highdicom")


@pytest.fixture
def written(tmp_path):
    write_sr(tmp_path / "r.dcm", full_reading(), source())
    return tmp_path / "r.dcm"


def name_of(item):
    """The code by which an item is called."""
    name = item.ConceptNameCodeSequence[0]
    return name.get("CodeValue") or name.LongCodeValue


def known(content):
    """Without the unknown fields, which a report leaves out; a refused deformity stays."""
    if not isinstance(content, dict):
        return content
    return {k: known(v) for k, v in content.items() if v is not None or k == "deformity"}


def test_every_number_and_point_comes_back(written):
    wanted, report = full_reading(), read_sr(written)
    found = report.reading
    assert (found.height, found.width, found.view, found.model) == (300, 200, "sagittal", "vertebra-net-1")
    assert found.frame == wanted.frame
    assert found.schema == wanted.schema
    assert found.angles == known(wanted.angles)
    assert found.remarks == wanted.remarks
    assert len(found.vertebrae) == 3
    for a, b in zip(found.vertebrae, wanted.vertebrae, strict=True):
        assert (a.visible == b.visible).all()
        # 32-bit floats: exact to half a unit in the last place, below 256 px that is 2**-17 px.
        assert np.abs(a.points - b.points)[b.visible].max() <= 2**-17
        assert a.label == b.label
        assert a.bbox == b.bbox
        assert a.measures == known(b.measures)
        assert a.score == (None if b.score is None else pytest.approx(b.score, rel=1e-15))
    assert found.vertebrae[0].point_sigma_px.tolist() == wanted.vertebrae[0].point_sigma_px.tolist()
    assert type(found.vertebrae[0].measures["deformity"]["grade"]) is int
    assert type(found.angles["cobb_max_ends"][1]) is int


def test_bodies_without_a_name_are_called_by_their_place_counted_from_one(written):
    """As everywhere: ``#2`` is the second from the top. Earlier reports, with places counted from 0, are still read."""
    wanted = full_reading().angles["cobb_max_ends"]
    assert wanted == ["T12", 2]
    data = pydicom.dcmread(written)
    said = {name_of(item): item.ConceptCodeSequence[0].CodeMeaning for item in items(data, "CODE")}
    assert [said[f"angles.cobb_max_ends.{k}"] for k in (0, 1)] == ["T12", "#3"]
    places = [item for item in items(data, "NUM") if name_of(item) == "index"]
    assert [item.MeasuredValueSequence[0].NumericValue for item in places] == [1, 2, 3]
    earlier = {"cobb_max_ends": wanted, "cobb_upper_ends": None, "cobb_max": 3}
    assert with_places(earlier) == earlier


def test_fractions_outlive_a_program_that_drops_the_floating_point_value(written):
    data = pydicom.dcmread(written)
    dropped = [
        item
        for item in data.iterall()
        if item.keyword == "MeasuredValueSequence" and "FloatingPointValue" in item.value[0]
    ]
    for item in dropped:
        del item.value[0].FloatingPointValue
    data.save_as(written)
    assert dropped
    for a, b in zip(read_sr(written).reading.vertebrae, full_reading().vertebrae, strict=True):
        assert a.bbox == pytest.approx(b.bbox, rel=1e-12)
        assert a.score == (None if b.score is None else pytest.approx(b.score, rel=1e-12))
        for side, height in (b.measures.get("heights_mm") or {}).items():
            assert a.measures["heights_mm"][side] == pytest.approx(height, rel=1e-12)


def test_report_names_its_picture_by_uids(written):
    report = read_sr(written)
    assert (report.sop_class_uid, report.sop_instance_uid, report.frame) == (CTImageStorage, "1.2.3.1", None)
    data = pydicom.dcmread(written)
    evidence = data.CurrentRequestedProcedureEvidenceSequence[0]
    assert evidence.StudyInstanceUID == data.StudyInstanceUID == "1.2.3.3"
    assert evidence.ReferencedSeriesSequence[0].SeriesInstanceUID == "1.2.3.2"
    assert evidence.ReferencedSeriesSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID == "1.2.3.1"
    assert (data.SeriesInstanceUID != "1.2.3.2", data.SeriesNumber) == (True, 901)  # a series of its own


def test_only_required_patient_data_is_copied(written):
    data = pydicom.dcmread(written)
    assert str(data.PatientName) == "Müller^Zoë"
    assert (data.PatientID, data.PatientBirthDate, data.PatientSex) == ("P-7", "19500102", "F")
    assert (data.StudyDate, data.StudyID, data.AccessionNumber) == ("20200304", "S1", "A9")
    raw = written.read_bytes()
    assert b"planted" not in raw.lower()
    assert b"077Y" not in raw
    patient = {element.keyword for element in data if element.tag.group == 0x0010}
    assert patient == {"PatientName", "PatientID", "PatientBirthDate", "PatientSex"}


def test_coordinates_are_dicom_pixel_corners_at_integers(tmp_path):
    # PS3.3 C.18.6.1: the centre of the upper left pixel is 0.5\0.5 and the outer lower right corner Columns\Rows.
    corners = np.array([[0.5, 0.5], [200.0, 0.0], [0.0, 300.0], [200.0, 300.0]])
    reading = Reading("x", 300, 200, VERTEBRA4, [Vertebra.from_points(corners)])
    write_sr(tmp_path / "r.dcm", reading, source())
    (region,) = items(pydicom.dcmread(tmp_path / "r.dcm"), "SCOORD")
    assert region.GraphicType == "POLYLINE"
    closed_walk = [0.5, 0.5, 200, 0, 200, 300, 0, 300, 0.5, 0.5]
    assert list(region.GraphicData) == closed_walk
    reference = next(items(region, "IMAGE")).ReferencedSOPSequence[0]
    assert reference.ReferencedSOPInstanceUID == "1.2.3.1"
    assert "ReferencedFrameNumber" not in reference


def test_points_beyond_the_border_are_moved_to_it(tmp_path):
    reading = Reading("x", 300, 200, VERTEBRA4, [Vertebra.from_points([[-3.0, 5], [250, 5], [5, 20], [20, 400]])])
    write_sr(tmp_path / "r.dcm", reading, source())
    assert read_sr(tmp_path / "r.dcm").reading.vertebrae[0].points.tolist() == [[0, 5], [200, 5], [5, 20], [20, 300]]


def test_codes_and_units_are_standard_where_they_exist(written):
    data = pydicom.dcmread(written)
    assert data.SOPClassUID == "1.2.840.10008.5.1.4.1.1.88.33"
    assert data.ContentTemplateSequence[0].TemplateIdentifier == "1500"
    sites = {item.ConceptCodeSequence[0].CodeValue for item in items(data, "CODE")}
    assert "23215003" in sites, "SNOMED CT code of the twelfth thoracic vertebra"
    names = {}
    for item in items(data, "NUM"):
        measured = item.MeasuredValueSequence[0]
        name = item.ConceptNameCodeSequence[0]
        key = name.get("CodeValue") or name.LongCodeValue
        names.setdefault(key, []).append((float(measured.NumericValue), measured.MeasurementUnitsCodeSequence[0]))
    assert {unit.CodeValue for _, unit in names["121207"]} == {"mm", "{pixels}"}
    assert 24.5 in [value for value, unit in names["121207"] if unit.CodeValue == "mm"]
    assert names["angles.cobb_max"][0][1].CodeValue == "deg"
    assert names["deformity.loss_percent"][0][1].CodeValue == "%"
    assert names["111012"][0][0] == pytest.approx(12.3456789)
    texts = [item.TextValue for item in items(data, "TEXT")]
    assert "vertebra-net-1" in texts
    assert any(text.startswith("spinetk ") for text in texts)


def test_intervals_have_the_unit_of_their_measure_and_counts_none(tmp_path):
    body = Vertebra.from_points([[5.0, 5], [25, 5], [5, 20], [25, 20]])
    body.measures = {
        "heights_mm_interval": {"anterior": [7.5, 8.5]},
        "area_mm2_interval": [90, 110],
        "tilt_deg_interval": [-2, 2],
        "deformity": {"loss_percent_interval": [3, 9], "grade_interval": [0, 1]},
        "disc_below": {
            "listhesis_px_interval": [-3, 3],
            "heights_mm_interval": {"middle": [4, 5]},
            "meyerding_interval": [0, 1],
        },
    }
    angles = {"cobb_max": 12, "cobb_max_interval": [10, 14], "hip_axis_heads": 2}
    write_sr(tmp_path / "r.dcm", Reading("x", 300, 200, VERTEBRA4, [body], angles=angles), source())
    units = {}
    for item in items(pydicom.dcmread(tmp_path / "r.dcm"), "NUM"):
        measured = item.MeasuredValueSequence[0]
        units[name_of(item)] = measured.MeasurementUnitsCodeSequence[0].CodeValue
    wanted = {
        "heights_mm_interval.anterior": "mm",
        "area_mm2_interval": "mm2",
        "tilt_deg_interval": "deg",
        "deformity.loss_percent_interval": "%",
        "deformity.grade_interval": "1",
        "disc_below.listhesis_px_interval": "{pixels}",
        "disc_below.heights_mm_interval.middle": "mm",
        "disc_below.meyerding_interval": "1",
        "angles.cobb_max_interval": "deg",
    }
    assert {path: units[path] for own in wanted for path in (f"{own}.0", f"{own}.1")} == {
        f"{own}.{end}": unit for own, unit in wanted.items() for end in (0, 1)
    }
    assert (units["angles.cobb_max"], units["angles.hip_axis_heads"]) == ("deg", "1")


def test_highdicom_reads_it_as_tid_1500(written):
    content = hd.sr.srread(written).content
    groups = content.get_planar_roi_measurement_groups()
    assert [group.tracking_identifier for group in groups] == ["T12", "L6", "#3"]
    assert groups[0].finding_sites[0].value.meaning == "T12 vertebra"
    wanted = full_reading().vertebrae[0].points
    assert groups[0].roi.value[:6] == pytest.approx(wanted, abs=2**-17)
    (angle,) = [
        m
        for group in content.get_image_measurement_groups()
        for m in group.get_measurements()
        if m.name.value == "angles.cobb_max"
    ]
    assert (angle.value, angle.unit.value) == (17.123456789, "deg")


def test_heights_that_repeat_under_two_names_are_written_once(written):
    names = [item.ConceptNameCodeSequence[0] for item in items(pydicom.dcmread(written), "NUM")]
    private = [name.get("CodeValue") or name.get("LongCodeValue") for name in names]
    assert "heights_mm.right" not in private
    assert "heights_mm.left" not in private
    assert "heights_px.left" in private, "12.34... is not the posterior height and stands for itself"


def test_tracking_uids_are_distinct_and_stay_the_same(tmp_path, written):
    write_sr(tmp_path / "again.dcm", full_reading(), source())
    first, second = read_sr(written), read_sr(tmp_path / "again.dcm")
    assert len(set(first.tracking_uids)) == 3
    assert first.tracking_uids == second.tracking_uids
    assert pydicom.dcmread(written).SOPInstanceUID != pydicom.dcmread(tmp_path / "again.dcm").SOPInstanceUID


def test_no_vertebra_and_hidden_points(tmp_path):
    write_sr(tmp_path / "none.dcm", Reading("x", 300, 200, VERTEBRA6), source())
    assert read_sr(tmp_path / "none.dcm").reading.vertebrae == []
    rng = np.random.default_rng(1)
    vertebrae = [random_body(rng, label="L1"), random_body(rng, label="L2"), random_body(rng), random_body(rng)]
    vertebrae[0].visible[:] = False
    vertebrae[1].visible[:5] = False
    vertebrae[2].visible[2:] = False
    write_sr(tmp_path / "hidden.dcm", Reading("x", 300, 200, VERTEBRA6, vertebrae), source())
    found = read_sr(tmp_path / "hidden.dcm").reading
    assert [v.label for v in found.vertebrae] == ["L1", "L2", None, None]
    assert [v.visible.tolist() for v in found.vertebrae] == [v.visible.tolist() for v in vertebrae]
    assert [item.GraphicType for item in items(pydicom.dcmread(tmp_path / "hidden.dcm"), "SCOORD")] == [
        "POINT",
        "POLYLINE",
        "POLYLINE",
    ]


def test_own_schema_comes_back(tmp_path):
    schema = KeypointSchema("mine", ("a", "b", "c"), skeleton=(("a", "b"),), sigmas=(0.1, 0.2, 0.3), category="disc")
    reading = Reading("x", 300, 200, schema, [Vertebra.from_points([[1, 2], [3, 4], [5, 7.25]])])
    write_sr(tmp_path / "r.dcm", reading, source())
    found = read_sr(tmp_path / "r.dcm").reading
    assert found.schema == schema
    assert found.vertebrae[0].points.tolist() == [[1, 2], [3, 4], [5, 7.25]]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("angles.sacral_slope", "sacral slope"),
        ("angles.sacral_slope_interval.0", "sacral slope, 95 % interval, low"),
        ("disc_below.heights_mm_interval.posterior.1", "disc below, heights mm, posterior, 95 % interval, high"),
        ("deformity.grade_interval.1", "deformity, grade, 95 % interval, high"),
        ("picture.interval_scale.height", "picture, interval scale, height"),
        ("angles.cobb_max_ends.1", "cobb max ends, 1"),
    ],
)
def test_measures_without_a_standard_code_read_as_words(path, said):
    """The code value stays the path, by which a report is read back."""
    assert (private(path).value, private(path).meaning) == (path, said)


def test_a_meaning_has_the_length_that_dicom_allows():
    assert private("long", "x" * 64).meaning == "x" * 64
    assert private("long", "x" * 65).meaning == "x" * 64


def test_sacrum_and_hips_are_regions_of_their_own_and_come_back(tmp_path):
    reading = full_reading()
    reading.landmarks = [
        Landmark("s1", np.array([[40.0, 250.5], [75.25, 270.0]]), None, 0.93, 0.5),
        Landmark("femoral_head", np.array([[190.0, 280.0]]), 25.5, 0.75, None),
    ]
    write_sr(tmp_path / "r.dcm", reading, source())
    regions = {
        str(node.GraphicType): list(node.GraphicData) for node in items(pydicom.dcmread(tmp_path / "r.dcm"), "SCOORD")
    }
    # The rim of the head lies at the side on which the picture (200 px wide) still holds it.
    assert regions["CIRCLE"] == [190.0, 280.0, 164.5, 280.0]
    found = read_sr(tmp_path / "r.dcm").reading
    assert [own.kind for own in found.landmarks] == ["s1", "femoral_head"]
    for own, wanted in zip(found.landmarks, reading.landmarks, strict=True):
        np.testing.assert_array_equal(own.points, wanted.points)
        assert (own.radius_px, own.sigma_px) == (wanted.radius_px, wanted.sigma_px)
        assert own.score == pytest.approx(wanted.score)
    assert len(found.vertebrae) == 3


def test_a_grade_that_is_not_sure_is_not_called_normal_in_a_report(tmp_path):
    """What the page says as "uncertain: grade 0 or 1" stands in the report as its probabilities, intervals and type."""
    from spinetk.measure import words

    reading = full_reading()
    deformity = {
        "type": "uncertain", "grade": 0, "loss_percent": 18.5, "loss_percent_interval": [9.25, 24.5],
        "grade_interval": [0, 1], "grade_probability": [0.703, 0.297, 0.0, 0.0],
    }  # fmt: skip
    reading.vertebrae[0].measures = {"deformity": deformity}
    write_sr(tmp_path / "r.dcm", reading, source())
    found = read_sr(tmp_path / "r.dcm").reading.vertebrae[0]
    assert found.measures["deformity"] == deformity
    assert words.deformity_text(found).startswith("uncertain: grade 0 or 1")
    assert "normal" not in str(pydicom.dcmread(tmp_path / "r.dcm")).lower()


def test_pixels_that_millimetres_tell_are_left_out_and_come_back(tmp_path):
    reading = full_reading()
    reading.frame = Frame((0.5, 0.5), "PixelSpacing", "P", "F")
    measures = {
        "heights_mm": {"left": 10.0, "middle": None, "right": 12.5},
        "heights_px": {"left": 20.0, "middle": None, "right": 25.0},
        "area_mm2": 25.0,
        "area_px2": 100.0,
        "disc_below": {"listhesis_mm_interval": [-1.0, 2.0], "listhesis_px_interval": [-2.0, 4.0], "angle_deg": 3.0},
    }
    other = {"heights_mm": {"left": 10.0}, "heights_px": {"left": 21.0}}  # another scale: both are kept
    lone = {"heights_mm": {"left": 10.0}}  # millimetres alone stay alone
    for vertebra, own in zip(reading.vertebrae, (measures, other, lone), strict=True):
        vertebra.measures = own
    write_sr(tmp_path / "r.dcm", reading, source())
    found = read_sr(tmp_path / "r.dcm").reading
    for a, own in zip(found.vertebrae, (measures, other, lone), strict=True):
        assert a.measures == known(own)
    names = [str(item.value) for item in pydicom.dcmread(tmp_path / "r.dcm").iterall() if item.tag == 0x00080100]
    assert "area_mm2" in names
    assert not {"area_px2", "heights_px.left.0", "disc_below.listhesis_px_interval.0"} & set(names)
    assert names.count("heights_px.left") == 1  # of the body whose pixels tell something else


@pytest.mark.parametrize("refused", [None, "the film shows too little"])
def test_what_is_measured_once_more_is_as_wide_and_as_graded(tmp_path, refused):
    """The factors of intervals, the threshold and a refusal of grades are needed for it; 32-bit points move nothing."""
    from spinetk.measure import measure

    places = {"left": 40.0, "middle": 60.0, "right": 80.0}
    names = (name.partition("_") for name in VERTEBRA6.keypoints)
    corners = np.array([(places[side], 0.0 if end == "top" else 22.0) for end, _, side in names])
    bodies = [
        Vertebra.from_points(corners + (3 * k, 20 + 30 * k), label=name, score=0.9, point_sigma_px=np.full(6, 0.8))
        for k, name in enumerate(("L1", "L2", "L3", "L4"))
    ]
    bodies[1].score = 0.41
    reading = Reading("a.dcm", 300, 200, VERTEBRA6, bodies, Frame((0.5, 0.5), "PixelSpacing"), "lateral", "net")
    reading.threshold, reading.not_graded, reading.interval_scale = 0.6, refused, {"disc_height": 2.0, "tilt": 0.5}
    wanted = measure(reading, facing="left")
    write_sr(tmp_path / "r.dcm", wanted, source())
    found = measure(read_sr(tmp_path / "r.dcm").reading, facing="left")
    assert (found.threshold, found.not_graded) == (0.6, refused)
    assert found.interval_scale == reading.interval_scale
    assert found.remarks == wanted.remarks
    for one, other in zip(found.vertebrae, wanted.vertebrae, strict=True):
        assert one.measures["deformity_reason"] == other.measures["deformity_reason"] == refused
        assert one.measures.get("below_threshold") == other.measures.get("below_threshold")
    if refused is None:
        plain = measure(replace(reading, interval_scale={}), facing="left")
        low, high, wide = (disc_between(own) for own in (plain, wanted, found))
        assert high == pytest.approx(2 * low, rel=0.01), "the factor does nothing in this test"
        assert wide == pytest.approx(high, rel=1e-3)
