"""Predicting folders and archives: what is there is kept, what is missing is done."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from orthanc import Orthanc, program

from spinetk.errors import InputError
from spinetk.formats.results import find_results
from spinetk.images import find_inputs
from spinetk.keypoints import batch as batches
from spinetk.keypoints.batch import predict_files
from spinetk.keypoints.reader import Reader
from spinetk.reading import Reading, Vertebra
from spinetk.schema import VERTEBRA4, VERTEBRA6

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "node"))
from films import film


class FakeReader(Reader):
    """Finds one vertebra in every picture; its brightness is its height."""

    def __init__(self, name="fake", schema=VERTEBRA4):
        super().__init__()
        self.fake, self.schema, self.read_files = name, schema, []
        self.models.only = type("Named", (), {"name": name, "threshold": 0.6, "device": "cpu", "card": {}})()

    def read_picture(self, picture, file, overrides=None, grey=None):
        self.read_files.append(file)
        if "bug" in file:
            raise ZeroDivisionError("planted")
        grey = np.asarray(picture.pixels).clip(0, 255).astype(np.uint8)
        points = np.random.default_rng(0).uniform(2, 9, (len(self.schema), 2))
        points[:, 1] += float(grey.mean()) / 100
        vertebra = Vertebra.from_points(points, label="L3", score=0.9)
        return Reading(file, *grey.shape, self.schema, [vertebra], picture.frame, "lateral", self.fake), grey


@pytest.fixture(autouse=True)
def weights(monkeypatch):
    """Weights of a fake are its name."""
    monkeypatch.setattr("spinetk.keypoints.fingerprint.weights_of", lambda model, *_: {model.name: model.name})


@pytest.fixture
def pictures(tmp_path):
    """Two folders with a picture of the same name in each."""
    for folder, grey in (("x", 50), ("y", 150)):
        (tmp_path / folder).mkdir()
        cv2.imwrite(str(tmp_path / folder / "IM0001.png"), np.full((12, 12), grey, np.uint8))
    return tmp_path


def predict(inputs, out, reader, **options):
    return predict_files(inputs, out, reader, progress=False, **options)


def rows(out):
    with open(out / "vertebrae.csv", newline="") as stream:
        return list(csv.DictReader(stream))


def test_a_second_run_adds_to_the_folder_and_overwrites_nothing(pictures, tmp_path):
    out = tmp_path / "out"
    first = predict([pictures / "x"], out, FakeReader())
    kept = first.results[0].read_bytes()
    second = predict([pictures / "y"], out, FakeReader())
    assert first.results[0].read_bytes() == kept
    assert second.results[0] != first.results[0]
    # The table, the manifest and `report` tell of the same pictures.
    assert len(rows(out)) == len(find_results([out])) == len(json.loads((out / "run.json").read_text())["inputs"]) == 2
    assert {Path(row["file"]).parent.name for row in rows(out)} == {"x", "y"}


def test_the_same_again_reads_nothing_and_gives_the_same(pictures, tmp_path):
    out, reader = tmp_path / "out", FakeReader()
    first = predict([pictures], out, reader)
    before = {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()}
    again = predict([pictures], out, reader)
    assert len(reader.read_files) == 2
    assert (again.skipped, again.results) == (2, first.results)
    assert [r.file for r in again.readings] == [r.file for r in first.readings]
    assert before == {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()}
    predict([pictures], out, reader, again=True)
    assert len(reader.read_files) == 4


def test_another_model_or_option_reads_anew(pictures, tmp_path):
    out, other = tmp_path / "out", FakeReader("other", VERTEBRA6)
    predict([pictures], out, FakeReader())
    predict([pictures / "x"], out, other)
    assert len(other.read_files) == 1
    assert sorted(row["model"] for row in rows(out)) == ["fake", "other"]
    known = json.loads((out / "run.json").read_text())["runs"]
    assert sorted(run["model"] for run in known.values()) == ["fake", "other"]
    reader = FakeReader()
    predict([pictures / "y"], out, reader, anchor="L5=last")
    assert len(reader.read_files) == 1


def test_without_overlays_nothing_is_drawn_and_none_of_another_reading_stays(pictures, tmp_path):
    out = tmp_path / "out"
    drawn = predict([pictures], out, FakeReader())
    kept = [path.read_bytes() for path in drawn.results]
    plain = predict([pictures], out, FakeReader(), overlay=False)
    assert plain.skipped == 0
    assert [path.read_bytes() for path in plain.results] == kept
    assert not list(out.glob("*.png"))
    again = predict([pictures], out, FakeReader())
    assert sorted(path.stem for path in out.glob("*.png")) == sorted(path.stem for path in again.results)


def test_our_own_fault_is_a_line_and_the_rest_is_read(pictures, tmp_path):
    cv2.imwrite(str(pictures / "x" / "bug.png"), np.zeros((12, 12), np.uint8))
    done = predict([pictures], tmp_path / "out", FakeReader())
    assert len(done.readings) == 2
    assert done.has_errors
    assert "ZeroDivisionError" in done.failures[0]


def test_results_among_the_pictures_are_not_read_as_pictures(pictures):
    out, reader = pictures / "results", FakeReader()
    predict([pictures], out, reader)
    predict([pictures], out, reader)
    assert len(reader.read_files) == 2
    predict([pictures], pictures / "other", reader)
    assert len(reader.read_files) == 4
    assert all(out not in path.parents for path in find_inputs([pictures]))


def test_results_in_the_folder_of_the_pictures_overwrite_none(pictures, monkeypatch):
    """The overlay of a PNG, and that of a DICOM file beside its PNG, are pictures of another name."""
    folder = pictures / "x"
    film(folder / "film.dcm", "1.2.3")
    cv2.imwrite(str(folder / "film.png"), np.full((12, 12), 90, np.uint8))
    kept = {path.name: path.read_bytes() for path in folder.iterdir()}
    reader = FakeReader()
    done = predict([folder], folder, reader)
    assert not done.failures
    assert sorted(Path(file).name for file in reader.read_files) == sorted(kept)
    assert {name: (folder / name).read_bytes() for name in kept} == kept
    assert {len(list(folder.glob(f"{path.stem}.*"))) for path in done.results} == {2}  # JSON and overlay
    again = FakeReader()
    assert predict([folder], folder, again).results == done.results
    assert not again.read_files
    other = predict([folder / "film.dcm"], pictures / "out", FakeReader())
    assert [path.name for path in other.results] == ["film.json"]


def test_a_batch_killed_while_it_drew_goes_on_under_the_same_names(pictures, tmp_path, monkeypatch):
    class Killed(BaseException):
        pass

    def killed(*_):
        raise Killed

    folder, out = pictures / "x", tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(batches, "write_overlay", killed)
        with pytest.raises(Killed):
            predict([folder], out, FakeReader())
    done = predict([folder], out, FakeReader())
    undisturbed = predict([folder], tmp_path / "other", FakeReader())
    assert [path.name for path in done.results] == [path.name for path in undisturbed.results]
    names = sorted(path.name for path in out.iterdir() if path.suffix in (".json", ".png"))
    assert names == sorted(path.name for path in (tmp_path / "other").iterdir() if path.suffix in (".json", ".png"))


def test_a_model_in_memory_stays_in_its_process(pictures, tmp_path):
    from spinetk.batch.pools import Processes

    with Processes(2) as pool, pytest.raises(InputError, match="other processes"):
        predict([pictures], tmp_path / "out", FakeReader(), pool=pool)


def test_a_table_of_many_results_holds_one_at_a_time(pictures, tmp_path, monkeypatch):
    held, most = [0], [0]
    plain = batches._read

    class Counted(Reading):
        def __del__(self):
            held[0] -= 1

    def counted(file):
        reading = plain(file)
        held[0] += 1
        most[0] = max(most[0], held[0])
        return Counted(**vars(reading))

    for k in range(12):
        cv2.imwrite(str(pictures / "x" / f"{k}.png"), np.full((12, 12), k, np.uint8))
    monkeypatch.setattr(batches, "_read", counted)
    predict([pictures], tmp_path / "out", FakeReader())
    assert len(rows(tmp_path / "out")) == 14
    assert most[0] <= 2


@pytest.mark.skipif(program() is None, reason="Orthanc and its DICOMweb plugin are not installed")
@pytest.mark.parametrize("way", ["dimse", "web"])
def test_pictures_of_an_archive_are_fetched_read_and_dropped(tmp_path, way):
    pytest.importorskip("pynetdicom")
    from spinetk.pacs import open_archive, parse_address

    with Orthanc(tmp_path / "orthanc") as orthanc:
        address, reader, out = getattr(orthanc, way), FakeReader(), tmp_path / "out"
        files = [film(tmp_path / f"{k}.dcm", f"1.2.3.{k}") for k in range(3)]
        with open_archive(parse_address(orthanc.dimse)) as archive:
            archive.store(files[:2])
        asked = f"{address}/studies?Modality=CR&PatientName=PLANTED*"
        done = predict([asked], out, reader)
        assert len(done.readings) == 2
        assert {r.file for r in done.readings} == {
            f"{address}/studies/1.2.3/series/1.2.3.1/instances/1.2.3.{k}" for k in (0, 1)
        }
        with open_archive(parse_address(orthanc.dimse)) as archive:
            archive.store(files[2:])
        assert predict([asked], out, reader).skipped == 2
        assert len(reader.read_files) == 3
        assert predict([done.readings[0].file], tmp_path / "one", FakeReader()).results
    for path in out.iterdir():
        assert "1.2.3" not in path.name
        assert "PLANTED" not in path.name
        assert b"PLANTED" not in path.read_bytes()
    with pytest.raises(InputError, match="does not answer"):
        predict([asked], out, reader)
