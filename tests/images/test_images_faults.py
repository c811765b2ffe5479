"""A file that is no picture is refused with the fault and what to do, in words that can be searched for."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from image_seeds import dicom, to_bytes, truth

from spinetk.errors import InputError
from spinetk.images import read_picture
from spinetk.images.guard import check_size, regular_file
from spinetk.images.volume import read_volume, read_volume_header


def said(call, *arguments, **options) -> str:
    """The line that a user reads, without the folder."""
    with pytest.raises(InputError) as error:
        call(*arguments, **options)
    return str(error.value).rsplit("/", 1)[-1]


def film():
    return dicom(truth())


def test_a_volume_of_colours(tmp_path):
    path = tmp_path / "colour.nii"
    values = np.zeros((2, 3, 4), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    nib.Nifti1Image(values, np.eye(4)).to_filename(path)
    assert said(read_volume, path) == "colour.nii: has several values a voxel (give one grey volume)"


def test_another_kind_of_file_where_a_volume_is_wanted(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("no volume")
    wanted = "notes.txt: is not a volume (give NIfTI, NRRD or MetaImage, for example from dcm2niix)"
    assert said(read_volume_header, path) == wanted


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    path = tmp_path / "film.dcm"
    path.write_bytes(b"")
    monkeypatch.setattr("spinetk.images.guard.os.access", lambda *_: False)
    assert said(regular_file, path) == "film.dcm: may not be read (change its permissions)"


def test_a_header_nested_without_end(tmp_path, monkeypatch):
    def endless(*_, **__):
        raise RecursionError

    path = tmp_path / "film.dcm"
    path.write_bytes(to_bytes(film()))
    monkeypatch.setattr("spinetk.images.headers.read_partial", endless)
    assert said(read_picture, path).startswith("film.dcm: is nested too deeply to be a picture (")


def test_a_dicom_file_without_pixels(tmp_path):
    content = film()
    del content.PixelData
    path = tmp_path / "report.dcm"
    path.write_bytes(to_bytes(content))
    assert said(read_picture, path) == ("report.dcm: holds no pixels (give an image, not a report, plan or directory)")


@pytest.mark.parametrize("spacing", [(1.0,), (1.0, 2.0, 3.0), ("wide", 1.0), 3.0])
def test_a_spacing_of_anything_but_two_numbers(tmp_path, spacing):
    path = tmp_path / "film.dcm"
    path.write_bytes(to_bytes(film()))
    wanted = "pixel spacing: is not two numbers (give row and column spacing in mm)"
    assert said(read_picture, path, spacing_mm=spacing) == wanted


def test_the_first_mark_of_a_jpeg_names_its_coding():
    """Behind it the compressed values hold any bytes, those of other marks too."""
    from io import BytesIO
    from types import SimpleNamespace

    from pydicom.uid import JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLosslessSV1, RLELossless

    from spinetk.images.decode import sniff_syntax

    for first, syntax in ((b"\xc0", JPEGBaseline8Bit), (b"\xc1", JPEGExtended12Bit), (b"\xc3", JPEGLosslessSV1)):
        for later in (b"\xc0", b"\xc1", b"\xc3"):
            code = b"\xff\xd8\xff\xe0" + bytes(8) + b"\xff" + first + bytes(20) + b"\xff" + later + b"\xff" + first
            stream = BytesIO(b"skip" + code)
            stream.seek(4)
            assert sniff_syntax(SimpleNamespace(stream=stream)) == syntax
            assert stream.tell() == 4
    assert sniff_syntax(SimpleNamespace(stream=BytesIO(bytes(64)))) == RLELossless


def test_a_large_picture_may_be_packed_as_densely_as_the_limit_and_no_denser(tmp_path):
    """20,000 x 1,000 px of 2 bytes in 20,000 bytes are 2,000 to 1."""
    check_size(tmp_path / "a.png", 20_000, 1_000, 2, 20_000)
    assert "from 19999 bytes" in said(check_size, tmp_path / "a.png", 20_000, 1_000, 2, 19_999)
    check_size(tmp_path / "a.png", 16_000, 1_000, 2, 1)
