from __future__ import annotations

import json
import re
import shutil
import warnings

import numpy as np
import pandas as pd
import pytest

from spinetk.cases.catalog import DatasetCatalog, MetadataCatalog, setup_catalogs
from spinetk.cases.folder import CaseFolder
from spinetk.cases.kinship import warn_alike
from spinetk.cases.splitting import _groups, check_overlap, make_split
from spinetk.errors import InputError


@pytest.fixture
def hundred(tmp_path, make_case):
    for n in range(100):
        make_case(tmp_path, f"case {n}")
    return tmp_path


def write(base, metadata):
    (base / "metadata.json").write_text(json.dumps(metadata))


@pytest.mark.parametrize(("pairs", "more"), [(3, ""), (5, "; and 2 more")])
def test_pictures_alike_in_two_parts_are_named_three_pairs_at_most(pairs, more):
    """Prints of one figure each: those of a pair are the same, 20 others unlike all. Alike in one part is no matter."""
    prints = {f"{part} {k}": np.eye(30)[k] for part in ("train", "test") for k in range(pairs)}
    prints |= {f"other {k}": np.eye(30)[k + 5] for k in range(20)} | {"twin": np.eye(30)[5]}
    parts = {part: [case for case in prints if case.startswith(part)] for part in ("train", "test")}
    parts["val"] = [case for case in prints if case[:5] in ("other", "twin")]
    named = "; ".join(f"'train {k}' (train) and 'test {k}' (test)" for k in range(3))
    with pytest.warns(UserWarning, match=re.escape(f"all but the same: {named}{more}: give them")):
        warn_alike(parts, prints)


def test_sizes_of_the_original_and_seed_100(hundred):
    from sklearn.model_selection import train_test_split

    x_train, x_val, x_test, y_train, y_val, y_test = make_split(hundred)
    assert [len(x) for x in (x_train, x_val, x_test)] == [68, 12, 20]
    assert [len(y) for y in (y_train, y_val, y_test)] == [68, 12, 20]
    parts = [set(x["case"]) for x in (x_train, x_val, x_test)]
    assert len(set.union(*parts)) == 100
    # The original: sklearn, a fifth for testing, then 10/70 for validation, random_state 100.
    names = [f"case {n}" for n in range(100)]
    rest, test = train_test_split(names, test_size=0.2, random_state=100)
    train, val = train_test_split(rest, test_size=10 / 70, random_state=100)
    assert parts == [set(train), set(val), set(test)]


