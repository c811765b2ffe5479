"""MetaImage files: headers worked out by hand, and files as ITK writes and reads them."""

from __future__ import annotations

import zlib

import nibabel as nib
import numpy as np
import pytest
from test_images_volume_headers import COPY, facts, line, rows
from volume_files import CODES, affine_of

from spinetk.batch.task import content, signature
from spinetk.errors import InputError
from spinetk.images import find_pictures, metaimage, read_picture
from spinetk.images.find import find_inputs
from spinetk.images.info import describe
from spinetk.images.kind import sniff
from spinetk.images.volume import Volume, read_volume, read_volume_header

PLAIN = {
    "kind": "metaimage", "shape": (2, 3, 4), "affine": rows(-1, -1, 1), "oriented": False, "dtype": "|u1", "volumes": 1,
    "flat": False, "known": False, "remarks": (),
}  # fmt: skip
VALUES = bytes(range(24))
STRAIGHT = {"TransformMatrix": "1 0 0 0 1 0 0 0 1", "ElementSpacing": "0.5 0.25 2"}
ONE = "(write the volume again, as one .mha)"


def meta_file(folder, values=VALUES, name="a.mha", end="\n", data="LOCAL", without=(), **fields):
    head = {"ObjectType": "Image", "NDims": "3", "BinaryData": "True", "DimSize": "4 3 2", "ElementType": "MET_UCHAR"}
    head |= {**fields, "ElementDataFile": data}
    text = "".join(f"{key} = {value}{end}" for key, value in head.items() if key not in without)
    (folder / name).write_bytes(text.encode() + (values if data == "LOCAL" else b""))
    if data != "LOCAL":
        (folder / data).write_bytes(values)
    return folder / name


@pytest.mark.parametrize(
    ("fields", "changed"),
    [
        ({}, {}),
        ({"ElementSpacing": "0.5 0.25 2"}, {"affine": rows(-0.5, -0.25, 2), "known": True}),
        ({"ElementSize": "0.5 0.25 2"}, {"affine": rows(-0.5, -0.25, 2), "known": True}),
        ({"ElementSpacing": "0.5 0 2"}, {}),
        ({"ElementSpacing": "0.5 nan 2"}, {}),
        ({"ElementSpacing": "0.5 2"}, {}),
        (STRAIGHT, {"affine": rows(-0.5, -0.25, 2), "known": True, "oriented": True}),
        ({**STRAIGHT, "Offset": "1 2 3"}, {"affine": rows(-0.5, -0.25, 2, at=(-1, -2, 3)), "known": True,
                                           "oriented": True}),
        # The first axis to the head, the second to the left, the third to the back.
        ({"Orientation": "0 0 1 1 0 0 0 1 0", "Position": "1 2 3", "ElementSpacing": "0.5 0.25 2"},
         {"affine": [[0, -0.25, 0, -1], [0, 0, -2, -2], [0.5, 0, 0, 3], [0, 0, 0, 1]], "known": True,
          "oriented": True}),
        # A step to the other side is a direction to the other side.
        ({"TransformMatrix": "1 0 0 0 1 0 0 0 1", "ElementSpacing": "-0.5 0.25 2"},
         {"affine": rows(0.5, -0.25, 2), "known": True, "oriented": True}),
        ({**STRAIGHT, "Offset": "1 2 3", "DistanceUnits": "cm"},
         {"affine": rows(-5, -2.5, 20, at=(-10, -20, 30)), "known": True, "oriented": True,
          "remarks": ("the header gives lengths in cm: they were changed to mm",)}),
        ({**STRAIGHT, "DistanceUnits": "?"}, {"affine": rows(-0.5, -0.25, 2), "known": True, "oriented": True}),
        ({**STRAIGHT, "DistanceUnits": "ells"},
         {"affine": rows(-0.5, -0.25, 2), "known": True, "oriented": True,
          "remarks": ("the header gives lengths in ells, which is unknown: they were taken for mm",)}),
        ({"TransformMatrix": "2 0 0 0 1 0 0 0 1", "ElementSpacing": "0.5 0.25 2"},
         {"affine": rows(-1, -0.25, 2), "known": True, "oriented": True,
          "remarks": ("TransformMatrix holds steps beside those of ElementSpacing: voxels lie as far apart as both "
                      "say",)}),
        ({"TransformMatrix": "1 0 0 1 0 0 0 0 1"},
         {"remarks": ("TransformMatrix is no matrix of a volume and was ignored",)}),
        ({**STRAIGHT, "AnatomicalOrientation": "RAI"},
         {"affine": rows(-0.5, -0.25, 2), "known": True, "oriented": True}),
        ({**STRAIGHT, "AnatomicalOrientation": "LPI"},
         {"affine": rows(-0.5, -0.25, 2), "known": True, "oriented": True,
          "remarks": ("AnatomicalOrientation says other directions than TransformMatrix, which was believed",)}),
        ({**STRAIGHT, "AnatomicalOrientation": "???"},
         {"affine": rows(-0.5, -0.25, 2), "known": True, "oriented": True,
          "remarks": ("AnatomicalOrientation is unknown: the directions of TransformMatrix were believed",)}),
        ({**STRAIGHT, "ElementToIntensityFunctionSlope": "2"},
         {"affine": rows(-0.5, -0.25, 2), "known": True, "oriented": True,
          "remarks": ("ElementToIntensityFunctionSlope of the header was not applied",)}),
    ],
)  # fmt: skip
def test_where_the_voxels_of_a_metaimage_lie(tmp_path, fields, changed):
    path = meta_file(tmp_path, **fields)
    header = metaimage.read_header(path)
    assert facts(header) == PLAIN | changed
    np.testing.assert_array_equal(metaimage.read_values(path, header), np.arange(24).reshape(2, 3, 4))


