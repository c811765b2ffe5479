"""What comes to a node again: a series after its files were removed, other pixels or another scale under one UID."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pydicom
import pytest
from films import film, send, stop, until
from pydicom.uid import MRImageStorage
from typer.testing import CliRunner

from spinetk.node.commands import app
from spinetk.node.queue import MOST_REMARKS
from spinetk.node.rule import Rule
from spinetk.node.service import status
from spinetk.pacs import parse_address

pytest.importorskip("pynetdicom")
pytest.importorskip("highdicom")

NOBODY = "dicom://NOBODY@127.0.0.1:9"


def counts(node):
    return {state: count for state, count in node.queue.counts().items() if count}


def only(node, state):
    until(lambda: counts(node) == {state: 1})
    return node.queue.latest(state, 1)[0]


def sagittal(folder, count, **tags):
    """MR slices 4 mm apart, from the patient's right to the left."""
    tags |= {"Modality": "MR", "SOPClassUID": MRImageStorage, "ImageOrientationPatient": [0, 1, 0, 0, 0, -1]}
    places = [{"ImagePositionPatient": [4 * k, 0, 0], "InstanceNumber": k + 1} for k in range(count)]
    return [film(folder / f"{k}.dcm", f"1.2.3.{k}", **tags, **places[k]) for k in range(count)]


def shown(node, tmp_path):
    """The slice that the results in the outbox are about."""
    (made,) = (tmp_path / "node" / "outbox").rglob("*.dcm")
    return pydicom.dcmread(made).ReferencedSeriesSequence[0].ReferencedImageSequence[0].ReferencedSOPInstanceUID


def sent_and_removed(make_node, tmp_path, slices):
    """A node that has sent the results of a series and removed its files."""
    node = make_node(results=("points",), keep_hours=0.0)
    send(node.receiver.port, *slices)
    node.queue.move(only(node, "made"), "sent")
    stop(node)
    stop(make_node(results=("points",), keep_hours=0.0))
    assert not list((tmp_path / "node" / "spool").rglob("*.dcm"))


def test_a_series_that_comes_again_for_other_rules_is_read_whole_though_its_files_were_removed(make_node, tmp_path):
    slices = sagittal(tmp_path, 5)
    sent_and_removed(make_node, tmp_path, slices)
    node = make_node(results=("points",), rules=(Rule.parse("modality=MR"),))
    assert send(node.receiver.port, *slices) == [0x0000] * 5
    only(node, "made")
    assert shown(node, tmp_path) == "1.2.3.2"
    assert len(list((tmp_path / "node" / "spool").rglob("*.dcm"))) == 5


def test_a_late_slice_is_not_read_as_the_series_whose_files_were_removed(make_node, tmp_path):
    slices = sagittal(tmp_path, 5)
    sent_and_removed(make_node, tmp_path, slices[:4])
    node = make_node(results=("points",))
    send(node.receiver.port, slices[4])
    assert only(node, "failed").why.startswith("4 of its 5 slices are no longer kept")
    send(node.receiver.port, *slices)
    only(node, "made")
    assert shown(node, tmp_path) == "1.2.3.2"


def test_other_pixels_under_the_uids_of_a_series_are_no_second_result(make_node, tmp_path):
    slices = sagittal(tmp_path, 3)
    node = make_node(results=("points",))
    send(node.receiver.port, *slices)
    first = only(node, "made")
    send(node.receiver.port, *sagittal(tmp_path, 3, InstanceCreationTime="101112"))
    until(lambda: only(node, "made").changed > first.changed)  # the same pixels, stored in another form
    send(node.receiver.port, *sagittal(tmp_path, 3, level=500, PatientComments="other"))
    middle = pydicom.dcmread(slices[1])
    middle.PixelData = bytes(reversed(middle.PixelData))
    middle.save_as(slices[1])
    send(node.receiver.port, slices[1])
    assert "other pixels under the same UID" in only(node, "failed").why


@pytest.mark.parametrize("tag", [{"PixelSpacing": [0.4, 0.4]}, {"PatientOrientation": ["A", "F"]}])
def test_another_scale_or_direction_under_the_same_uid_is_said(make_node, tmp_path, tag):
    node = make_node(results=("points",))
    send(node.receiver.port, film(tmp_path / "a.dcm", "1.2.3.4"))
    only(node, "made")
    send(node.receiver.port, film(tmp_path / "b.dcm", "1.2.3.4", **tag))
    assert "another scale, orientation or view under the same UID" in only(node, "failed").why


def test_results_that_wait_are_not_lost_to_other_pixels_under_their_uid(make_node, tmp_path):
    node = make_node(results=("points",), send_to=parse_address(NOBODY))
    send(node.receiver.port, film(tmp_path / "a.dcm", "1.2.3.4"))
    until(lambda: "does not answer" in only(node, "made").why)
    (made,) = (tmp_path / "node" / "outbox").rglob("*.dcm")
    first = made.read_bytes()
    other = film(tmp_path / "b.dcm", "1.2.3.4")
    data = pydicom.dcmread(other)
    data.PixelData = bytes(reversed(data.PixelData))
    data.save_as(other)
    send(node.receiver.port, other)
    until(lambda: "other pixels" in only(node, "made").why)
    assert made.read_bytes() == first
    # It is said where a user looks, also once the archive has been asked again.
    unit = only(node, "made")
    node.queue.later_all("made", 9.0, "the archive does not answer")
    for _ in range(2):
        (remark,) = status(tmp_path / "node")["remarks"]
        assert remark["id"] == unit.id
        assert "came before with other pixels under the same UID" in remark["said"]
        node.queue.remark(unit, remark["said"])
    shown = CliRunner().invoke(app, ["status", "--folder", str(tmp_path / "node")])
    assert f"remark {unit.id}: came before with other pixels under the same UID" in shown.stdout


