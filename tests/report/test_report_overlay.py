import io
from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw

from spinetk.errors import InputError
from spinetk.geometry import Frame, turn
from spinetk.images import to_uint8
from spinetk.landmark import Landmark
from spinetk.measure import measure, words
from spinetk.phantoms import lateral_radiograph
from spinetk.reading import Reading, Vertebra
from spinetk.report.column import lay_out
from spinetk.report.lettering import Pen, font, text_width, wrap
from spinetk.report.overlay import BACKGROUND, _legend, _notes, draw, outline, write_overlay
from spinetk.report.placement import LONG_SIDE_PX, placement
from spinetk.report.png import encode
from spinetk.schema import VERTEBRA4, VERTEBRA6, KeypointSchema


def body(x, y, w=20.0, h=12.0, **fields):
    points = np.array([[0, h], [w / 2, h], [w, h], [w, 0], [w / 2, 0], [0, 0]]) + np.array([x, y])
    return Vertebra.from_points(points, **fields)


def crowd(count, height=400):
    vertebrae = [body(40, 30 + i * 3.0, score=0.9) for i in range(count)]
    for i, vertebra in enumerate(vertebrae):
        vertebra.measures = {
            "heights_px": {"left": 10.0 + i, "middle": 9.0, "right": 12.0},
            "deformity": {"type": "wedge", "grade": i % 4, "loss_percent": 21.0},
        }
    return Reading("x.png", height, 100, VERTEBRA6, vertebrae)


def overlap(a, b):
    return min(a[2], b[2]) - max(a[0], b[0]) > 1e-6 and min(a[3], b[3]) - max(a[1], b[1]) > 1e-6


@pytest.mark.parametrize("count", [1, 17, 40])
def test_labels_of_a_crowd_do_not_overlap(count):
    reading = crowd(count)
    column = lay_out(reading, [(60, v.centre[1]) for v in reading.vertebrae], 120, 10, 410, 15)
    boxes = [label.box for label in column.labels]
    assert len(boxes) == count
    assert not any(overlap(a, b) for i, a in enumerate(boxes) for b in boxes[:i])
    assert all(box[0] >= 120 and box[2] <= column.right and box[3] <= column.bottom for box in boxes)


def test_cells_of_a_line_do_not_overlap():
    reading = crowd(5)
    reading.vertebrae[2].label = "an unusually long level name"
    reading.vertebrae[1].measures["heights_px"]["left"] = 123456.7
    for label in lay_out(reading, [(60, 50 * i) for i in range(5)], 120, 10, 410, 15).labels:
        spans = []
        for cell in label.cells:
            width = text_width(cell.text, 15, cell.bold)
            spans.append((cell.x, cell.x + width) if cell.align == "left" else (cell.x - width, cell.x))
        spans.sort()
        assert all(first[1] < second[0] for first, second in pairwise(spans))
        assert spans[-1][1] <= label.box[2] + 1e-6


def test_labels_are_outside_the_picture():
    reading = crowd(3)
    place = placement(reading)
    picture = np.zeros((400, 100), np.uint8)
    drawn = draw(picture, reading)
    right = place.left + round(100 * place.scale_x)
    assert drawn.shape[1] > right + 50
    column = drawn[:, right + 60 :].astype(int)
    assert (column.max(axis=(1, 2)) > 150).any()


@pytest.mark.parametrize("scale", [1.0, 3.0, 7.5, 0.5])
@pytest.mark.parametrize("at", [(20.5, 30.5), (20.25, 31.8)])
def test_drawn_points_are_right_to_a_fraction_of_a_pixel(scale, at):
    dot = KeypointSchema("dot", ("a",))
    reading = Reading("x.png", 60, 50, dot, [Vertebra.from_points([at])])
    empty = Reading("x.png", 60, 50, dot, [])
    place = placement(reading, scale)
    right, bottom = place.left + round(50 * place.scale_x), place.top + round(60 * place.scale_y)
    grey = np.full((60, 50), 0, np.uint8)
    marked = draw(grey, reading, scale=scale)[:bottom, : place.left + round((at[0] + 6 / scale) * scale)].astype(float)
    plain = draw(grey, empty, scale=scale)[: marked.shape[0], : marked.shape[1]].astype(float)
    weight = np.clip(marked - plain, 0, None).sum(axis=2)
    y, x = np.mgrid[: weight.shape[0], : weight.shape[1]] + 0.5
    centre = np.array([(weight * x).sum(), (weight * y).sum()]) / weight.sum()
    assert centre == pytest.approx(place.of(np.array(at)), abs=0.12)
    assert right <= draw(grey, reading, scale=scale).shape[1]


