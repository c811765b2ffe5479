"""Headers of NRRD files (teem.sourceforge.net/nrrd/format.html): every field, byte for byte."""

from __future__ import annotations

import gzip

import nrrd as pynrrd
import numpy as np
import pytest
from test_images_volume_headers import COPY, facts, line, rows

from spinetk.errors import InputError
from spinetk.images import nrrd
from spinetk.images.grid import Grid
from spinetk.images.volume import read_volume

PLAIN = {
    "kind": "nrrd", "shape": (2, 3, 4), "affine": rows(-1, -1, 1), "oriented": False, "dtype": "|u1", "volumes": 1,
    "flat": False, "known": False, "remarks": (),
}  # fmt: skip
STRAIGHT = "space directions: (0.5,0,0) (0,0.25,0) (0,0,2)"
VALUES = bytes(range(24))


def nrrd_file(folder, *fields, values=VALUES, sizes="4 3 2", kind="uint8", encoding="raw", end="\n"):
    dimension = len(sizes.split())
    head = ["NRRD0004", f"type: {kind}", f"dimension: {dimension}", f"sizes: {sizes}", f"encoding: {encoding}"]
    path = folder / "a.nrrd"
    path.write_bytes(end.join([*head, *fields, "", ""]).encode() + values)
    return path


@pytest.mark.parametrize(
    ("fields", "changed"),
    [
        ([], {}),
        (["spacings: 0.5 0.25 2"], {"affine": rows(-0.5, -0.25, 2), "known": True}),
        (["spacings: 0.5 nan 2"], {}),
        (["spacings: 0.5 0 2"], {}),
        (["space: left-posterior-superior", STRAIGHT], {"affine": rows(-0.5, -0.25, 2), "known": True,
                                                        "oriented": True}),
        (["space: LPS", STRAIGHT, "space origin: (1,2,3)"],
         {"affine": rows(-0.5, -0.25, 2, at=(-1, -2, 3)), "known": True, "oriented": True}),
        (["space: right-anterior-superior", STRAIGHT, "space origin: (1,2,3)"],
         {"affine": rows(0.5, 0.25, 2, at=(1, 2, 3)), "known": True, "oriented": True}),
        (["space: RAS", STRAIGHT], {"affine": rows(0.5, 0.25, 2), "known": True, "oriented": True}),
        (["space: left-anterior-superior", STRAIGHT, "space origin: (1,2,3)"],
         {"affine": rows(-0.5, 0.25, 2, at=(-1, 2, 3)), "known": True, "oriented": True}),
        (["space: LAS", STRAIGHT], {"affine": rows(-0.5, 0.25, 2), "known": True, "oriented": True}),
        # Directions of a space that is nobody's: guessed as ITK does.
        (["space: scanner-xyz", STRAIGHT, "space origin: (1,2,3)"],
         {"affine": rows(-0.5, -0.25, 2, at=(-1, -2, 3)), "known": True}),
        (["space: RAS", STRAIGHT, "space origin: (1,nan,3)"],
         {"affine": rows(0.5, 0.25, 2), "known": True, "oriented": True}),
        (["space: RAS", STRAIGHT, "space origin: (1,2,3)", 'space units: "cm" "mm" "mm"'],
         {"affine": rows(5, 2.5, 20, at=(10, 20, 30)), "known": True, "oriented": True,
          "remarks": ("the header gives lengths in cm: they were changed to mm",)}),
        (["space: RAS", STRAIGHT, 'space units: "M" "M" "M"'],
         {"affine": rows(500, 250, 2000), "known": True, "oriented": True,
          "remarks": ("the header gives lengths in M: they were changed to mm",)}),
        (["space: RAS", STRAIGHT, 'space units: "mm" "cm" "cm"'],
         {"affine": rows(0.5, 0.25, 2), "known": True, "oriented": True}),
        (["space: RAS", "space directions: (1,0,0) (2,0,0) (0,0,2)"],
         {"remarks": ("the space directions are no matrix of a volume and were ignored",)}),
        # Rows of the directions are where the axes of the file point.
        (["space: RAS", "space directions: (0,0,2) (0.5,0,0) (0,0.25,0)"],
         {"affine": [[0, 0.5, 0, 0], [0, 0, 0.25, 0], [2, 0, 0, 0], [0, 0, 0, 1]], "known": True, "oriented": True}),
    ],
)  # fmt: skip
def test_where_the_voxels_of_an_nrrd_lie(tmp_path, fields, changed):
    path = nrrd_file(tmp_path, *fields)
    header = nrrd.read_header(path)
    assert facts(header) == PLAIN | changed
    values = nrrd.read_values(path, header)
    np.testing.assert_array_equal(values, np.arange(24).reshape(2, 3, 4))


