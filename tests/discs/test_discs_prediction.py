"""Decisions and geometry of prediction, with a network that says what it is told; the bridge to keypoints."""

import json

import cv2
import numpy as np
import pytest
import torch
from disc_volumes import STEPS, write_subject
from torch import nn

from spinetk.discs.batch import predict_files
from spinetk.discs.bridge import convert
from spinetk.discs.candidates import Candidates
from spinetk.discs.decision import METHODS, decide, levels_are_sure, levels_disagree
from spinetk.discs.evaluation import evaluate
from spinetk.discs.lookonce import PointSet
from spinetk.discs.pictures import KNOWN, PLATE, attention_overlay, draw, heat_overlay
from spinetk.discs.pointdata import PointDataset
from spinetk.discs.points import DiscPoint, DiscReading
from spinetk.discs.predictor import DiscPredictor, Evidence
from spinetk.discs.preparation import read_dataset, read_samples
from spinetk.discs.search import Column
from spinetk.discs.slab import project, read_labels, read_slab
from spinetk.discs.target import level_heatmaps
from spinetk.errors import InputError
from spinetk.geometry import Frame
from spinetk.reading import Reading, Vertebra
from spinetk.schema import VERTEBRA4, VERTEBRA6

LEVELS = (20, 21, 22, 23)
STEPS_MM = np.diff(np.array(list(STEPS.values())), axis=0)
COLUMN = Column(LEVELS, STEPS_MM, np.full((3, 2), 4.0))
CONFIG = {"grid_mm": 1.0, "levels": list(LEVELS), "column": COLUMN.to_json()}


class Told(nn.Module):
    """A network that gives heatmaps of known points, cut or filled to the size of the picture."""

    def __init__(self, points, levels=LEVELS):
        super().__init__()
        self.points, self.levels, self.joints = points, levels, len(levels)
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, pictures):
        return [torch.from_numpy(level_heatmaps(self.points, self.levels, pictures.shape[-2:])[0])[None]]


def told(points, **config):
    return DiscPredictor(Told(points), CONFIG | config, "told", device="cpu")


def places_of(root, name):
    labels = read_labels(root / f"derivatives/labels/{name}/anat/{name}_T2w_labels-disc-manual.nii.gz")
    return labels, project(read_slab(root / f"{name}/anat/{name}_T2w.nii.gz"), labels)


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


def test_evaluation_is_perfect_for_the_truth_and_sees_a_shift(prepared, tmp_path):
    samples = {len(s.pixels()): s for s in read_samples(prepared, "test")}
    (sample,) = samples.values() if len(samples) == 1 else list(samples.values())[:1]
    content = read_dataset(prepared)
    content["split"]["test"] = [sample.stem]
    folder = tmp_path / "prepared"
    folder.mkdir()
    (folder / "dataset.json").write_text(json.dumps(content))
    for suffix in (".png", ".json"):
        (folder / f"{sample.stem}{suffix}").write_bytes((prepared / f"{sample.stem}{suffix}").read_bytes())
    shifted = {n + 1: p for n, p in sample.points.items() if n < 23}
    rows = evaluate(
        folder, [told(sample.points), told(shifted)], tmp_path / "out", part="test", methods=["search"], rounds=5
    )
    assert (rows[0]["level_accuracy"], rows[0]["dtt_median_mm"]) == (1, pytest.approx(0, abs=0.05))
    assert (rows[1]["level_accuracy"], rows[1]["one_level_shift_rate"]) == (0, 0.75)
    assert rows[1]["dtt_median_mm"] < 0.05
    assert (rows[0]["candidates"]["f1"], rows[1]["candidates"]["f1"]) == (1, 0)
    assert "T12/L1" in (tmp_path / "out/evaluation.txt").read_text()
    assert json.loads((tmp_path / "out/evaluation.json").read_text())["rows"] == rows
    assert (tmp_path / "out" / "1-told" / f"{sample.stem}.png").exists()


def test_pictures_are_brought_to_the_grid_of_the_model(prepared):
    """Prepared at 1 mm, for a model of 2 mm: places in mm are the truth's, in the table and for the point network."""
    sample = read_samples(prepared, "test")[0]
    height, width = sample.pixels().shape
    shrunk = np.array([round(width / 2) / width, round(height / 2) / height])
    predictor = told({n: tuple(np.array(p) * shrunk) for n, p in sample.points.items()}, grid_mm=2.0)
    grey, px_mm = sample.on_grid(2.0)
    assert grey.shape == (round(height / 2), round(width / 2))
    assert px_mm == pytest.approx([width / grey.shape[1], height / grey.shape[0]])
    evidence = predictor.look(grey)
    found = {d.number: np.array(d.point) * px_mm for d in predictor.label(evidence, predictor.choose(evidence))}
    assert sorted(found) == sorted(sample.points)
    for number, point in sample.points.items():
        assert found[number] == pytest.approx(point, abs=0.2)
    assert PointDataset([sample], predictor, 0)[0][1].tolist() == [1.0] * len(sample.points)


