"""Groups: every way in gives one patient, series or volume one group, and nobody is named by it."""

from __future__ import annotations

import os
import stat

import numpy as np
import pytest
import slices

from spinetk.cases.folder import CaseFolder
from spinetk.cases.groups import group_of, labelled, origin_of, remember, salt_of
from spinetk.formats.files import read_metadata


def slice_file(path, number=0, **tags):
    """A slice with the tags given."""
    pixels = np.random.default_rng(number).integers(0, 900, (40, 32))
    return slices.slice_file(path, pixels, f"1.2.3.{number + 1}", -4 * number, **tags)


def test_a_patient_is_one_group_in_every_run_on_a_folder_and_is_not_named(tmp_path):
    one = slice_file(tmp_path / "a.dcm", 0, PatientID=" DOE-4711 ", StudyInstanceUID="1.1", SeriesInstanceUID="1.1.1")
    two = slice_file(tmp_path / "b.dcm", 1, PatientID="Doe-4711", StudyInstanceUID="1.2", SeriesInstanceUID="1.2.1")
    other = slice_file(tmp_path / "c.dcm", 2, PatientID="DOE-4712", StudyInstanceUID="1.3")
    base, elsewhere = tmp_path / "cases", tmp_path / "others"
    for folder in (base, elsewhere):
        folder.mkdir()
    group = group_of(one, base)
    assert group == group_of(two, base)
    assert len({group, group_of(other, base), group_of(one, elsewhere), "4711"}) == 4
    assert stat.S_IMODE((base / ".salt").stat().st_mode) == 0o600
    origin = origin_of(one, salt_of(base))
    assert [key.partition(":")[0] for key in origin] == ["patient", "study", "series"]
    assert origin == origin_of(one, salt_of(base))
    assert not any("4711" in key or "1.1" in key for key in origin)


def test_who_comes_second_takes_the_first_ones_secret(tmp_path, monkeypatch):
    """Another process makes one just before ours is put in its place."""
    link = os.link

    def late(source, target):
        (tmp_path / ".salt").write_text("first")
        link(source, target)

    monkeypatch.setattr(os, "link", late)
    assert salt_of(tmp_path) == "first"
    assert [path.name for path in tmp_path.iterdir()] == [".salt"]


@pytest.mark.parametrize("said", ["", "ANONYMOUS", "anonymized", "0000", "Unknown", "n/a", "XXXX", None])
def test_a_placeholder_is_no_patient(tmp_path, said):
    tags = {} if said is None else {"PatientID": said}
    one = slice_file(tmp_path / "a.dcm", 0, StudyInstanceUID="1.1", **tags)
    two = slice_file(tmp_path / "b.dcm", 1, StudyInstanceUID="1.1", **tags)
    other = slice_file(tmp_path / "c.dcm", 2, StudyInstanceUID="1.2", **tags)
    assert group_of(one, tmp_path) == group_of(two, tmp_path) != group_of(other, tmp_path)


def test_a_file_without_any_identity_is_its_own_group(tmp_path):
    one, two = (slice_file(tmp_path / f"{n}.dcm", n) for n in range(2))
    copied = tmp_path / "copy.dcm"
    copied.write_bytes(one.read_bytes())
    assert group_of(one, tmp_path) == group_of(copied, tmp_path) != group_of(two, tmp_path)


def test_a_series_folder_is_its_files_group(tmp_path):
    files = [slice_file(tmp_path / "s" / f"{n}.dcm", n, SeriesInstanceUID="1.9", PatientID="p") for n in range(3)]
    assert {group_of(file, tmp_path) for file in files} == {group_of(tmp_path / "s", tmp_path)}


def test_a_volume_is_its_file_and_a_bids_subject_is_one(tmp_path):
    import nibabel

    def volume(name, seed):
        values = np.random.default_rng(seed).integers(0, 900, (4, 5, 6)).astype(np.int16)
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        nibabel.Nifti1Image(values, np.eye(4)).to_filename(path)
        return path

    one, other = volume("a.nii.gz", 0), volume("b.nii.gz", 1)
    again = tmp_path / "copy.nii.gz"
    again.write_bytes(one.read_bytes())
    assert group_of(one, tmp_path) == group_of(again, tmp_path) != group_of(other, tmp_path)
    first, second = volume("sub-01/anat/sub-01_T1w.nii.gz", 2), volume("flat/sub-01_ses-2_T2w.nii", 3)
    assert group_of(first, tmp_path) == group_of(second, tmp_path)
    assert group_of(first, tmp_path) != group_of(volume("sub-011_T1w.nii", 4), tmp_path)
    # A file that says nothing itself is of the subject whose folder holds it, however deep.
    third, fourth = volume("sub-07/anat/scan.nii.gz", 5), volume("sub-07/ses-1/anat/other.nii.gz", 6)
    assert group_of(third, tmp_path) == group_of(fourth, tmp_path) != group_of(first, tmp_path)


def test_nothing_is_known_of_a_plain_picture_or_of_what_cannot_be_read(tmp_path):
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n rest")
    (tmp_path / "b.dcm").write_bytes(b"rubbish")
    for name in ("a.png", "b.dcm", "missing.dcm"):
        assert group_of(tmp_path / name, tmp_path) is None


def test_a_group_that_somebody_gave_stays(tmp_path):
    remember(tmp_path, "a", "hash")
    remember(tmp_path, "a", "other")
    remember(tmp_path, "b", None)
    assert read_metadata(tmp_path) == {"a": {"group": "hash"}}


def test_labels_join_what_is_known_in_any_way_and_say_whether_it_is(tmp_path, make_case):
    """What joins is an equal group, an equal patient, or one hash in common; a name that somebody gave goes first."""
    origins = {
        "a": ["patient:p1", "study:s1"], "b": ["study:s1"], "c": ["series:r9"], "d": ["series:r9"],
        "e": ["file:f1"], "f": [], "g": [], "h": [], "i": ["study:s7"], "j": [], "k": [],
        "l": ["study:s9"], "m": ["study:s9"], "n": [], "o": ["damaged"], "p": ["damaged"],
    }  # fmt: skip
    for case, own in origins.items():
        make_case(tmp_path, case, origin=own)
    metadata = {
        "f": {"group": 7}, "g": {"group": "7"}, "h": {"patient": "Q"}, "i": {"group": "G", "patient": "Q"},
        "j": {"patient": 0}, "k": {"group": None},
        "l": {"group": "A"}, "m": {"group": 8}, "n": {"group": "8"},
    }  # fmt: skip
    found = labelled(CaseFolder(tmp_path), list(origins), metadata)
    assert found == {
        "a": "group:p1", "b": "group:p1",  # one study: the patient of the first is that of the second
        "c": "group:r9", "d": "group:r9",
        "e": "group:f1",
        "f": "group:7", "g": "group:7",  # a number and its digits are one name
        "h": "group:G", "i": "group:G",  # one patient; of the names given, a group goes before a patient
        "j": "group:0",
        "k": "case:k",  # nothing is known
        "l": "group:A", "m": "group:A", "n": "group:A",  # m is both A, by its study, and 8
        "o": "case:o", "p": "case:p",  # no hash
    }  # fmt: skip