def test_a_bright_pixel_lies_under_its_point():
    picture = np.zeros((40, 40), np.uint8)
    picture[12, 25] = 255
    reading = Reading("x.png", 40, 40, VERTEBRA6, [])
    place = placement(reading)
    drawn = draw(picture, reading)[place.top :, place.left :][: round(40 * place.scale_y), : round(40 * place.scale_x)]
    weight = drawn[..., 1].astype(float)
    y, x = np.mgrid[: weight.shape[0], : weight.shape[1]] + 0.5
    centre = np.array([(weight * x).sum(), (weight * y).sum()]) / weight.sum()
    assert centre + np.array([place.left, place.top]) == pytest.approx(place.of(np.array([25.5, 12.5])), abs=0.1)


def test_anisotropic_pixels_are_shown_in_true_proportion():
    place = placement(Reading("x.png", 100, 100, VERTEBRA6, [], Frame((1.0, 0.5), "user")))
    assert place.scale_y / place.scale_x == pytest.approx(2.0)


@pytest.mark.parametrize(("height", "width"), [(64, 64), (224, 180), (2400, 900), (1, 1), (3000, 5)])
def test_every_size_is_drawn_at_a_legible_size(height, width):
    reading = Reading("x.png", height, width, VERTEBRA6, [])
    drawn = draw(np.zeros((height, width), np.uint8), reading)
    assert drawn.dtype == np.uint8
    assert drawn.shape[2] == 3
    assert drawn.shape[0] < LONG_SIDE_PX[1] + 300
    place = placement(reading)
    if min(height, width) > 60:
        assert LONG_SIDE_PX[0] <= max(height * place.scale_y, width * place.scale_x) <= LONG_SIDE_PX[1]


def test_scale_bar_has_the_length_it_states():
    reading = Reading("x.png", 400, 400, VERTEBRA6, [], Frame((0.5, 0.5), "ImagerPixelSpacing"))
    place = placement(reading)
    drawn = draw(np.zeros((400, 400), np.uint8), reading)
    below = place.top + round(400 * place.scale_y) + 1
    bright = (drawn[below:, :, 0] > 200).sum(axis=1)
    row = drawn[below + int(bright.argmax()), :, 0] > 200
    run = np.flatnonzero(~row[place.left :])[0]
    # 200 mm wide: 40 % is 80 mm, of which 50 mm is the nice length, 100 picture px.
    assert run == pytest.approx(100 * place.scale_x, abs=2)
    assert "detector plane" in words.spacing_text(reading.frame)


def test_scale_bar_goes_by_the_spacing_along_it():
    """It lies across the picture: 400 columns of 0.25 mm are 100 mm, however tall the rows are."""
    reading = Reading("x.png", 100, 400, VERTEBRA6, [], Frame((1.0, 0.25), "user"))
    place = placement(reading)
    drawn = draw(np.zeros((100, 400), np.uint8), reading)
    below = place.top + round(100 * place.scale_y) + 1
    bright = (drawn[below:, :, 0] > 200).sum(axis=1)
    row = drawn[below + int(bright.argmax()), :, 0] > 200
    run = np.flatnonzero(~row[place.left :])[0]
    # 40 % of 100 mm is 40, of which 20 mm is the nice length: 80 columns.
    assert run == pytest.approx(80 * place.scale_x, abs=2)