def test_the_queue_of_an_older_version_is_looked_at_too(make_node, tmp_path):
    stop(make_node())
    with closing(sqlite3.connect(tmp_path / "node" / "queue.sqlite")) as db:
        db.execute("DROP TABLE remark")
    assert status(tmp_path / "node")["remarks"] == []
    node = make_node()
    send(node.receiver.port, film(tmp_path / "a.dcm", "1.2.3.4"))
    unit = only(node, "made")
    for number in range(MOST_REMARKS + 2):
        node.queue.remark(unit, f"remark {number}")
    assert [said for _, said in node.queue.remarks(2)] == ["remark 1001", "remark 1000"]
    assert len(node.queue.remarks(MOST_REMARKS + 9)) == MOST_REMARKS


def spooled(tmp_path):
    return list((tmp_path / "node" / "spool").rglob("*.dcm"))


def test_a_film_that_is_moved_to_another_series_leaves_no_file_behind(make_node, tmp_path):
    node = make_node(results=("points",))
    send(node.receiver.port, film(tmp_path / "a.dcm", "1.2.3.4"))
    first = only(node, "made")
    (before,) = spooled(tmp_path)
    send(node.receiver.port, film(tmp_path / "b.dcm", "1.2.3.4", SeriesInstanceUID="1.2.3.9"))
    until(lambda: only(node, "made").changed > first.changed)
    (after,) = spooled(tmp_path)
    assert after.name == before.name
    assert after.parent != before.parent
    assert not before.parent.exists()
    stop(node)
    # What a kill left at a place it had left already goes with the next start, and nothing else.
    before.parent.mkdir()
    before.write_bytes(after.read_bytes())
    stop(make_node(results=("points",)))
    assert spooled(tmp_path) == [after]


def test_a_film_that_is_moved_to_another_study_gets_its_results_there(make_node, tmp_path):
    node = make_node(results=("points",), send_to=parse_address(NOBODY))
    send(node.receiver.port, film(tmp_path / "a.dcm", "1.2.3.4"))
    first = only(node, "made")
    send(node.receiver.port, film(tmp_path / "b.dcm", "1.2.3.4", study="7.8.9", name="OTHER^ONE"))
    until(lambda: only(node, "made").picture != first.picture)
    (made,) = (tmp_path / "node" / "outbox").rglob("*.dcm")
    found = pydicom.dcmread(made)
    assert (found.StudyInstanceUID, found.PatientName) == ("7.8.9", "OTHER^ONE")
    assert len(spooled(tmp_path)) == 1


def test_a_film_that_comes_again_for_another_patient_is_no_result_of_the_first(make_node, tmp_path):
    """Results that wait are made anew; those that were sent cannot be, which is said."""
    node = make_node(results=("points",), send_to=parse_address(NOBODY))
    send(node.receiver.port, film(tmp_path / "a.dcm", "1.2.3.4"))
    first = only(node, "made")
    send(node.receiver.port, film(tmp_path / "b.dcm", "1.2.3.4", name="OTHER^ONE"))
    until(lambda: only(node, "made").picture != first.picture)
    (made,) = (tmp_path / "node" / "outbox").rglob("*.dcm")
    assert pydicom.dcmread(made).PatientName == "OTHER^ONE"
    assert status(tmp_path / "node")["remarks"] == []
    stop(node)
    made.unlink()
    made.parent.rmdir()
    node = make_node(results=("points",))
    node.queue.move(only(node, "made"), "sent")
    send(node.receiver.port, film(tmp_path / "c.dcm", "1.2.3.4", name="THIRD^ONE"))
    until(lambda: node.queue.remarks(1))
    only(node, "sent")
    assert not list((tmp_path / "node" / "outbox").rglob("*.dcm"))
    ((_, said),) = node.queue.remarks(9)
    assert said == "came again with other data of patient or study; the results sent bear the first"
    assert b"ONE" not in (tmp_path / "node" / "queue.sqlite").read_bytes()


def test_slices_that_are_moved_to_another_series_are_read_there_alone(make_node, tmp_path):
    node = make_node(results=("points",), send_to=parse_address(NOBODY))
    slices = sagittal(tmp_path, 3)
    send(node.receiver.port, *slices)
    old = only(node, "made")
    for file in slices:
        data = pydicom.dcmread(file)
        data.SeriesInstanceUID = "1.2.3.9"
        data.save_as(file)
    send(node.receiver.port, *slices[:2])
    until(lambda: counts(node) == {"made": 2})
    assert node.queue.instances(old) == 1
    send(node.receiver.port, slices[2])
    until(lambda: node.queue.get(old.id).state == "passed")
    assert node.queue.get(old.id).why == "came again in another series, where it is read"
    until(lambda: counts(node) == {"made": 1, "passed": 1})
    assert {path.parent.name for path in spooled(tmp_path)} == {node.queue.latest("made", 1)[0].id}
    assert len(spooled(tmp_path)) == 3
    (made,) = (tmp_path / "node" / "outbox").rglob("*.dcm")
    series = pydicom.dcmread(made).ReferencedSeriesSequence[0]
    assert (series.SeriesInstanceUID, series.ReferencedImageSequence[0].ReferencedSOPInstanceUID) == (
        "1.2.3.9", "1.2.3.1",
    )  # fmt: skip
