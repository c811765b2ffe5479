"""Parts: lists, the data set's own, dealt out."""

from pathlib import Path

import pytest

from spinetk.errors import InputError
from spinetk.segmentation.data.case import Case
from spinetk.segmentation.data.parts import deal, load_part, save_parts
from spinetk.segmentation.data.twins import once


def cases(count: int, part: str | None = None, scans: int = 1) -> list[Case]:
    return [
        Case(f"p{n:02d}t{k}", Path(f"p{n:02d}/p{n:02d}t{k}_t1w.nii.gz"), (), part, f"p{n:02d}")
        for n in range(count)
        for k in range(scans)
    ]


def test_dealt_by_patient_and_again_the_same():
    every = cases(20, scans=3)
    parts = deal(every, seed=4)
    names = {part: {case.who for case in chosen} for part, chosen in parts.items()}
    assert (len(names["test"]), len(names["val"]), len(names["train"])) == (4, 2, 14)
    assert not names["test"] & names["val"] | names["test"] & names["train"] | names["val"] & names["train"]
    assert deal(every, seed=4) == parts
    assert deal(every, seed=5) != parts


def test_own_parts_and_a_validation_part_out_of_the_training():
    own = [*cases(10, "train"), *cases(3, "test")]
    parts = deal(own)
    assert [case.part for case in parts["test"]] == ["test"] * 3
    assert (len(parts["train"]), len(parts["val"])) == (8, 2)
    assert {case.part for case in parts["val"]} == {"train"}


def test_lists_of_the_original(tmp_path):
    every = cases(6)
    (tmp_path / "training.txt").write_text("p00/p00t0/p00t0_t1w.npy\np01/p01t0/p01t0_t1w.npy\n\np02t0\n")
    (tmp_path / "testing.txt").write_text("p04t0_t1w.nii.gz\n")
    parts = deal(every, {"train": tmp_path / "training.txt", "test": tmp_path / "testing.txt"})
    assert [case.name for case in parts["test"]] == ["p04t0"]
    assert sorted(case.name for case in parts["train"] + parts["val"]) == ["p00t0", "p01t0", "p02t0"]
    assert len(parts["val"]) == 1
    only_test = deal(every, {"test": tmp_path / "testing.txt"})
    assert len(only_test["train"]) + len(only_test["val"]) == 5


def test_faults_of_lists(tmp_path):
    every, path = cases(4), tmp_path / "list.txt"
    for text, match in (("nobody\n", "nobody"), ("\n", "no case")):
        path.write_text(text)
        with pytest.raises(InputError, match=match):
            deal(every, {"train": path})
    path.write_text("p00t0\n")
    with pytest.raises(InputError, match="part them"):
        deal(every, {"train": path, "test": path})
    with pytest.raises(InputError, match="cannot be read"):
        deal(every, {"train": tmp_path})


def test_one_patient_has_no_validation_part():
    parts = deal(cases(1, "train", scans=4))
    assert (len(parts["train"]), parts["val"], parts["test"]) == (4, [], [])


def scanned(folder: Path, contents: str) -> list[Case]:
    """A patient for every letter; equal letters are equal images."""
    found = []
    for number, letter in enumerate(contents):
        path = folder / f"p{number:02d}.nii.gz"
        path.write_bytes(letter.encode() * 100)
        found.append(Case(f"p{number:02d}", path, (), None, f"p{number:02d}"))
    return found


def test_an_image_under_two_names_is_dealt_once(tmp_path):
    every = scanned(tmp_path, "abcadefgb")
    with pytest.warns(UserWarning, match="same image") as said:
        parts = deal(every)
    names = sorted(case.name for chosen in parts.values() for case in chosen)
    assert names == ["p00", "p01", "p02", "p04", "p05", "p06", "p07"]
    assert [str(one.message) for one in said] == [
        "p03: the same image as p00, and left out",
        "p08: the same image as p01, and left out",
    ]


def test_cases_of_one_file_stay_where_another_file_is_the_same(tmp_path):
    """Two raters of one image, and a copy of it: the copy goes, the second rater stays."""
    one, copy, other = scanned(tmp_path, "aab")
    second = Case("p00-rater2", one.image, (), None, "p00")
    with pytest.warns(UserWarning, match="same image") as said:
        found = once([one, second, copy, other])
    assert [case.name for case in found] == ["p00", "p00-rater2", "p02"]
    assert [str(warning.message) for warning in said] == ["p01: the same image as p00, and left out"]


def test_parts_that_are_given_and_share_an_image_are_said(tmp_path):
    every = scanned(tmp_path, "abca")
    for part, names in {"train": "p00\np01\n", "test": "p03\n", "val": "p02\n"}.items():
        (tmp_path / part).write_text(names)
    lists = {part: tmp_path / part for part in ("train", "val", "test")}
    with pytest.warns(UserWarning, match=r"p03 \(test\): the same image as p00 \(train\): figures of it"):
        parts = deal(every, lists)
    assert [len(parts[part]) for part in ("train", "val", "test")] == [2, 1, 1]


def test_saved_and_found_again(tmp_path):
    every = cases(9)
    parts = deal(every)
    save_parts(tmp_path / "split.json", parts, tmp_path / "unet.pth")
    assert load_part(tmp_path / "split.json", "test", every) == parts["test"]
    with pytest.raises(InputError, match="not in this data set"):
        load_part(tmp_path / "split.json", "train", every[:2])
    with pytest.raises(InputError, match="not a split"):
        load_part(tmp_path / "none.json", "train", every)
