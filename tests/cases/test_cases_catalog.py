from __future__ import annotations

import json
import subprocess
import sys

import pytest

from spinetk.cases.catalog import DatasetCatalog, Metadata, MetadataCatalog, setup_catalogs
from spinetk.errors import InputError

NAMES = ["bottom_left", "bottom_middle", "bottom_right", "top_right", "top_middle", "top_left"]


@pytest.fixture(autouse=True)
def _clean():
    DatasetCatalog.clear()
    MetadataCatalog.clear()
    yield
    DatasetCatalog.clear()
    MetadataCatalog.clear()


def test_dataset_catalog_behaves_as_detectrons():
    DatasetCatalog.register("a", lambda: [{"x": 1}])
    assert "a" in DatasetCatalog
    assert DatasetCatalog.list() == ["a"]
    assert DatasetCatalog.get("a") == [{"x": 1}]
    with pytest.raises(AssertionError):
        DatasetCatalog.register("a", list)
    with pytest.raises(KeyError, match="b"):
        DatasetCatalog.get("b")
    DatasetCatalog.remove("a")
    assert DatasetCatalog.list() == []
    DatasetCatalog.register("a", list)
    assert DatasetCatalog.pop("a") is list


def test_metadata_keeps_its_first_value():
    metadata = MetadataCatalog.get("m")
    assert metadata is MetadataCatalog.get("m")
    assert metadata.name == "m"
    metadata.thing_classes = ["vertebra"]
    metadata.thing_classes = ["vertebra"]
    with pytest.raises(AssertionError):
        metadata.thing_classes = ["disc"]
    assert metadata.set(a=1, b=2) is metadata
    assert metadata.get("a") == 1
    assert metadata.get("z", 7) == 7
    assert metadata.as_dict() == {"name": "m", "thing_classes": ["vertebra"], "a": 1, "b": 2}
    with pytest.raises(AttributeError, match="z"):
        _ = metadata.z
    assert isinstance(metadata, Metadata)
    MetadataCatalog.remove("m")
    assert MetadataCatalog.list() == []


def test_setup_catalogs(tmp_path, make_case):
    for case in ("1", "2", "3"):
        make_case(tmp_path, case)
        make_case(tmp_path, case, copy=1)
    metadata = setup_catalogs("v1", ["1"], ["2"], ["3"], kpnames=NAMES, base=tmp_path)
    assert [len(DatasetCatalog.get(f"vertv1_{part}")) for part in ("train", "val", "test")] == [2, 1, 1]
    assert metadata is MetadataCatalog.get("vertv1_train")
    assert metadata.keypoint_names == NAMES
    assert metadata.thing_classes == ["vertebra"]
    assert dict(metadata.keypoint_flip_map) == {"bottom_left": "bottom_right", "top_left": "top_right"}
    assert len(metadata.keypoint_connection_rules) == 6
    assert len(metadata.sigmas) == 6
    assert metadata.schema.name == "vertebra6"
    # The same version again, with other cases and other names: replaced, not refused.
    again = setup_catalogs("v1", ["2"], ["1"], ["3"], kpnames=[n.upper() for n in NAMES], base=tmp_path)
    assert again.keypoint_names[0] == "BOTTOM_LEFT"
    assert DatasetCatalog.get("vertv1_train")[0]["image_id"] == "2-0"


def test_records_are_read_on_use_and_bad_files_left_out(tmp_path, make_case):
    make_case(tmp_path, "1")
    path = make_case(tmp_path, "2")
    setup_catalogs("v", ["1", "2"], ["1"], ["2"], base=tmp_path)
    content = json.loads(path.read_text())
    content["annotations"][0]["keypoints"].pop()
    path.write_text(json.dumps(content))
    with pytest.warns(UserWarning, match="left out: .*keypoints"):
        assert len(DatasetCatalog.get("vertv_train")) == 1
    with pytest.raises(InputError, match="keypoints"):
        DatasetCatalog.get("vertv_test")


def test_one_wrong_annotation_does_not_take_the_others_along(tmp_path, make_case):
    """The original threw such a picture away as a whole."""
    path = make_case(tmp_path, "1")
    content = json.loads(path.read_text())
    good = content["annotations"][0]
    wrong = [{**good, "keypoints": good["keypoints"][:12]}, {**good, "bbox": [0, 0, 9000, 9000]}, 7]
    other = {**good, "keypoints": [value - (k % 3 == 1) for k, value in enumerate(good["keypoints"])]}  # 1 px higher
    path.write_text(json.dumps({**content, "annotations": [wrong[0], good, *wrong[1:], other]}))
    setup_catalogs("w", ["1"], ["1"], ["1"], base=tmp_path)
    with pytest.warns(UserWarning, match="left out") as said:
        (record,) = DatasetCatalog.get("vertw_train")
    assert len(record["annotations"]) == 2
    assert record["schema"] == "vertebra6"  # of most annotations, not of the first
    assert [str(one.message).partition("annotations[")[2][0] for one in said] == ["0", "2", "3"]
    assert all("is left out, the other 2 of the picture are kept" in str(one.message) for one in said)


@pytest.mark.parametrize("part", ["val", "test"])
def test_augmented_copies_never_judge(tmp_path, make_case, part):
    make_case(tmp_path, "1")
    for number in (1, 2):
        make_case(tmp_path, "1", copy=number)
    setup_catalogs("c", ["1"], ["1"], ["1"], base=tmp_path)
    assert [r["image_id"] for r in DatasetCatalog.get(f"vertc_{part}")] == ["1-0"]
    assert len(DatasetCatalog.get("vertc_train")) == 3


def test_faults_of_setup(tmp_path, make_case):
    make_case(tmp_path, "1")
    with pytest.raises(InputError, match="base=FOLDER"):
        setup_catalogs("v", ["1"], ["1"], ["1"])
    with pytest.raises(InputError, match="kpnames"):
        setup_catalogs("v", ["1"], ["1"], ["1"], kpnames=NAMES, schema="vertebra4", base=tmp_path)


def test_detectron2_gets_the_same_where_it_is_installed(tmp_path, make_case, monkeypatch):
    make_case(tmp_path / "cases", "1")
    # A stand-in with Detectron2's module names; the mirroring must go through its own `register`.
    package = tmp_path / "site" / "detectron2" / "data"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").touch()
    (package / "__init__.py").write_text(
        "from spinetk.cases.catalog import _DatasetCatalog, _MetadataCatalog\n"
        "DatasetCatalog, MetadataCatalog = _DatasetCatalog(), _MetadataCatalog()\n"
    )
    monkeypatch.syspath_prepend(tmp_path / "site")
    setup_catalogs("v", ["1"], ["1"], ["1"], base=tmp_path / "cases")
    import detectron2.data as theirs

    assert theirs.DatasetCatalog.list() == ["vertv_train", "vertv_val", "vertv_test"]
    assert theirs.MetadataCatalog.get("vertv_val").thing_classes == ["vertebra"]
    for name in [name for name in sys.modules if name.startswith("detectron2")]:
        del sys.modules[name]  # not by monkeypatch, which would put the stand-in back for the tests after this one


def test_importing_the_catalog_stays_light():
    code = "import spinetk.cases.catalog, sys; sys.exit(any(m in sys.modules for m in ('pandas', 'torch', 'sklearn')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
