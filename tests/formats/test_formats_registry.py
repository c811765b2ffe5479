"""The registry: every pair of formats there and back, what each of them loses, and a new format in all five places."""

from __future__ import annotations

import itertools
import json
import sys
import types
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pydicom
import pytest

from spinetk.cli import main
from spinetk.errors import InputError
from spinetk.formats import registry
from spinetk.formats.loss import lost
from spinetk.formats.registry import HOLDS, Format, detect, format_named, formats, read, readable, writable
from spinetk.geometry import Frame
from spinetk.landmark import Landmark
from spinetk.measure import measure
from spinetk.phantoms import lateral_radiograph, write_dicom
from spinetk.reading import Reading, Vertebra
from spinetk.schema import VERTEBRA6

CORE = {"points", "levels", "visibility"}
BOTH = [name for name in writable() if name in readable() and formats()[name].holds >= CORE]
BODY = np.array([[0, 12.25], [10.4, 11.5], [20, 12.625], [21.0625, 0], [10, 0.75], [0.5, 0]])


@pytest.fixture(scope="module")
def film(tmp_path_factory) -> Path:
    """A DICOM film, which every format can be about."""
    pytest.importorskip("highdicom")
    path = tmp_path_factory.mktemp("film") / "film.dcm"
    write_dicom(lateral_radiograph(4, region="lumbar", spacing_mm=1.0), path)
    return path


def reading_of(film: Path) -> Reading:
    """Seven bodies: one with an unseen point, one without a level, scores, and a structure beside them."""
    header = pydicom.dcmread(film, stop_before_pixels=True)
    names = ["T11", "T12", "L1", "L2", None, "L4", "L5"]
    seen = np.ones(6, bool)
    vertebrae = []
    for k, name in enumerate(names):
        points = BODY + [20.3 + k, 10.1 + 20 * k]
        visible = seen & (np.arange(6) != 1) if name == "L2" else seen
        vertebrae.append(Vertebra.from_points(points, visible, label=name, score=0.5 + k / 16))
    extras = {"clavicle_left": np.array([[30.125, 170.5], [44.75, 171.25]])}
    marks = [Landmark("s1", np.array([[20.25, 155.5], [41.5, 160.0]]))]
    marks += [Landmark("femoral_head", np.array([[x, 190.5]])) for x in (25.5, 60.25)]
    size = (int(header.Rows), int(header.Columns))
    frame = Frame((1.0, 1.0), "PixelSpacing")
    return Reading(str(film), *size, VERTEBRA6, vertebrae, frame, extras=extras, landmarks=marks)


def there_and_back(name: str, wanted: Reading, film: Path, folder: Path) -> Reading:
    """Written beside a copy of the film, and read by what is there."""
    folder.mkdir()
    copy = folder / "film.dcm"
    copy.write_bytes(film.read_bytes())
    entry = format_named(name)
    path = entry.path_in(folder, "report")
    if entry.stored and name != "sr":
        path = entry.path_in(folder, "film")
    path.parent.mkdir(exist_ok=True)
    written = entry.write(path, [replace(wanted, file=str(copy))])
    assert all(one.is_file() for one in written)
    assert detect(written[0])[0].name == name
    (item,) = read(written[0])
    assert not isinstance(item, InputError), str(item)
    assert item.missing is None
    return item.reading()


def same(found: Reading, wanted: Reading) -> None:
    assert found.schema == wanted.schema
    assert (found.width, found.height) == (wanted.width, wanted.height)
    assert [v.label for v in found.vertebrae] == [v.label for v in wanted.vertebrae]
    for a, b in zip(found.vertebrae, wanted.vertebrae, strict=True):
        assert a.visible.tolist() == b.visible.tolist()
        np.testing.assert_allclose(a.points[a.visible], b.points[b.visible], atol=0.01)


def test_there_are_enough_formats():
    assert set(BOTH) >= {"ours", "coco", "cvat", "labelstudio", "labelme", "yolo", "slicer", "fcsv", "sr"}


@pytest.mark.parametrize("name", BOTH)
def test_each_format_keeps_what_it_says(name, film, tmp_path):
    wanted = reading_of(film)
    found = there_and_back(name, wanted, film, tmp_path / name)
    same(found, wanted)
    holds = formats()[name].holds
    assert bool(found.extras) == ("extras" in holds)
    assert bool(found.landmarks) == ("landmarks" in holds)
    if found.extras:
        np.testing.assert_allclose(found.extras["clavicle_left"], wanted.extras["clavicle_left"], atol=0.01)
    if found.landmarks:
        for got, put in zip(found.landmarks, wanted.landmarks, strict=True):
            assert got.kind == put.kind
            np.testing.assert_allclose(got.points, put.points, atol=0.01)
    scores = [v.score for v in found.vertebrae] == pytest.approx([v.score for v in wanted.vertebrae])
    assert scores == ("scores" in holds)
    assert bool(lost(formats()[name], [wanted])) == ("extras" not in holds)


