import json

import numpy as np
import pytest

import spinetk.schema
from spinetk.errors import InputError
from spinetk.schema import VERTEBRA4, VERTEBRA6, KeypointSchema, get_schema, schema_for_names

SCHEMAS = (VERTEBRA6, VERTEBRA4)


def test_vertebra6_keeps_the_order_of_the_original():
    assert VERTEBRA6.keypoints == (
        "bottom_left", "bottom_middle", "bottom_right", "top_right", "top_middle", "top_left",
    )  # fmt: skip
    assert VERTEBRA6.flip_indices == (2, 1, 0, 5, 4, 3)


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda s: s.name)
def test_mirror_once_swaps_names_and_twice_is_the_identity(schema):
    random = np.random.default_rng(0)
    points = random.uniform(0, 100, (3, len(schema), 2))
    once = schema.mirror(points, 100)
    left, right = schema.index("top_left"), schema.index("top_right")
    np.testing.assert_allclose(once[:, left], np.column_stack([100 - points[:, right, 0], points[:, right, 1]]))
    np.testing.assert_allclose(schema.mirror(once, 100), points, rtol=0, atol=1e-12)


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda s: s.name)
def test_one_object_drives_everything(schema):
    category = schema.coco_category()
    assert len(schema) == len(schema.sigmas) == len(category["keypoints"]) == len(schema.flip_indices)
    assert min(min(edge) for edge in category["skeleton"]) == 1
    assert max(max(edge) for edge in category["skeleton"]) == len(schema)


@pytest.mark.parametrize("suffix", [".json", ".toml"])
def test_user_schema_from_a_small_file(tmp_path, suffix):
    path = tmp_path / f"endplates{suffix}"
    content = {"keypoints": ["front", "back"], "swap": [["front", "back"]], "sigmas": [0.1, 0.2]}
    if suffix == ".json":
        path.write_text(json.dumps(content))
    else:
        path.write_text('keypoints = ["front", "back"]\nswap = [["front", "back"]]\nsigmas = [0.1, 0.2]\n')
    schema = get_schema(path)
    assert (schema.name, schema.flip_indices, schema.sigmas) == ("endplates", (1, 0), (0.1, 0.2))
    assert KeypointSchema.from_json(schema.to_json()) == schema


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ({}, "keypoints"),
        ({"keypoints": []}, "no keypoints"),
        ({"keypoints": ["a", "a"]}, "repeats"),
        ({"keypoints": ["a", "b"], "sigmas": [1]}, "1 sigmas for 2"),
        ({"keypoints": ["a", "b"], "sigmas": [1, -1]}, "above 0"),
        ({"keypoints": ["a", "b"], "swap": [["a", "c"]]}, "swap entry"),
        ({"keypoints": ["a", "b", "c"], "swap": [["a", "b"], ["a", "c"]]}, "twice"),
        ({"keypoints": ["a"], "skeletn": []}, "skeletn"),
        ({"keypoints": ["top_left", "middle"]}, "'top_left' and no 'top_right'"),
        ({"keypoints": ["RightPedicle", "middle"]}, "'RightPedicle' and no 'LeftPedicle'"),
        (
            {
                "keypoints": ["top_left", "top_right", "low_left", "low_right"],
                "swap": [["top_left", "low_right"], ["low_left", "top_right"]],
            },
            "swaps 'top_left' or 'top_right' with 'low_",
        ),
        ({"keypoints": ["a_left", "a_right", "b"], "swap": [["a_left", "b"]]}, "with 'b', against their names"),
        ({"keypoints": 3}, "'keypoints' is 3"),
    ],
)
def test_a_wrong_schema_file_is_named(tmp_path, content, fault):
    path = tmp_path / "own.json"
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match=fault):
        get_schema(path)


@pytest.mark.parametrize(
    ("names", "flipped"),
    [
        (("top_left", "top_right", "middle"), (1, 0, 2)),
        (("middle", "RightPedicle", "LeftPedicle"), (0, 2, 1)),
        (("tip-left-2", "tip-right-2"), (1, 0)),
        (("cleft", "brightness"), (0, 1)),  # no words of sides
        (("LEFT", "RIGHT"), (1, 0)),
    ],
)
def test_the_flip_map_follows_from_the_names(names, flipped):
    for schema in (KeypointSchema("own", names), schema_for_names(names)):
        assert schema.flip_indices == flipped
        points = np.arange(2.0 * len(names)).reshape(-1, 2)
        np.testing.assert_array_equal(schema.mirror(points, 10)[:, 1], points[list(flipped), 1])


def test_pairs_without_sides_in_their_names_are_the_users(tmp_path):
    schema = KeypointSchema("own", ("front", "back", "a_left", "a_right"), swap=(("front", "back"),))
    assert schema.flip_indices == (1, 0, 3, 2)


@pytest.mark.parametrize("name", ["vertebra5", "missing.json", "missing.toml"])
def test_unknown_schema(name):
    with pytest.raises(InputError):
        get_schema(name)


def test_names_alone_find_the_schema():
    assert schema_for_names(VERTEBRA6.keypoints) is VERTEBRA6
    shuffled = schema_for_names(VERTEBRA6.keypoints[::-1])
    assert shuffled.index("top_left") == 0
    assert shuffled.columns == VERTEBRA6.columns
    assert schema_for_names(["left_eye", "nose", "right_eye"]).flip_indices == (2, 1, 0)