@pytest.mark.parametrize("code", CODES[::5])
def test_itk_and_we_put_every_voxel_of_its_files_at_one_place(tmp_path, code):
    """Raw, deflated, in two files; values and places of SimpleITK."""
    sitk = pytest.importorskip("SimpleITK")
    order = [next(world for world, pair in enumerate(("RL", "AP", "SI")) if letter in pair) for letter in code]
    affine = affine_of(order, [1 if letter in "RAS" else -1 for letter in code], turn=0.2)
    values = np.arange(210, dtype=np.int16).reshape(7, 6, 5)
    image = sitk.GetImageFromArray(values)
    steps = np.linalg.norm(affine[:3, :3], axis=0)
    image.SetSpacing(steps.tolist())
    image.SetDirection((np.diag([-1, -1, 1]) @ (affine[:3, :3] / steps)).ravel().tolist())
    image.SetOrigin((np.diag([-1, -1, 1]) @ affine[:3, 3]).tolist())
    for name, packed in (("a.mha", False), ("b.mha", True), ("c.mhd", False), ("d.mhd", True)):
        sitk.WriteImage(image, str(tmp_path / name), useCompression=packed)
        volume = read_volume(tmp_path / name)
        assert volume.remarks == ()
        np.testing.assert_array_equal(volume.values, values)
        np.testing.assert_allclose(volume.affine, affine, atol=1e-9)
    # And back: what we write lies for ITK where it lay, with the header of another file and without one.
    for like in (volume, Volume(values, volume.grid)):
        like.write(values[::-1] * 2, tmp_path / "out.mha")
        back = sitk.ReadImage(str(tmp_path / "out.mha"))
        np.testing.assert_array_equal(sitk.GetArrayFromImage(back), values[::-1] * 2)
        for index in ((0, 0, 0), (4, 0, 0), (0, 5, 0), (4, 5, 6)):
            there = np.array(back.TransformIndexToPhysicalPoint(index)) * (-1, -1, 1)
            np.testing.assert_allclose(there, affine[:3, :3] @ index + affine[:3, 3], atol=1e-6)


@pytest.mark.parametrize("kind", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "float32", "float64"])
@pytest.mark.parametrize("order", ["False", "True"])
def test_every_type_in_both_byte_orders(tmp_path, kind, order):
    values = np.arange(100, 124).astype(kind).reshape(2, 3, 4)
    met = {"int": "SHORT INT", "uint": "USHORT UINT", "float": "FLOAT DOUBLE"}[kind.rstrip("0123456789")].split()
    name = {"int8": "CHAR", "uint8": "UCHAR"}.get(kind) or met[
        -1 if kind[-2:] in ("64", "32") and kind != "float32" else 0
    ]
    stored = values.astype(values.dtype.newbyteorder(">" if order == "True" else "<")).tobytes()
    path = meta_file(tmp_path, stored, ElementType=f"MET_{name}", BinaryDataByteOrderMSB=order, **STRAIGHT)
    found = read_volume(path).values
    assert found.dtype == values.dtype
    np.testing.assert_array_equal(found, values)