def test_evaluation_is_in_mm_whatever_the_grid_of_the_model(prepared, tmp_path):
    """Every picture of the part has its discs at other places: a model that says those of one is right on that one."""
    samples = read_samples(prepared, "test")
    sizes = [np.array(s.pixels().shape[::-1]) for s in samples]
    points = {n: tuple(np.array(p) * np.round(sizes[0] / 2) / sizes[0]) for n, p in samples[0].points.items()}
    rows = evaluate(prepared, [told(points, grid_mm=2.0), told(samples[0].points)], tmp_path, part="test",
                    methods=["search"], rounds=5)  # fmt: skip
    for name in ("level_accuracy", "fnr_percent", "fpr_percent"):
        assert rows[0][name] == rows[1][name]
    assert rows[0]["dtt_mean_mm"] == pytest.approx(rows[1]["dtt_mean_mm"], abs=0.2)
    assert rows[0]["candidates"] == rows[1]["candidates"]


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


def test_a_level_that_no_picture_bears_is_not_judged(prepared, tmp_path):
    """A model that finds L4/L5 below labels that end at L3/L4 is not blamed for it, and the table says so."""
    levels = (*LEVELS, 24)
    column = Column(levels, np.vstack([STEPS_MM, STEPS_MM[-1:]]), np.full((4, 2), 4.0))
    sample = next(s for s in read_samples(prepared, "test") if max(s.points) == 23)
    below = {24: tuple(np.array(sample.points[23]) + STEPS_MM[-1])}
    network = Told(sample.points | below, levels)
    wider = DiscPredictor(network, CONFIG | {"levels": list(levels), "column": column.to_json()}, "wider", device="cpu")
    evidence = wider.look(sample.pixels())
    assert wider.label(evidence, wider.choose(evidence))[-1].number == 24
    content = read_dataset(prepared)
    content["split"] = {"train": [], "val": [], "test": [sample.stem]}
    (tmp_path / "dataset.json").write_text(json.dumps(content))
    for suffix in (".png", ".json"):
        (tmp_path / f"{sample.stem}{suffix}").write_bytes((prepared / f"{sample.stem}{suffix}").read_bytes())
    (row,) = evaluate(tmp_path, [wider], tmp_path / "out", part="test", methods=["search"], rounds=5)
    assert (row["not_judged"], row["fpr_percent"], row["sets"]["fp"], row["candidates"]["f1"]) == ([24], 0, 0, 1)
    assert "wider: L4/L5" in (tmp_path / "out/evaluation.txt").read_text()


def reading_of(schema=VERTEBRA6, labels=("L1", "L2", "L3"), gap=36):
    vertebrae = []
    for k, label in enumerate(labels):
        x0, y0 = 20.0 + 2 * k, 10.0 + gap * k
        corner = {"top_left": (x0, y0), "top_middle": (x0 + 15, y0 + 1), "top_right": (x0 + 30, y0)}
        corner |= {
            "bottom_left": (x0, y0 + 25),
            "bottom_middle": (x0 + 15, y0 + 24),
            "bottom_right": (x0 + 30, y0 + 25),
        }
        vertebrae.append(Vertebra.from_points(np.array([corner[n] for n in schema.keypoints]), label=label, score=0.9))
    return Reading("a.png", 200, 100, schema, vertebrae, Frame((0.5, 0.5), "user"), "sagittal", "m")


def test_discs_lie_between_the_middles_of_facing_endplates():
    discs = convert(reading_of())
    assert [(d.number, d.name) for d in discs.discs] == [(21, "L1/L2"), (22, "L2/L3")]
    # Lower middle of L1 at (35, 34), upper middle of L2 at (37, 47).
    assert discs.discs[0].point == (36.0, 40.5)
    corners = convert(reading_of(VERTEBRA4))
    assert corners.discs[0].point == (36.0, 40.5)  # (35, 35) and (37, 46)


def test_there_and_back_keeps_the_endplate_middles():
    before = reading_of()
    after = convert(convert(before))
    (vertebra,) = after.vertebrae
    assert vertebra.label == "L2"
    for name in ("top_middle", "bottom_middle"):
        assert np.allclose(vertebra.point(VERTEBRA6, name), before.vertebrae[1].point(VERTEBRA6, name))
    assert vertebra.point(VERTEBRA6, "top_left") is None
    assert Reading.from_json(after.to_json()).vertebrae[0].label == "L2"


def test_no_disc_where_a_vertebra_is_missing():
    assert [d.number for d in convert(reading_of(labels=("T12", "L1", "L3"))).discs] == [20]
    unnamed = reading_of(labels=(None,) * 4)
    unnamed.vertebrae[3].points[:, 1] += 40
    discs = convert(unnamed).discs
    assert [d.number for d in discs] == [None, None]
    assert (
        "half a disc"
        in convert(convert(reading_of()).__class__("", 9, 9, [d.__class__(d.point) for d in discs])).remarks[0]
    )