@pytest.mark.parametrize(
    ("sizes", "fields", "changed"),
    [
        ("6 4", [], {"shape": (1, 4, 6), "flat": True}),
        ("6 4", ["spacings: 0.5 0.25"], {"shape": (1, 4, 6), "flat": True, "known": True,
                                          "affine": rows(-0.5, -0.25, 1)}),
        ("6 4", ["space: RAS", "space directions: (0.3,0.4,0) (0,0,1.5)", "space units: \"cm\" \"cm\" \"cm\""],
         {"shape": (1, 4, 6), "flat": True, "known": True, "affine": rows(-5, -15, 1),
          "remarks": ("the header gives lengths in cm: they were changed to mm",)}),
        ("4 3 1 2", [], {}),
        ("4 3 2 1", [], {}),
        ("1 4 3 2", ["spacings: 9 0.5 0.25 2"], {"known": True, "affine": rows(-0.5, -0.25, 2)}),
        ("1 4 3 2", ["space: RAS", "space directions: none (0.5,0,0) (0,0.25,0) (0,0,2)"],
         {"known": True, "oriented": True, "affine": rows(0.5, 0.25, 2)}),
        ("1 1 24", [], {"shape": (24, 1, 1)}),
        ("1 1 1 24", [], None),
        ("24", [], None),
        ("2 2 2 3", [], None),
    ],
)  # fmt: skip
def test_axes_of_an_nrrd_that_are_none_of_space(tmp_path, sizes, fields, changed):
    path = nrrd_file(tmp_path, *fields, sizes=sizes)
    if changed is None:
        said = f"a.nrrd: has {len(sizes.split())} dimensions (give a volume of 2 or 3)"
        assert line(nrrd.read_header, path) == said
        return
    header = nrrd.read_header(path)
    assert facts(header) == PLAIN | changed
    assert nrrd.read_values(path, header).ravel().tolist() == list(range(24))


TYPES = {
    "|i1": ("signed char", "int8", "int8_t"),
    "|u1": ("uchar", "unsigned char", "uint8", "uint8_t"),
    "<i2": ("short", "short int", "signed short", "signed short int", "int16", "int16_t"),
    "<u2": ("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"),
    "<i4": ("int", "signed int", "int32", "int32_t"),
    "<u4": ("uint", "unsigned int", "uint32", "uint32_t"),
    "<i8": ("longlong", "long long", "long long int", "signed long long", "signed long long int", "int64", "int64_t"),
    "<u8": ("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"),
    "<f4": ("float",),
    "<f8": ("double",),
}


@pytest.mark.parametrize("code", TYPES)
def test_types_of_an_nrrd_by_all_their_names(tmp_path, code):
    values = np.arange(24).reshape(2, 3, 4)
    for name in TYPES[code]:
        for endian, sign in ((["endian: big"], ">"), (["endian: little"], "<"), ([], "<")):
            kind = np.dtype(code).newbyteorder(sign)
            path = nrrd_file(tmp_path, *endian, kind=name, values=values.astype(kind).tobytes())
            header = nrrd.read_header(path)
            assert header.dtype == kind
            np.testing.assert_array_equal(nrrd.read_values(path, header), values)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("fields", "encoding", "values", "skip"),
    [
        ([], "raw", VALUES, 0),
        (["byte skip: 5"], "raw", bytes(5) + VALUES, 5),
        (["byteskip: 5"], "raw", bytes(5) + VALUES, 5),
        (["byte skip: -1"], "raw", bytes(7) + VALUES, 7),  # the voxels are the last bytes of the file
        (["line skip: 0"], "raw", VALUES, 0),
        ([], "gzip", gzip.compress(VALUES), 0),
        ([], "gz", gzip.compress(VALUES), 0),
        (["byte skip: 5"], "gz", gzip.compress(bytes(5) + VALUES), 0),
        (["byte skip: -1"], "gzip", gzip.compress(VALUES), 0),
    ],
)
def test_where_the_bytes_of_an_nrrd_begin(tmp_path, fields, encoding, values, skip, end):
    path = nrrd_file(tmp_path, *fields, encoding=encoding, values=values, end=end)
    header = nrrd.read_header(path)
    assert header.stored["start"] == path.stat().st_size - len(values) + skip
    assert header.stored["skip"] == (5 if encoding != "raw" and "byte skip: 5" in fields else 0)
    assert nrrd.read_values(path, header).ravel().tolist() == list(range(24))