def test_the_sagittal_slice_is_that_of_the_same_volume_as_nifti(tmp_path):
    """An axial series of 4 mm: a reformation with square pixels, its back on the right, its feet at the bottom."""
    sitk = pytest.importorskip("SimpleITK")
    values = np.random.default_rng(0).integers(0, 900, (9, 20, 16)).astype(np.int16)
    image = sitk.GetImageFromArray(values)
    image.SetSpacing((1.0, 1.5, 4.0))
    sitk.WriteImage(image, str(tmp_path / "a.mha"))
    nib.save(nib.Nifti1Image(values.T, np.diag([-1.0, -1.5, 4.0, 1.0])), tmp_path / "a.nii")
    ours, other = (read_picture(tmp_path / name) for name in ("a.mha", "a.nii"))
    np.testing.assert_array_equal(ours.pixels, other.pixels)
    assert (ours.view, ours.slice, ours.slices) == ("sagittal", other.slice, 16)
    assert ours.frame.spacing_mm == other.frame.spacing_mm == pytest.approx((1.5, 1.5), rel=0.01)
    assert (ours.kind, ours.frame.spacing_source) == ("metaimage", "MetaImage")
    assert (ours.frame.toward_right, ours.frame.toward_bottom) == ("P", "F")
    said = describe(tmp_path / "a.mha")
    assert (said["kind"], said["size"], said["frames"]) == ("metaimage", list(ours.pixels.shape), 16)


def test_a_picture_of_two_dimensions(tmp_path):
    path = meta_file(tmp_path, NDims="2", DimSize="6 4", ElementSpacing="0.5 0.25", TransformMatrix="1 0 0 1")
    header = metaimage.read_header(path)
    assert (header.flat, header.grid.shape, header.grid.spacing_mm) == (True, (1, 4, 6), (1.0, 0.25, 0.5))
    picture = read_picture(path)
    assert (picture.pixels.shape, picture.frame.spacing_mm, picture.view) == ((4, 6), (0.25, 0.5), "unknown")


def test_without_a_matrix_it_is_said_that_directions_are_guessed(tmp_path):
    path = meta_file(tmp_path, ElementSpacing="0.5 0.25 2")
    assert read_volume(path).remarks == (
        "directions are unknown (no TransformMatrix is given): voxel axes were taken to run to the left, back and head",
    )
    assert "the header gives no directions: the picture is shown as stored" in read_picture(path).remarks


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        *(
            ({"without": [key]}, f"has a MetaImage header without {key} {ONE}")
            for key in ("NDims", "DimSize", "ElementType", "ElementDataFile")
        ),
        ({"BinaryData": "False"}, "holds its voxels as text (store it binary)"),
        ({"ElementNumberOfChannels": "3"}, "has several values a voxel (give one grey volume)"),
        ({"ElementType": "MET_OTHER"}, "has voxels of type 'MET_OTHER' (store them as numbers)"),
        ({"NDims": "4", "DimSize": "4 3 2 1"}, "has 4 dimensions (give a volume of 2 or 3)"),
        ({"NDims": "many"}, f"has a damaged MetaImage header {COPY}"),
        ({"DimSize": "4 3"}, f"has 2 sizes for 3 dimensions {ONE}"),
        ({"DimSize": "4 3 x"}, f"has a damaged MetaImage header {COPY}"),
        ({"DimSize": "4 3 -2"}, f"claims a size of 4 x 3 x -2 {COPY}"),
        ({"DimSize": "4 3 3"}, f"claims more voxels than it holds {COPY}"),
        ({"DimSize": "4000 3000 2000"}, None),
        ({"HeaderSize": "3"}, f"has a damaged MetaImage header {COPY}"),
        ({"CompressedData": "True"}, f"is damaged: it cannot be unpacked whole {COPY}"),
        ({"CompressedData": "True", "HeaderSize": "-1"}, f"has a damaged MetaImage header {COPY}"),
    ],
)
def test_what_is_refused_says_why(tmp_path, fields, said):
    found = line(read_volume, meta_file(tmp_path, **fields))
    assert found == f"a.mha: {said}" if said else "claims" in found


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("LIST", f"keeps its voxels in several files {ONE}"),
        ("a%03d.raw 1 9 1", f"keeps its voxels in several files {ONE}"),
        (
            "../a.raw",
            "keeps its voxels in another folder (put both files into one, or write the volume again, as one .mha)",
        ),
        (
            "/etc/hostname",
            "keeps its voxels in another folder (put both files into one, or write the volume again, as one .mha)",
        ),
        (
            "..\\a.raw",
            "keeps its voxels in another folder (put both files into one, or write the volume again, as one .mha)",
        ),
        (
            "b.raw",
            f"keeps its voxels in 'b.raw', which is not beside it (put it there, or {ONE[1:]}",
        ),
    ],
)
def test_voxels_that_are_not_beside_the_header(tmp_path, name, said):
    path = meta_file(tmp_path, name="a.mhd", data="x.raw")
    (tmp_path.parent / "a.raw").write_bytes(VALUES)
    path.write_bytes(path.read_bytes().replace(b"x.raw", name.encode()))
    assert line(read_volume, path) == f"a.mhd: {said}"


