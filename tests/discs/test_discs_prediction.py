"""Decisions and geometry of prediction, with a network that says what it is told."""

import json

import cv2
import numpy as np
import pytest
import torch
from disc_models import COLUMN, CONFIG, LEVELS, STEPS_MM, Told, places_of, told
from disc_volumes import write_subject
from torch import nn

from spinetk.discs.batch import predict_files
from spinetk.discs.candidates import Candidates
from spinetk.discs.decision import METHODS, decide, levels_are_sure, levels_disagree
from spinetk.discs.lookonce import PointSet
from spinetk.discs.pictures import KNOWN, PLATE, attention_overlay, draw, heat_overlay
from spinetk.discs.points import DiscPoint, DiscReading
from spinetk.discs.predictor import DiscPredictor, Evidence
from spinetk.discs.slab import read_labels
from spinetk.discs.target import level_heatmaps
from spinetk.errors import InputError
from spinetk.geometry import Frame
from spinetk.images import to_uint8
from spinetk.phantoms import lateral_radiograph, sagittal_mr


@pytest.mark.parametrize("orientation", ["LPS", "RAS", "ASL"])
def test_labels_of_a_volume_are_in_its_own_geometry(tmp_path, orientation):
    import SimpleITK as sitk

    write_subject(tmp_path, "sub-a", 2, orientation=orientation)
    truth, points = places_of(tmp_path, "sub-a")
    image = tmp_path / "sub-a/anat/sub-a_T2w.nii.gz"
    done = predict_files([image], tmp_path / "out", told(points))
    assert done.failures == []
    stem = "sub-a_T2w_desc-discs_labels"
    labels, source = sitk.ReadImage(str(tmp_path / "out" / f"{stem}.nii.gz")), sitk.ReadImage(str(image))
    assert labels.GetSize() == source.GetSize()
    assert np.allclose(labels.GetDirection(), source.GetDirection())
    found = read_labels(tmp_path / "out" / f"{stem}.nii.gz")
    assert sorted(found) == list(LEVELS)
    content = json.loads((tmp_path / "out" / f"{stem}.json").read_text())
    assert [disc["level"] for disc in content["discs"]] == ["T12/L1", "L1/L2", "L2/L3", "L3/L4"]
    for disc in content["discs"]:
        expected = truth[disc["number"]]
        # Front, back, head and feet exactly; sideways the middle slice is the best there is.
        assert np.allclose(found[disc["number"]][1:], expected[1:], atol=0.51)
        assert np.allclose(disc["mm"][1:], expected[1:], atol=0.05)
        voxel = source.TransformPhysicalPointToContinuousIndex([-disc["mm"][0], -disc["mm"][1], disc["mm"][2]])
        assert np.allclose(voxel, disc["voxel"], atol=0.01)
    overlay = cv2.imread(str(tmp_path / "out" / f"{stem}.png"))
    assert overlay.shape[0] >= 640


def test_a_partial_field_of_view_gives_the_discs_there_are():
    points = {22: (30.5, 20.5), 23: (33.5, 44.5)}
    reading, _ = told(points).read(np.zeros((64, 64), np.float32), Frame((1.0, 1.0), "user", "P", "F"))
    assert [disc.number for disc in reading.discs] == [22, 23]
    assert np.allclose(reading.points, list(points.values()), atol=0.05)
    nothing, _ = told({}).read(np.zeros((64, 64), np.float32), Frame((1.0, 1.0), "user", "P", "F"))
    assert nothing.discs == []
    assert nothing.remarks == ["no disc was found"]
    assert reading.remarks[-1].endswith("T12/L1 to L3/L4 alone: L5/S1 is not looked for")
    with pytest.raises(InputError, match="not sagittal"):
        told(points).read(np.zeros((64, 64), np.float32), Frame((1.0, 1.0), "user", "L", "P"))