def test_whole_patients_make_the_shares_of_the_original(tmp_path, make_case):
    """70 patients of two pictures, 10 of them with hardware: a fifth, then a seventh of the rest, in patients."""
    for n in range(140):
        make_case(tmp_path, f"case {n}", size=(16, 16), annotations=[])
    write(tmp_path, {f"case {n}": {"patient": n // 2, "Hardware": n // 2 < 10} for n in range(140)})
    parts = make_split(tmp_path, "Hardware")[:3]
    assert [part["patient"].nunique() for part in parts] == [48, 8, 14]
    assert [part[part["Hardware"]]["patient"].nunique() for part in parts] == [7, 1, 2]


def test_the_parts_know_their_folder(hundred):
    x_train, x_val, x_test, y_train, *_ = make_split(hundred)
    assert isinstance(x_train, pd.DataFrame)
    assert isinstance(y_train, pd.Series)
    assert x_train.attrs["directory"] == y_train.attrs["directory"] == str(hundred)
    assert list(x_train.index) == list(x_train["case"])
    # Users slice, concatenate and store frames; whatever becomes of attrs, the catalog finds the pictures.
    stored = hundred / "x.csv"
    x_train.to_csv(stored)
    mixed = pd.concat([x_train[:2], x_val[:1]])
    for part in (x_train[:3], x_train.sample(3, random_state=0), mixed, pd.read_csv(stored)[:3]):
        setup_catalogs("s", part, x_val, x_test)
        assert len(DatasetCatalog.get("verts_train")) == 3
    DatasetCatalog.clear()
    MetadataCatalog.clear()


def test_stratified(hundred):
    write(hundred, {f"case {n}": {"Hardware": n % 4 == 0} for n in range(100)})
    *_, y_train, y_val, y_test = make_split(hundred, "Hardware")
    assert [int(y.sum()) for y in (y_train, y_val, y_test)] == [17, 3, 5]
    assert y_test.name == "Hardware"


def test_too_few_of_a_class(hundred):
    write(hundred, {f"case {n}": {"Hardware": n == 4} for n in range(100)})
    with pytest.warns(UserWarning, match="not stratified.*True"):
        parts = make_split(hundred, "Hardware")
    assert [len(x) for x in parts[:3]] == [68, 12, 20]


def test_a_case_without_the_variable(hundred):
    write(hundred, {f"case {n}": {"Hardware": n == 4} for n in range(98)})
    with pytest.raises(InputError, match=r"case 98.*1 more.*Hardware"):
        make_split(hundred, "Hardware")


@pytest.mark.parametrize("strat_var", [None, "Hardware"])
def test_patients_stay_together(hundred, strat_var):
    write(hundred, {f"case {n}": {"patient": f"p{n // 3}", "Hardware": n % 6 < 3} for n in range(100)})
    parts = make_split(hundred, strat_var)[:3]
    patients = [set(x["patient"]) for x in parts]
    assert not patients[0] & patients[1]
    assert not patients[0] & patients[2]
    assert not patients[1] & patients[2]
    assert sum(map(len, parts)) == 100
    assert 16 <= len(parts[2]) <= 24
    assert 8 <= len(parts[1]) <= 16


def test_grouping_can_be_named_and_switched_off(hundred):
    write(hundred, {f"case {n}": {"patient": n // 3, "site": n // 20} for n in range(100)})
    assert all(len(x) for x in make_split(hundred, group="site")[:3])
    with pytest.warns(UserWarning, match="other settings"):
        assert [len(x) for x in make_split(hundred, group="")[:3]] == [68, 12, 20]
    with pytest.raises(InputError, match="sex"):
        make_split(hundred, group="sex")


@pytest.mark.parametrize("how", [{"strat_var": "Hardware"}, {"group": "site"}, {"group": ""}, {"seed": 7}])
def test_who_asks_without_settings_gets_the_split_that_is_there(hundred, how):
    """An evaluation that made a split of its own would score the cases of the training."""
    write(hundred, {f"case {n}": {"patient": n // 3, "site": n // 20, "Hardware": n % 4 == 0} for n in range(100)})
    first = make_split(hundred, **how)
    plain = make_split(hundred, group="patient", seed=100, save=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        second = make_split(hundred)
    for mine, theirs, other in zip(first[:3], second[:3], plain[:3], strict=True):
        assert list(mine["case"]) == list(theirs["case"])
        assert list(mine["case"]) != list(other["case"])


def test_settings_on_file_that_no_longer_fit_are_not_taken(hundred):
    write(hundred, {f"case {n}": {"Hardware": n % 4 == 0} for n in range(100)})
    make_split(hundred, "Hardware")
    write(hundred, {f"case {n}": {"patient": f"p{n // 3}"} for n in range(100)})
    with pytest.warns(UserWarning, match="a new one replaces it"):
        parts = make_split(hundred)[:3]
    assert not set(parts[0]["patient"]) & set(parts[2]["patient"])


def test_a_case_that_bears_the_name_of_a_patient_is_not_of_that_patient(tmp_path, make_case):
    for case in ("p", "a", "b"):
        make_case(tmp_path, case)
    write(tmp_path, {"a": {"patient": "p"}, "b": {"patient": "q"}})
    folder = CaseFolder(tmp_path)
    for group in ("patient", None):
        labels, _ = _groups(folder, folder.cases(), folder.metadata(), group)
        assert len(set(labels)) == 3


def test_overlap_names_both_cases():
    parts = {"train": ["a", "b"], "val": ["c"], "test": ["d"]}
    check_overlap(parts, {"a": "1", "b": "1", "c": "2", "d": "3"}, "patient")
    with pytest.raises(InputError, match=r"'b' \(train\) and 'd' \(test\) are of the same patient"):
        check_overlap(parts, {"a": "1", "b": "7", "c": "2", "d": "7"}, "patient")


def test_identical_pixels_in_two_parts(hundred):
    x_train, _, x_test, *_ = make_split(hundred, save=False)
    twin, other = x_train["case"].iloc[0], x_test["case"].iloc[0]
    import cv2

    picture = cv2.imread(str(hundred / twin / "src/0/src-0.png"), cv2.IMREAD_GRAYSCALE)
    # Other bytes, same pixels.
    cv2.imwrite(str(hundred / other / "src/0/src-0.png"), picture, [cv2.IMWRITE_PNG_COMPRESSION, 0])
    with pytest.warns(UserWarning, match="same picture as another case: they were kept together"):
        parts = make_split(hundred, save=False)[:3]
    assert any({twin, other} <= set(part["case"]) for part in parts)
    # Beside a case that has a group, the twin belongs to that; so do its other pictures.
    write(hundred, {twin: {"patient": "p"}, "case 7": {"patient": "p"}})
    with pytest.warns(UserWarning, match="same picture"):
        parts = make_split(hundred, save=False)[:3]
    assert any({twin, other, "case 7"} <= set(part["case"]) for part in parts)
    # Two patients cannot have one picture: which of them is wrong, nobody here can know.
    write(hundred, {twin: {"patient": "p"}, other: {"patient": "q"}})
    with pytest.raises(InputError, match="same picture") as caught:
        make_split(hundred, seed=next(_seeds_that_part(hundred, twin, other)))
    assert twin in str(caught.value)
    assert other in str(caught.value)
    assert not (hundred / "split.json").exists()
    write(hundred, {twin: {"patient": "p"}, other: {"patient": "p"}})
    make_split(hundred)


def _seeds_that_part(base, one, other):
    """Seeds whose split has two cases in two parts, by groups alone."""
    for seed in range(100):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                parts = make_split(base, seed=seed, save=False)[:3]
            except InputError:
                yield seed
            else:
                assert any({one, other} <= set(part["case"]) for part in parts)


def test_the_split_is_saved_and_read_back(hundred):
    first = make_split(hundred)
    saved = json.loads((hundred / "split.json").read_text())
    assert saved["parts"]["test"] == list(first[2]["case"])
    # Read back, not made again: an edited split is honoured.
    moved = saved["parts"]["test"].pop()
    saved["parts"]["train"].append(moved)
    (hundred / "split.json").write_text(json.dumps(saved))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        second = make_split(hundred)
    assert moved in set(second[0]["case"])


def test_a_split_that_was_edited_into_a_leak_is_refused(hundred):
    write(hundred, {f"case {n}": {"patient": f"p{n // 2}"} for n in range(100)})
    make_split(hundred)
    saved = json.loads((hundred / "split.json").read_text())
    moved = saved["parts"]["test"].pop()
    for name in (moved, saved["parts"]["test"][0]):  # of a patient with two pictures; in both parts itself
        edited = {**saved, "parts": {**saved["parts"], "train": [*saved["parts"]["train"], name]}}
        (hundred / "split.json").write_text(json.dumps(edited))
        with pytest.raises(InputError, match=r"\(train\) and .* \(test\) are of the same patient"):
            make_split(hundred)
    edited = {**saved, "parts": {**saved["parts"], "val": [*saved["parts"]["val"], "case 1000"]}}
    (hundred / "split.json").write_text(json.dumps(edited))
    with pytest.raises(InputError, match="'case 1000', which is not there"):
        make_split(hundred)


def test_a_changed_folder_is_noticed(hundred):
    make_split(hundred)
    shutil.rmtree(hundred / "case 7")
    with pytest.warns(UserWarning, match="cases have changed"):
        parts = make_split(hundred)
    assert sum(map(len, parts[:3])) == 99
    # Another picture under the same annotation may be one that another part has.
    picture = hundred / "case 8" / "src" / "0" / "src-0.png"
    shutil.copy(hundred / "case 9" / "src" / "0" / "src-0.png", picture)
    with pytest.warns(UserWarning, match="cases have changed"):
        make_split(hundred)
    (hundred / "split.json").write_text('{"parts": 3}')
    with pytest.raises(InputError, match=r"split\.json"):
        make_split(hundred)


def test_too_few_cases(tmp_path, make_case):
    make_case(tmp_path, "a")
    make_case(tmp_path, "b")
    with pytest.raises(InputError, match="too few cases for 3 parts: 2"):
        make_split(tmp_path)
    make_case(tmp_path, "c")
    assert [len(x) for x in make_split(tmp_path)[:3]] == [1, 1, 1]


def test_a_case_that_cannot_be_read_is_left_out(tmp_path, make_case):
    for case in "abcd":
        path = make_case(tmp_path, case)
    path.with_suffix(".png").write_bytes(b"rubbish")
    for _ in range(2):  # made, then read back
        with pytest.warns(UserWarning, match=r"left out: .*d.src.0.src-0\.(png|json)"):
            parts = make_split(tmp_path)[:3]
        assert sorted(case for part in parts for case in part.index) == ["a", "b", "c"]
    path.unlink()
    with pytest.warns(UserWarning, match="left out"):
        make_split(tmp_path)
    for case in "abc":
        (tmp_path / case / "src" / "0" / "src-0.json").unlink()
    with pytest.raises(InputError, match="no case can be read"):
        make_split(tmp_path)


@pytest.mark.parametrize("grouped", [False, True])
def test_the_class_that_is_too_scarce_is_named(hundred, grouped):
    """Of three classes the scarcest: one case alone, or two of one patient, who cannot be in every part."""
    sites = {f"case {n}": "B" if n in (4, 5) else "A" if n < 60 else "C" for n in range(100)}
    if not grouped:
        sites["case 5"] = "A"
    patients = {f"case {n}": f"p{n // 2}" if grouped else f"p{n}" for n in range(100)}
    write(hundred, {case: {"site": site, "patient": patients[case]} for case, site in sites.items()})
    with pytest.warns(UserWarning, match="not stratified: there are too few cases of class 'B' for every part"):
        parts = make_split(hundred, "site")
    assert sum(len(x) for x in parts[:3]) == 100


def test_classes_that_every_part_can_hold_are_not_called_scarce(hundred):
    write(hundred, {f"case {n}": {"site": "AB"[n % 4 == 0], "patient": f"p{n // 2}"} for n in range(100)})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        parts = make_split(hundred, "site")
    # A fifth, then a seventh of the rest; each part holds a quarter of B, to a case or two.
    for part, labels in zip(parts[:3], parts[3:], strict=True):
        assert list(labels) == list(part["site"])
        assert abs((labels == "B").mean() - 0.25) < 0.1