@pytest.mark.parametrize("name", BOTH)
def test_grades_that_are_not_sure_are_said_where_they_get_sure(name, film, tmp_path):
    """A loss of 22 % of points that may be off by 1 px: without their deviations it is a grade 1 and nothing else."""
    reading = reading_of(film)
    body = np.array([[10, 30], [25, 30], [40, 30], [40, 10], [25, 10], [10, 14.4]])
    sound = np.array([[10, 58], [25, 58], [40, 58], [40, 38], [25, 38], [10, 38]])
    own = [Vertebra.from_points(body, label="L3", score=0.9, point_sigma_px=np.ones(6))]
    own.append(Vertebra.from_points(sound, label="L4", score=0.9))
    reading = measure(replace(reading, vertebrae=own, extras={}, landmarks=[], view="lateral"), facing="left")
    assert reading.vertebrae[0].measures["deformity"]["type"] == "uncertain"
    holds = "uncertainty" in formats()[name].holds
    assert any("that a grade is uncertain (1)" in line for line in lost(formats()[name], [reading])) != holds
    found = measure(replace(there_and_back(name, reading, film, tmp_path / name), view="lateral"), facing="left")
    assert (found.vertebrae[0].measures["deformity"]["type"] == "uncertain") == holds


@pytest.mark.parametrize(("first", "second"), list(itertools.permutations(BOTH, 2)))
def test_every_pair_there_and_back(first, second, film, tmp_path):
    wanted = reading_of(film)
    between = there_and_back(first, wanted, film, tmp_path / "a")
    same(there_and_back(second, between, film, tmp_path / "b"), wanted)


def test_every_entry_says_what_a_user_asks():
    for entry in formats().values():
        assert entry.read or entry.write
        assert entry.holds <= set(HOLDS)
        assert all((entry.title, entry.origin, entry.tools or entry.documented, entry.source, entry.media_type))
    names = [name for entry in formats().values() for name in (entry.name, *entry.aliases)]
    assert len(names) == len(set(names))


def test_the_docs_list_every_format():
    from spinetk.formats.words import table

    page = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "formats.md"
    assert table() in page.read_text(encoding="utf-8"), "run python docs/formats.py"


def test_a_source_of_no_format_is_refused(tmp_path):
    (tmp_path / "a.txt").write_text("hello")
    # `measure` and `report`, which end here too, have no --from: what is said names the verb that has it.
    with pytest.raises(InputError, match=r"is of no known format .*`spinetk predict`; `prepare --from`"):
        detect(tmp_path / "a.txt")
    with pytest.raises(InputError, match="unknown here"):
        format_named("nonsense")


def test_two_sets_in_one_folder_are_said(film, tmp_path):
    film_png = tmp_path / "film.png"
    wanted = reading_of(film)
    cv2.imwrite(str(film_png), np.zeros((wanted.height, wanted.width), np.uint8))
    for name in ("coco", "cvat"):
        entry = formats()[name]
        entry.write(entry.path_in(tmp_path, ""), [replace(wanted, file=str(film_png))])
    (item,) = read(tmp_path)
    assert "COCO keypoints was read; there is also CVAT annotations" in item.remarks[0]


# --- a new format: this module and its line in MODULES ---


def written(path, readings, *, chosen=None):
    lines = [f"{Path(r.file).name} {r.width} {r.height} {' '.join(map(str, v.points.ravel()))}" for r in readings for v in r.vertebrae]  # noqa: E501  # fmt: skip
    path.write_text("#lines\n" + "\n".join(lines))
    return [path]


def items(source, schema=None):
    from spinetk.formats.item import CaseItem, Pictures

    by_name = {}
    for line in source.read_text().splitlines()[1:]:
        name, width, height, *numbers = line.split()
        by_name.setdefault((name, int(width), int(height)), []).append(np.array(numbers, float).reshape(6, 2))
    for (name, *size), bodies in by_name.items():
        picture, missing = Pictures(source).find(name)
        vertebrae = [Vertebra.from_points(points) for points in bodies]
        yield CaseItem(picture, Path(name).stem, VERTEBRA6, vertebrae, size=tuple(size), missing=missing)


NEW = Format(
    name="lines",
    title="Lines of numbers",
    suffix="all.lines",
    media_type="text/plain",
    read=items,
    write=written,
    recognises=lambda source: any(source.head(p).startswith(b"#lines") for p in source.files),
    many=True,
    holds=frozenset({"points"}),
    origin="as ours",
    tools="none",
    source="this test",
)


def test_a_new_format_appears_everywhere(film, tmp_path, monkeypatch, capsys):
    module = types.ModuleType("new_format")
    module.FORMAT = NEW
    monkeypatch.setitem(sys.modules, "new_format", module)
    monkeypatch.setattr(registry, "MODULES", ["new_format", *registry.MODULES])
    wanted = reading_of(film)
    picture = tmp_path / "film.png"
    cv2.imwrite(str(picture), np.zeros((wanted.height, wanted.width), np.uint8))
    (tmp_path / "film.json").write_text(json.dumps(replace(wanted, file=str(picture)).to_json()))

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["spinetk", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        assert stop.value.code == 0
        return capsys.readouterr()

    # report --as, and what it says of what is lost
    said = run("report", tmp_path / "film.json", "-o", tmp_path, "--as", "lines")
    assert "cannot hold level names (6)" in said.err
    # measure
    assert run("measure", tmp_path / "all.lines").out.count("film.png") == 7
    # prepare, by name and by looking
    for way in (["--from", "lines"], []):
        assert "1 case in" in run("prepare", tmp_path / "all.lines", "-o", tmp_path / f"cases{len(way)}", *way).out
    # help, page and table
    assert "Lines of numbers" in run("prepare", "--help").out
    assert "Lines of numbers" in run("report", "--help").out
    from spinetk.formats.words import table
    from spinetk.review.exporting import choices

    assert ["lines", "Lines of numbers"] in choices()["one"]
    assert ["lines", "Lines of numbers"] in choices()["all"]
    assert "| `lines` | Lines of numbers |" in table()