@pytest.mark.parametrize("ground", [0, 255])
@pytest.mark.parametrize("width", [60, 200])
def test_names_on_the_picture_can_be_read_on_any_ground(ground, width):
    """Fluid is as bright as the letters were; discs of a neck are closer together than a line is high."""
    grey = np.full((200, width), ground, np.uint8)
    discs = [DiscPoint((50.5, 40.5 + 2 * k), 21 + k, 21 + k, 0.9) for k in range(4)]
    reading = DiscReading("x", 200, width, discs, Frame((1.0, 1.0), "user", "P", "F"), "told")
    picture = draw(grey, reading)
    plates = (picture == PLATE).all(axis=2)
    assert (np.abs(picture[:, -1].astype(int) - KNOWN).sum(axis=1) >= 60).all()  # nothing runs out of the picture
    # Four plates, none upon another, with letters on each.
    edges = np.flatnonzero(np.diff(np.pad(plates.any(axis=1), 1).astype(int)))
    assert len(edges) == 2 * len(discs)
    for top, bottom in edges.reshape(-1, 2):
        left = np.flatnonzero(plates[top:bottom].any(axis=0))[0]
        letters = np.abs(picture[top:bottom, left:].astype(int) - KNOWN).sum(axis=2) < 60
        assert letters.any(axis=1).sum() >= 8


def test_mirrored_and_anisotropic_pictures_get_points_in_their_own_pixels():
    """On the grid of 1 mm with the front left the discs are at x = 30.5 and 33.5 of 64."""
    points = {21: (30.5, 20.5), 22: (33.5, 44.5)}
    pixels = np.zeros((128, 80), np.float32)  # 64 mm x 64 mm
    reading, _ = told(points).read(pixels, Frame((0.5, 0.8), "user", "A", "F"))
    expected = [((64 - x) / 0.8, y / 0.5) for x, y in points.values()]
    assert np.allclose(reading.points, expected, atol=0.1)
    flat = [disc["picture_mm"] for disc in reading.to_json()["discs"]]
    assert np.allclose(flat, [(64 - x, y) for x, y in points.values()], atol=0.1)


class FrontLeft(Told):
    """Sees discs half as high where the right half of the picture is the brighter one."""

    def forward(self, pictures):
        half = pictures.shape[-1] // 2
        dim = pictures[..., :half].mean() < pictures[..., half:].mean()
        return [maps * (0.5 if dim else 1.0) for maps in super().forward(pictures)]


@pytest.mark.parametrize(("bright", "side"), [(slice(0, 32), "left"), (slice(32, 64), "right"), (slice(0), None)])
def test_a_front_that_no_header_tells_is_where_discs_are_surer(bright, side):
    """A picture 64 px wide: with the front left the disc is at x = 30.5, so else at 64 - 30.5."""
    pixels = np.full((64, 64), 50, np.float32)
    pixels[0], pixels[1:, bright] = 0, 100
    predictor = DiscPredictor(FrontLeft({21: (30.5, 20.5), 22: (33.5, 44.5)}), CONFIG, "told", device="cpu")
    reading, _ = predictor.read(pixels, Frame((1.0, 1.0), "user"))
    assert np.allclose(reading.points[0], (33.5 if side == "right" else 30.5, 20.5), atol=0.1)
    assert reading.discs[0].score == pytest.approx(1, abs=0.01)
    why = "was taken to be on the left" if side is None else f"was found to be on the {side}, by the discs"
    assert f"orientation is unknown: the front {why}" in reading.remarks
    assert reading.frame.anterior == side
    said, _ = predictor.read(pixels, Frame((1.0, 1.0), "user", "P", "F"))
    assert np.allclose(said.points[0], (30.5, 20.5), atol=0.1)
    assert not any("orientation" in remark for remark in said.remarks)


def test_levels_that_cannot_be_known_are_marked(tmp_path):
    """Heatmaps as high one level further down: the points are kept, the numbers are not."""
    write_subject(tmp_path, "sub-a", 2)
    _, points = places_of(tmp_path, "sub-a")
    predictor = told({n: points[n] for n in (20, 21)})
    plain = predictor.network.forward

    def doubtful(pictures):
        (maps,) = plain(pictures)
        return [torch.cat([maps[:, :1], maps[:, 1:] + 0.95 * maps[:, :-1]], dim=1)]

    predictor.network.forward = doubtful
    done = predict_files([tmp_path / "sub-a/anat/sub-a_T2w.nii.gz"], tmp_path / "out", predictor)
    (reading,) = done.readings.values()
    assert [disc.number for disc in reading.discs] == [None, None]
    assert [disc.guess for disc in reading.discs] == [20, 21]
    assert any(remark.startswith("levels are unknown: too little of the spine") for remark in reading.remarks)
    import SimpleITK as sitk

    values = sitk.GetArrayFromImage(sitk.ReadImage(str(next((tmp_path / "out").glob("*.nii.gz")))))
    assert sorted(values[values > 0].tolist()) == [101, 102]