def test_a_link_beside_the_header_leads_nowhere_else(tmp_path):
    path = meta_file(tmp_path, name="a.mhd", data="x.raw")
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (tmp_path / "x.raw").rename(folder / "y.raw")
    (tmp_path / "x.raw").symlink_to(folder / "y.raw")
    assert "keeps its voxels in 'x.raw', which is not beside it" in line(read_volume, path)


def test_the_place_of_the_voxels_in_their_file(tmp_path):
    """HeaderSize: so many bytes of the file before them, or -1: they are its end."""
    for size, values in (("5", b"other" + VALUES), ("-1", b"whatever" + VALUES)):
        path = meta_file(tmp_path, values, name="a.mhd", data="a.raw", HeaderSize=size)
        assert read_volume(path).values.tobytes() == VALUES


def test_deflated_voxels_are_checked_to_their_end(tmp_path):
    packed = zlib.compress(VALUES)
    path = meta_file(tmp_path, packed + b"behind it", CompressedData="True")
    assert read_volume(path).values.tobytes() == VALUES
    for damaged in (packed[:-1], packed[:-1] + bytes([packed[-1] ^ 1]), zlib.compress(VALUES[:-1])):
        with pytest.raises(InputError, match=r"cannot be unpacked whole|claims more voxels"):
            read_volume(meta_file(tmp_path, damaged, CompressedData="True"))


def test_what_was_written_keeps_no_text_about_the_patient(tmp_path):
    volume = read_volume(meta_file(tmp_path, Comment="Jane Doe", Name="Jane Doe", DistanceUnits="cm", **STRAIGHT))
    volume.write(volume.values > 3, tmp_path / "mask.mha")
    assert b"Doe" not in (tmp_path / "mask.mha").read_bytes()
    header = read_volume_header(tmp_path / "mask.mha")
    assert header.grid.same(volume.grid)
    assert header.stored["distanceunits"] == "cm"
    with pytest.raises(InputError, match=r"is not the name of a volume \(end it with .nii.gz, .nii, .nrrd, .mha\)"):
        volume.write(volume.values, tmp_path / "mask.mhd")


def test_files_are_found_and_told_by_header_and_voxels(tmp_path):
    path = meta_file(tmp_path, name="a.mhd", data="a.raw", **STRAIGHT)
    assert list(find_pictures([tmp_path])) == [path]
    assert list(find_inputs([tmp_path])) == [path]
    before = content(path), signature(path)
    (tmp_path / "a.raw").write_bytes(VALUES[::-1] + b"!")
    assert content(path) != before[0]
    assert signature(path) != before[1]


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"ObjectType = Image\n", "metaimage"),
        (b"NDims=3\n", "metaimage"),
        (b"Comment = x\r\nObjectType = Image\r\n", "metaimage"),
        (b"ObjectTypes = Image\n", "dicom"),
        (b"NDims\n", "dicom"),
    ],
)
def test_a_header_is_known_by_its_first_line(tmp_path, head, kind):
    (tmp_path / "a").write_bytes(head)
    assert sniff(tmp_path / "a") == kind


def test_lines_of_windows(tmp_path):
    assert read_volume(meta_file(tmp_path, end="\r\n", **STRAIGHT)).values.tobytes() == VALUES