def test_points_beyond_the_border_and_invisible_points_are_harmless():
    vertebra = body(-1e7, 30)
    hidden = Vertebra.from_points(np.zeros((6, 2)), np.zeros(6, bool))
    reading = Reading("x.png", 80, 90, VERTEBRA6, [vertebra, hidden])
    assert draw(np.zeros((80, 90, 3), np.uint8), reading).ndim == 3


@pytest.mark.parametrize(("height", "width"), [(1600, 200), (300, 300), (40, 900)])
def test_nothing_is_cut_off_at_the_right(height, width):
    frame = Frame((0.143, 0.143), "ImagerPixelSpacing")
    reading = Reading("x.png", height, width, VERTEBRA6, [body(10, 10)], frame, remarks=["word " * 60, "y" * 400])
    reading.vertebrae[0].measures = {"deformity": {"type": "biconcave", "grade": 3, "loss_percent": 45}}
    drawn = draw(np.zeros((height, width), np.uint8), reading)
    assert (drawn[:, -5:] == BACKGROUND).all()
    assert (drawn[-3:] == BACKGROUND).all()


def test_truth_is_drawn_in_its_own_colour():
    reading = Reading("x.png", 80, 90, VERTEBRA6, [body(30, 30)])
    truth = Reading("x.png", 80, 90, VERTEBRA4, [Vertebra.from_points([[31, 31], [50, 31], [31, 42], [50, 42]])])
    picture = np.zeros((80, 90), np.uint8)
    with_truth, without = draw(picture, reading, truth=truth), draw(picture, reading)
    assert (with_truth == words.TRUTH_COLOUR).all(axis=2).sum() > 20
    assert not (without == words.TRUTH_COLOUR).all(axis=2).any()


def test_truth_shows_where_the_reading_covers_it():
    """Rings of the truth stand clear of the dots within, on small pictures too: 3.2 + 2 px from a point."""
    reading = Reading("x.png", 80, 90, VERTEBRA6, [body(30, 30)])
    drawn = outline(np.zeros((80, 90), np.uint8), reading, truth=reading, scale=1.0)
    pink = (np.abs(drawn.astype(int) - words.TRUTH_COLOUR) < 40).all(axis=2)
    for x, y in body(30, 30).points:
        rows, columns = np.nonzero(pink)
        apart = np.hypot(columns + 0.5 - x, rows + 0.5 - y)
        assert ((apart > 4.4) & (apart < 6)).sum() >= 8


def test_landmarks_are_more_green_than_black():
    """An endplate across grey: of what is not grey most is green, and its edge is dark and not black."""
    plate = Landmark("s1", np.array([[20.0, 100.0], [180.0, 100.0]]))
    picture = np.full((200, 200), 140, np.uint8)
    drawn = outline(picture, Reading("x.png", 200, 200, VERTEBRA6, [], landmarks=[plate]), scale=1.0)
    column = drawn[90:110, 100].astype(int)
    green = (np.abs(column - words.LANDMARK_COLOUR) < 60).all(axis=1).sum()
    edge = [int(grey.max()) for grey in column if np.ptp(grey) < 10 and grey.max() < 130]
    assert green >= 2
    assert edge
    assert min(edge) > 40


def test_wrong_pictures_are_refused():
    reading = Reading("x.png", 80, 90, VERTEBRA6, [])
    with pytest.raises(InputError, match="8-bit"):
        draw(np.zeros((80, 90), np.uint16), reading)
    with pytest.raises(InputError, match="90 x 80"):
        draw(np.zeros((90, 80), np.uint8), reading)


def test_written_png_is_the_drawing(tmp_path):
    reading = crowd(2)
    picture = np.random.default_rng(0).integers(0, 255, (400, 100), dtype=np.uint8)
    write_overlay(tmp_path / "o.png", picture, reading)
    assert (cv2.imread(str(tmp_path / "o.png"))[..., ::-1] == draw(picture, reading)).all()


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 7, 3), (9, 1, 3), (33, 20, 3)])
def test_png_is_read_by_other_libraries_to_the_pixel(shape):
    picture = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    data = encode(picture)
    with Image.open(io.BytesIO(data)) as image:
        assert image.mode == "RGB"
        image.verify()
    assert (np.asarray(Image.open(io.BytesIO(data))) == picture).all()
    assert (cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)[..., ::-1] == picture).all()