def test_numbers_that_do_not_descend_are_not_sure():
    points = {20: (30.5, 60.5), 21: (30.5, 20.5)}
    maps, _ = level_heatmaps(points, LEVELS, (96, 64))
    upside_down = Candidates(np.array([0, 1]), np.array(list(points.values())), np.ones(2))
    assert not levels_are_sure(maps, upside_down)
    points = {20: (30.5, 20.5), 21: (30.5, 60.5)}
    maps, _ = level_heatmaps(points, LEVELS, (96, 64))
    assert levels_are_sure(maps, Candidates(np.array([0, 1]), np.array(list(points.values())), np.ones(2)))


def test_methods_on_a_column_with_a_false_peak():
    """A false peak higher than the true one in the third channel: peaks takes it, search and look-once need not."""
    true = np.array([(30.0, 20.0), (31, 42), (33, 65), (36, 89)])
    points = np.concatenate([true[:3], [(33.0, 120.0)], true[3:]])
    candidates = Candidates(np.array([0, 1, 2, 2, 3]), points, np.array([0.9, 0.9, 0.6, 0.8, 0.9]))

    class Believer(PointSet):
        def forward(self, features, padding=None):
            return 1.0 - 2.0 * (features[..., 1] > 0.5)  # nothing more than 50 mm below the median

    options = {"column": COLUMN, "channels": 4, "points": Believer()}
    found = {m: decide(candidates, m, **options).points.tolist() for m in ("peaks", "search", "lookonce")}
    assert found["peaks"][2] == [33, 120]
    assert found["search"] == true.tolist()
    assert found["lookonce"] == true.tolist()
    assert len(decide(candidates, "condition", **options)) == 4
    with pytest.raises(InputError, match="point network"):
        decide(candidates, "lookonce", column=COLUMN, channels=4)
    with pytest.raises(InputError, match="is unknown"):
        decide(candidates, "guess", channels=4)


def test_a_model_without_levels_is_searched_for_the_nearest_to_its_skeleton():
    """Six discs 30 mm apart; a higher peak 90 mm beside the third is not on the column; without a skeleton it wins."""
    true = np.array([(50.0, 20.0 + 30 * k) for k in range(6)])
    candidates = Candidates(
        np.array([0, 1, 2, 2, 3, 4, 5]), np.insert(true, 2, (140.0, 80.0), axis=0),
        np.array([0.8, 0.8, 0.9, 0.6, 0.8, 0.8, 0.8]),
    )  # fmt: skip
    skeleton = np.array([(0.0, k / 4) for k in range(6)])
    assert decide(candidates, "search", skeleton=skeleton, channels=6).points.tolist() == true.tolist()
    assert decide(candidates, "search", channels=6).points[2].tolist() == [140, 80]
    four = candidates.take(candidates.channel < 4)  # the published search needs the fifth
    assert decide(four, "search", skeleton=skeleton, channels=6).points[2].tolist() == [140, 80]


def test_maps_are_laid_half_and_half_over_the_picture():
    grey = np.full((4, 4), 100, np.uint8)
    assert (heat_overlay(grey, np.zeros((2, 4, 4))) == 50).all()
    assert heat_overlay(grey, np.ones((1, 4, 4)))[0, 0].tolist() == [178, 50, 50]  # the first hue is red: 50 + 127.5
    dark, bright = (attention_overlay(grey, np.full((2, 2), value))[0, 0].tolist() for value in (0.0, 1.0))
    assert dark == [84, 50, 92]  # 50 and half of viridis's first colour, 68, 1, 84
    assert bright == [176, 166, 68]  # and of its last, 253, 231, 37


def test_a_folder_without_pictures_leaves_a_record(tmp_path):
    (tmp_path / "in").mkdir()
    done = predict_files([tmp_path / "in"], tmp_path / "out", told({}))
    about = json.loads((tmp_path / "out/run.json").read_text())
    assert (about["done"], about["failed"]) == (0, done.failures)
    assert "holds no picture" in done.failures[0]