def test_constants_of_points_follow_their_names(monkeypatch):
    own = VERTEBRA6.with_sigmas([0.01, 0.02, 0.03, 0.04, 0.05, 0.06])
    monkeypatch.setitem(spinetk.schema.SCHEMAS, "vertebra6", own)
    order = ("top_left", "bottom_middle", "top_right", "bottom_left", "top_middle", "bottom_right")
    assert schema_for_names(order).sigmas == (0.06, 0.02, 0.04, 0.01, 0.05, 0.03)


@pytest.mark.parametrize(
    ("names", "more", "said"),
    [
        ((), {}, "has no keypoints (list at least one name under 'keypoints')"),
        (("a", "a"), {}, "repeats a keypoint name (make the names unique)"),
        (("a", "b"), {"sigmas": (1.0,)}, "has 1 sigmas for 2 keypoints (give one sigma per keypoint, or none)"),
        *(
            (("a", "b"), {"sigmas": (1.0, s)}, "has a sigma that is not a positive number (sigmas are SD / sqrt(area))")
            for s in (0.0, -1.0, float("nan"), float("inf"))
        ),
        *(
            (("a", "b"), {what: pairs}, f"{what} entry ('a', 'c') is not a pair of its keypoints (use two of a, b)")
            for what, pairs in (
                ("swap", (("a", "c"),)),
                ("skeleton", (("a", "b"), ("a", "c"))),
                ("columns", {"left": ("a", "c")}),
            )
        ),
        (
            ("a", "b", "c"),
            {"swap": (("a", "b"), ("c", "a"))},
            "swaps a keypoint twice (each name may stand in one swap pair)",
        ),
        (
            ("top_left", "middle"),
            {},
            "has 'top_left' and no 'top_right' (a mirrored picture needs both; add it, or name the point otherwise)",
        ),
        (
            ("LEFT_TOP", "middle"),
            {},
            "has 'LEFT_TOP' and no 'RIGHT_TOP' (a mirrored picture needs both; add it, or name the point otherwise)",
        ),
        (
            ("a_left", "a_right", "b"),
            {"swap": (("a_left", "b"),)},
            "swaps 'a_left' or 'a_right' with 'b', against their names (pair each left with its right, or leave 'swap' "
            "out)",
        ),
    ],
)
def test_what_is_wrong_with_a_schema_word_for_word(names, more, said):
    with pytest.raises(InputError) as caught:
        KeypointSchema("own", names, **more)
    assert str(caught.value) == f"keypoint schema 'own': {said}"


def test_files_that_hold_no_schema_word_for_word(tmp_path):
    path = tmp_path / "own.json"
    said = {"vertebra5": "unknown keypoint schema (use vertebra6, vertebra4 or a .json/.toml file)"}
    said[str(path)] = "cannot be read (check the path of the schema file)"
    for name, words in said.items():
        with pytest.raises(InputError) as caught:
            get_schema(name)
        assert str(caught.value) == f"{name}: {words}"
    path.write_text("[]")
    with pytest.raises(InputError) as caught:
        get_schema(path)
    assert str(caught.value) == f"{path}: is not a table of fields (see `keypoints`, `swap`, `skeleton`, `sigmas`)"
    for ending, kind in ((".json", "JSON"), (".toml", "TOML"), (".TOML", "TOML")):
        path = tmp_path / f"own{ending}"
        path.write_text("{")
        with pytest.raises(InputError) as caught:
            get_schema(path)
        assert f"is not valid {kind}: " in str(caught.value)
        assert caught.value.remedy == "mend the schema file"
    with pytest.raises(InputError) as caught:
        get_schema("x" * 200)
    assert caught.value.source == "x" * 80


def test_all_that_a_schema_writes():
    small = KeypointSchema("small", ("top_left", "low", "top_right"), skeleton=(("top_left", "low"),), category="bone")
    assert small.sigmas == (0.035,) * 3
    assert small.edges == ((0, 1),)
    assert small.coco_category(7) == {
        "id": 7, "name": "bone", "supercategory": "spine", "keypoints": ["top_left", "low", "top_right"],
        "skeleton": [[1, 2]],
    }  # fmt: skip
    assert small.coco_category()["id"] == 1
    assert small.to_json() == {
        "name": "small", "keypoints": ["top_left", "low", "top_right"], "swap": [["top_left", "top_right"]],
        "skeleton": [["top_left", "low"]], "sigmas": [0.035] * 3, "columns": {}, "category": "bone",
    }  # fmt: skip
    assert VERTEBRA4.to_json()["columns"] == {
        "left": ["top_left", "bottom_left"], "right": ["top_right", "bottom_right"]
    }  # fmt: skip
    plain = schema_for_names(["a", "b", "c"])
    assert (plain.name, plain.skeleton) == ("custom", (("a", "b"), ("b", "c"), ("c", "a")))
    assert schema_for_names(["a", "b"]).skeleton == ()
    assert schema_for_names(VERTEBRA6.keypoints[::-1]).name == "vertebra6"


def test_points_beyond_the_second_number_are_kept_by_a_mirror():
    """x is mirrored; y, and what else a point carries, goes with its name."""
    found = KeypointSchema("own", ("a_left", "a_right")).mirror([[1, 2, 9], [30, 4, 8]], 40)
    np.testing.assert_array_equal(found, [[10, 4, 8], [39, 2, 9]])