def test_text_at_an_edge_is_cut_there_and_stays_within_its_line():
    canvas = np.zeros((60, 80, 3), np.uint8)
    pen = Pen(canvas, 12)
    pen.write("edge", 70, 5, (255, 255, 255))
    pen.write("beyond", 400, 5, (255, 255, 255))
    whole = Image.new("RGB", (80, 60))
    ImageDraw.Draw(whole).text((70, 5), "edge", fill=(255, 255, 255), font=font(12), anchor="lm")
    assert (pen.finish() == np.asarray(whole)).all()
    assert canvas.any()


def test_a_rectangle_fills_from_edge_to_edge_and_what_lies_beyond_is_left():
    canvas = np.zeros((5, 6, 3), np.uint8)
    Pen(canvas, 12).rectangle(-3.0, -0.4, 1.6, 2.4, (1, 2, 3))
    Pen(canvas, 12).rectangle(4.4, 3.6, 9.0, 9.0, (4, 5, 6))
    Pen(canvas, 12).rectangle(-4.0, -4.0, -1.0, -1.0, (7, 8, 9))
    wanted = np.zeros_like(canvas)
    wanted[:2, :2], wanted[4:, 4:] = (1, 2, 3), (4, 5, 6)
    np.testing.assert_array_equal(canvas, wanted)


def test_grade_colours_differ_in_lightness_too():
    def lightness(colour):
        linear = [(c / 255) ** 2.2 for c in colour]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    graded = [lightness(words.GRADE_COLOURS[grade]) for grade in (1, 2, 3)]
    assert graded[0] > graded[1] * 1.3 > graded[2] * 1.3**2


def test_png_holds_pixels_only(tmp_path):
    write_overlay(tmp_path / "o.png", np.zeros((400, 100), np.uint8), crowd(1))
    data, at, kinds = (tmp_path / "o.png").read_bytes(), 8, set()
    while at < len(data):
        kinds.add(data[at + 4 : at + 8])
        at += 12 + int.from_bytes(data[at : at + 4], "big")
    assert kinds == {b"IHDR", b"IDAT", b"IEND"}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("said", ["letters", "exif"])
def test_a_turned_picture_is_drawn_head_up(orientation, said):
    """Stored any way round, the drawing is the one of the upright picture: mirrored only where EXIF says so."""
    picture = np.random.default_rng(0).integers(60, 190, (90, 60), dtype=np.uint8)
    frame = Frame((0.6, 0.5), "user", "P", "F") if said == "letters" else Frame((0.6, 0.5), "user")
    upright = Reading("x.png", 90, 60, VERTEBRA6, [body(10.3, 20), body(12.7, 50)], frame)
    upright.vertebrae[0].measures = {"heights_px": {"left": 12.0, "middle": 12.0, "right": 12.0}}
    stored = upright.turned(orientation)
    stored.vertebrae[0].measures = upright.vertebrae[0].measures
    if said == "exif":
        stored.frame = Frame(
            stored.frame.spacing_mm, "user", exif_orientation={6: 8, 8: 6}.get(orientation, orientation)
        )
    shown = outline(turn(picture, orientation), stored)
    expected = outline(picture, upright)
    mirrored = orientation in (2, 4, 5, 7) and said == "letters"
    difference = np.abs(shown.astype(int) - (expected[:, ::-1] if mirrored else expected))
    assert difference.mean() < (0.2 if mirrored else 1e-9)  # lines are not drawn alike from both sides
    full = draw(turn(picture, orientation), stored)
    if not mirrored:
        np.testing.assert_array_equal(full, draw(picture, upright))
        there, here = placement(stored), placement(upright)
        for seen, own in zip(stored.vertebrae, upright.vertebrae, strict=True):
            order = list(VERTEBRA6.flip_indices) if orientation in (2, 4, 5, 7) else list(range(6))
            np.testing.assert_allclose(there.of(seen.points)[order], here.of(own.points))