def test_a_batch_goes_on_and_equal_stems_do_not_overwrite(tmp_path):
    for folder in ("a", "b"):
        write_subject(tmp_path / folder, "sub-a", 1)
    bad = tmp_path / "bad.nii.gz"
    bad.write_bytes(b"\x1f\x8bnothing")
    png = tmp_path / "slice.png"
    cv2.imwrite(str(png), np.full((80, 64), 90, np.uint8))
    images = [tmp_path / f / "sub-a/anat/sub-a_T2w.nii.gz" for f in "ab"]
    points = places_of(tmp_path / "a", "sub-a")[1]
    done = predict_files([images[0], bad, images[1], png, tmp_path / "empty"], tmp_path / "out", told(points))
    first, second, third = sorted(done.readings)
    assert (first, second) == ("slice", "sub-a_T2w")
    assert third.startswith("sub-a_T2w-")
    assert len(done.failures) == 2
    assert all("\n" not in line for line in done.failures)
    run = json.loads((tmp_path / "out/run.json").read_text())
    assert (run["done"], len(run["failed"])) == (3, 2)
    assert not (tmp_path / "out/slice_desc-discs_labels.nii.gz").exists()
    remarks = done.readings["slice"].remarks
    assert any("300 mm" in r for r in remarks)
    assert any("front" in r for r in remarks)


@pytest.mark.parametrize(("draw_it", "said"), [(lateral_radiograph, True), (sagittal_mr, False)])
def test_a_png_of_a_radiograph_is_told_as_its_dicom_file_is_refused(tmp_path, draw_it, said):
    phantom = draw_it(31, region="lumbar") if said else draw_it(1)
    cv2.imwrite(str(tmp_path / "a.png"), to_uint8(phantom.pixels))
    done = predict_files([tmp_path / "a.png"], tmp_path / "out", told({}))
    looks = [remark for remark in done.readings["a"].remarks if remark.startswith("looks like ")]
    assert len(looks) == said
    if said:
        assert looks[0].startswith("looks like a lateral radiograph (")
        assert looks[0].endswith("models of discs were taught on MR: discs and levels may be wrong")


def test_run_again_it_labels_what_is_missing(tmp_path):
    write_subject(tmp_path / "bids", "sub-a", 1)
    write_subject(tmp_path / "bids", "sub-b", 1)
    points = places_of(tmp_path / "bids", "sub-a")[1]
    predictor, out = told(points), tmp_path / "out"
    predict_files([tmp_path / "bids"], out, predictor, method="peaks")
    (out / "sub-b_T2w_desc-discs_labels.json").unlink()
    done = predict_files([tmp_path / "bids"], out, predictor, method="peaks", again=False)
    assert (done.skipped, list(done.readings)) == (1, ["sub-b_T2w"])
    assert sorted(done.results) == ["sub-a_T2w", "sub-b_T2w"]


def test_a_bids_folder_is_searched_without_its_derivatives(tmp_path):
    write_subject(tmp_path / "bids", "sub-a", 1)
    write_subject(tmp_path / "bids", "sub-b", 1)
    points = places_of(tmp_path / "bids", "sub-a")[1]
    done = predict_files([tmp_path / "bids"], tmp_path / "out", told(points), method="peaks")
    assert sorted(done.readings) == ["sub-a_T2w", "sub-b_T2w"]
    assert done.failures == []


def test_the_point_network_cannot_throw_a_high_peak_away():
    """A network that believes nothing: of the right column only the peaks below 0.7 are lost."""

    class Nothing(nn.Module):
        def __init__(self):
            super().__init__()
            self.unused = nn.Parameter(torch.zeros(1))

        def forward(self, features):
            return torch.full(features.shape[:2], -1.0)

    places = np.cumsum(np.vstack([[(50.0, 20.0)], STEPS_MM]), axis=0)
    candidates = Candidates(np.arange(4), places, np.array([0.9, 0.72, 0.65, 0.7]))
    options = {"column": COLUMN, "channels": 4, "points": Nothing()}
    assert decide(candidates, "lookonce+search", **options).channel.tolist() == [0, 1, 3]
    assert len(decide(candidates, "lookonce", **options)) == 0
    assert decide(candidates, "search", **options).channel.tolist() == [0, 1, 2, 3]