@pytest.mark.parametrize(
    ("fields", "options", "said"),
    [
        (["data file: b.raw"], {}, "keeps its voxels in another file (store header and data in one .nrrd)"),
        (["datafile: b.raw"], {}, "keeps its voxels in another file (store header and data in one .nrrd)"),
        (["line skip: 1"], {}, "skips lines before its voxels (store it again without them)"),
        (["lineskip: 2"], {}, "skips lines before its voxels (store it again without them)"),
        (["byte skip: 1"], {}, f"claims more voxels than it holds {COPY}"),
        (["byte skip: -1"], {"values": b""}, f"claims more voxels than it holds {COPY}"),
        ([], {"kind": "block"}, f"has a damaged NRRD header {COPY}"),
        ([], {"encoding": "bzip2"}, "uses a rare NRRD encoding (store it raw or gzip)"),
        ([], {"encoding": "hex"}, "uses a rare NRRD encoding (store it raw or gzip)"),
        ([], {"sizes": "4 3"}, None),
        (["dimension: x"], {}, f"has a damaged NRRD header {COPY}"),
        ([], {"sizes": "0 3 2"}, f"claims a size of 0 x 3 x 2 {COPY}"),
        (["spacings: 1 1 1", "space: RAS", "space directions: none (1,0,0) (0,1,0) (0,0,1)"],
         {"sizes": "2 4 3 1"}, "has several values a voxel (give one grey volume)"),
        ([], {"sizes": "20000 20000 2"}, "claims 20000 x 20000 pixels, more than 100 million (crop or resample it "
         "first)"),
        ([], {"sizes": "9000 9001 2"}, f"claims more voxels than it holds {COPY}"),
    ],
)  # fmt: skip
def test_an_nrrd_that_is_refused(tmp_path, fields, options, said):
    path = nrrd_file(tmp_path, *fields, **options)
    if said is None:
        nrrd.read_header(path)
    else:
        assert line(nrrd.read_header, path) == f"a.nrrd: {said}"


def test_an_nrrd_without_a_field(tmp_path):
    whole = nrrd_file(tmp_path).read_bytes()
    for name, said in (("type", "has a damaged NRRD header"), ("sizes", "has a damaged NRRD header"),
                       ("encoding", "uses a rare NRRD encoding")):  # fmt: skip
        lines = [part for part in whole.split(b"\n\n", 1)[0].split(b"\n") if not part.startswith(name.encode())]
        path = tmp_path / "b.nrrd"
        path.write_bytes(b"\n".join(lines) + b"\n\n" + VALUES)
        assert line(nrrd.read_header, path).startswith(f"b.nrrd: {said} (")


def test_an_nrrd_as_it_is_written(tmp_path):
    """By pynrrd: the axes of the array are those of the file the other way round."""
    values = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    grid = Grid((2, 3, 4), np.array(rows(0.5, 0.25, 2, at=(1, 2, 3))))
    nrrd.write(tmp_path / "a.nrrd", values, grid)
    stored, header = pynrrd.read(str(tmp_path / "a.nrrd"))
    np.testing.assert_array_equal(stored, values.T)
    assert (header["encoding"], header["space"], header["kinds"]) == ("gzip", "left-posterior-superior", ["domain"] * 3)
    assert header["space directions"].tolist() == [[-0.5, 0, 0], [0, -0.25, 0], [0, 0, 2]]
    assert header["space origin"].tolist() == [-1, -2, 3]
    nrrd.write(tmp_path / "b.nrrd", values, Grid((2, 3, 4), grid.affine, oriented=False))
    _, header = pynrrd.read(str(tmp_path / "b.nrrd"))
    assert header["spacings"].tolist() == [0.5, 0.25, 2]
    assert "space" not in header
    fields = ["space: RAS", STRAIGHT, "space origin: (4,5,6)", 'space units: "cm" "cm" "cm"', "content: PLANTED"]
    like = nrrd.read_header(nrrd_file(tmp_path, *fields))
    nrrd.write(tmp_path / "c.nrrd", values, grid, like.stored)
    _, header = pynrrd.read(str(tmp_path / "c.nrrd"))
    assert header["space directions"].tolist() == [[0.5, 0, 0], [0, 0.25, 0], [0, 0, 2]]
    assert (header["space origin"].tolist(), header["space"]) == ([4, 5, 6], "RAS")
    assert [unit.strip('"') for unit in header["space units"]] == ["cm"] * 3
    assert "content" not in header
    flat = nrrd.read_header(nrrd_file(tmp_path, "spacings: 0.5 0.5", sizes="6 4"))
    nrrd.write(tmp_path / "d.nrrd", values, grid, flat.stored)  # it has no place for a third axis
    assert pynrrd.read_header(str(tmp_path / "d.nrrd"))["space"] == "left-posterior-superior"


def test_what_is_said_of_a_flat_volume(tmp_path):
    path = nrrd_file(tmp_path, sizes="6 4")
    assert line(read_volume, path) == "a.nrrd: is a picture, not one grey volume (give a volume with slices)"
    assert read_volume(path, flat=True).remarks == (
        "directions are unknown (no space of a patient is given): voxel axes were taken to run to the left, back and "
        "head",
        "voxel spacing is unknown: it was taken to be 1 x 1 x 1 mm",
    )


def test_a_detached_header_of_itk_which_ends_with_its_file_is_named_as_what_it_is(tmp_path):
    sitk = pytest.importorskip("SimpleITK")
    sitk.WriteImage(sitk.Image(4, 3, 2, sitk.sitkUInt8), str(tmp_path / "a.nhdr"))
    with pytest.raises(InputError, match="keeps its voxels in another file"):
        read_volume(tmp_path / "a.nhdr")