def test_the_sacrum_and_the_femoral_heads_are_drawn():
    films = (lateral_radiograph(seed, region="lumbar") for seed in range(40))
    phantom = next(film for film in films if len(film.reading.landmarks) == 3)
    picture = to_uint8(phantom.pixels)
    drawn = outline(picture, phantom.reading, scale=1.0)
    without = outline(picture, replace(phantom.reading, landmarks=[]), scale=1.0)
    changed = (drawn != without).any(axis=2)
    for landmark in phantom.reading.landmarks:
        x, y = landmark.points.mean(axis=0)
        assert changed[int(y), int(x)]
        if landmark.radius_px is not None:
            edge = changed[int(y), min(int(x + landmark.radius_px) - 2, changed.shape[1] - 1) :][:5]
            assert edge.any() or x + landmark.radius_px > changed.shape[1]


def test_a_body_below_the_threshold_says_so():
    """Its score stands beside the threshold, and half of its outline is gaps."""
    picture = np.zeros((400, 200), np.uint8)
    sure = body(40, 100, w=120.0, h=200.0, score=0.41)
    weak = replace(sure, measures={"below_threshold": True})
    found = []
    for vertebra in (sure, weak):
        reading = Reading("x.png", 400, 200, VERTEBRA6, [vertebra], threshold=0.6)
        cells = lay_out(reading, [(60, 230)], 120, 10, 410, 15).labels[0].cells
        # Away from the corners, whose dots are drawn in any case.
        edge = outline(picture, reading, scale=1.0)[110:290, 155:165].max((1, 2))
        found.append((cells[-1].text, float((edge > 80).mean())))
    assert [text for text, _ in found] == ["0.41", "0.41 < 0.60"]
    assert found[0][1] == 1.0
    assert 0.3 < found[1][1] < 0.75
    assert words.score_text(replace(weak, score=0.5999), 0.6) == "0.5999 < 0.6000"


def test_the_legend_names_the_landmarks_that_are_drawn():
    plate = Landmark("s1", np.array([[10.0, 90.0], [40.0, 95.0]]))
    head = Landmark("femoral_head", np.array([[30.0, 150.0]]), radius_px=12.0)
    for shown, name in (([], None), ([plate], "S1 endplate"), ([plate, head], "S1 endplate, femoral heads")):
        entries = dict(_legend(replace(crowd(2), landmarks=shown), None))
        assert [text for text, colour in entries.items() if colour == words.LANDMARK_COLOUR] == [name] * bool(shown)


def test_every_angle_is_given_with_its_interval():
    """As the JSON has them, to 0.1 degree; a picture whose points are certain has none, and no word of them."""
    phantom = lateral_radiograph(11, region="lumbar").reading
    for own in phantom.landmarks:
        own.sigma_px = 2.0
    for own in phantom.vertebrae:
        own.point_sigma_px = np.full(6, 1.0)
    reading = measure(phantom)
    (line,) = [held for note in _notes(reading) if "Sacral slope" in (held := note.replace("\u00a0", " "))]
    assert line.startswith("Angles [95 % interval]: ")
    for name, key in (("Sacral slope", "sacral_slope"), ("Lordosis L1\N{EN DASH}S1", "lordosis_l1_s1")):
        low, high = reading.angles[f"{key}_interval"]
        assert f"{name} {reading.angles[key]:.1f}\N{DEGREE SIGN} [{low:.1f}\N{EN DASH}{high:.1f}]" in line
    assert any("were not calibrated on patients" in note for note in _notes(reading))
    sure = _notes(measure(lateral_radiograph(11, region="lumbar").reading))
    assert not any("interval" in note or "[" in note for note in sure)


def test_an_angle_is_not_parted_from_its_name_where_a_line_ends():
    assert wrap("one two\u00a0three four", 15, text_width("one two three", 15) - 1) == ["one", "two\u00a0three", "four"]