def test_levels_are_unsure_where_the_point_network_would_have_another_column():
    """Two columns on the same discs, a level apart: the one is believed, the other has the high peaks."""
    places = {
        n: tuple(p) for n, p in zip(LEVELS, np.cumsum(np.vstack([[(30.5, 20.5)], STEPS_MM]), axis=0), strict=True)
    }
    shifted = [(k - 1, places[LEVELS[k]]) for k in (1, 2, 3)]
    channel = np.array([*range(4), *(k for k, _ in shifted)])
    order = np.argsort(channel, kind="stable")
    points, scores = np.array([*places.values(), *(p for _, p in shifted)]), np.array([0.9] * 4 + [0.5] * 3)
    candidates = Candidates(channel[order], points[order], scores[order])
    chosen = candidates.take(candidates.scores > 0.7)

    class Low(PointSet):
        def forward(self, features, padding=None):
            return 0.7 - features[..., 2]  # the scores

    class High(PointSet):
        def forward(self, features, padding=None):
            return features[..., 2] - 0.7

    assert levels_disagree(candidates, chosen, COLUMN, Low(), 4)
    assert not levels_disagree(candidates, chosen, COLUMN, High(), 4)

    predictor = DiscPredictor.__new__(DiscPredictor)
    predictor.levels, predictor.grid_mm, predictor.column, predictor.points = tuple(LEVELS), 1.0, COLUMN, Low()
    predictor.network = nn.Module()
    predictor.network.joints = 4
    maps = np.zeros((4, 140, 60), np.float32)
    for k, (x, y) in zip(chosen.channel, chosen.points, strict=True):
        maps[k, int(y), int(x)] = 0.9
    evidence = Evidence(maps, None, candidates)
    said = {method: {disc.number for disc in predictor.label(evidence, chosen, method)} for method in (None, *METHODS)}
    assert said == {
        method: {None} if method is None or method.startswith("lookonce") else set(LEVELS) for method in said
    }


@pytest.mark.parametrize(
    ("levels", "channels", "below_px", "higher", "sure"),
    [
        (range(19, 26), (4, 5, 6), 15, 0.0, True),  # 22.5 mm below L5/S1
        (range(19, 26), (4, 5, 6), 14, 0.0, False),  # 21 mm: no sacrum to know it by
        (range(19, 26), (4, 5, 6), 29, 0.5, False),  # 43.5 mm, and L3/L4 to L4/L5 would do nearly as well
        (range(19, 26), (4, 5, 6), 29, 0.4, True),  # they would do by far less
        (range(19, 26), (4, 5, 6), 30, 0.7, True),  # 45 mm: were it L4/L5, the next disc would show
        (range(19, 26), (3, 4, 5), 40, 0.0, False),  # L4/L5 is the lowest
        (range(3, 26), (4, 5, 6), 13, 0.0, True),  # counts from the neck as well
        (range(8, 26), (15, 16, 17), 13, 0.0, True),  # the lowest disc of the neck is one of it
        (range(19, 25), (3, 4, 5), 13, 0.0, True),  # knows no L5/S1
    ],
)
def test_lumbar_levels_are_unsure_where_a_picture_ends_above_the_sacrum(levels, channels, below_px, higher, sure):
    places = np.array([[20.0, 20], [20, 43], [20, 66]])
    maps = np.zeros((len(levels), 66 + below_px, 40), np.float32)
    for channel, (x, y) in zip(channels, places, strict=True):
        maps[channel, int(y), int(x)], maps[channel - 1, int(y), int(x)] = 0.9, higher
    chosen = Candidates(np.array(channels), places, np.full(3, 0.9))
    predictor = DiscPredictor.__new__(DiscPredictor)
    predictor.levels, predictor.grid_mm, predictor.points, predictor.column = tuple(levels), 1.5, None, None
    discs = predictor.label(Evidence(maps, None, chosen), chosen)
    assert [disc.guess for disc in discs] == [levels[k] for k in channels]
    assert [disc.number for disc in discs] == [levels[k] if sure else None for k in channels]


def test_a_series_asked_of_a_volume_that_is_one_is_said(tmp_path):
    write_subject(tmp_path, "sub-a", 2)
    _, points = places_of(tmp_path, "sub-a")
    image = tmp_path / "sub-a/anat/sub-a_T2w.nii.gz"
    for series, said in ((None, False), ("1", False), ("2", True)):
        done = predict_files([image], tmp_path / "out", told(points), series=series)
        (reading,) = done.readings.values()
        assert any(remark.startswith("series 2 was asked for") for remark in reading.remarks) == said
