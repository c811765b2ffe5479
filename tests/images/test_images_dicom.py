"""DICOM files: polarity, windows, padding, codecs, what they say of their pixels, files cut short."""

from __future__ import annotations

import base64

import numpy as np
import pydicom
import pytest
from image_seeds import dicom, lut, nested, plain, seeds, to_bytes, truth
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.pixels import apply_modality_lut, apply_voi_lut
from pydicom.uid import (
    HTJ2K,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)

from spinetk.errors import InputError
from spinetk.images import read_picture, to_uint8
from spinetk.images.decode import _with_full_scan

SHOWN = truth()
TOP = 4095
# ``truth(40, 36)``, 16 bits, coded without loss by OpenJPH 0.26: pydicom's own codecs cannot write this syntax.
HTJ2K_CODE = (
    "|4;u>04YEK0000a0000e00000000000000a0000e0000000000009pH0sl|{2mk^A000XAQUDA90ssL31q1{@0smY86Cj9?kdTm&"
    "kdTm&kdTmwh=~7W02crOPjF>!N>E53R%LP^FfKASE;BCwkN^q*00001=>P%$lfVEg0QLU3{44%h`vQTq0KfnfKmZd!01|+}hyjaq"
    "04^;6Vl)6)0ta*ezyK9c00mS40XQCIV=@H>IAfFmIy<@kQUGDTl>ow25CB4y0Kfni!~g+wFaQOn238KMih%q>GR8I-EdrJT&Hw;A"
    "8aP=14ETm6;ROYn$Uf&Xri%flrKP2%{Q&~(=RoKI_yP!A0Gi-a0+T@7<OC89^8i$l<TzIVzyKFr003Rw00C|QEXzO|01=F(r67}v"
    "0E!4>B?3?*1REp+j4}4={2%&M%l?7M{J-|Fgnm#9a{&*eQUFV!N}#5&3xI=^l9ChvKPd$TLt-%u!!QiP{_qHlAp_sAgb!tZ#}Pkr"
    "ell5IQH)?0rZFa50bnM056J)u^9VQ+Kk?va@PZc@>mv|@qKN)50l)w*+5iE1ga884A|fIrpq7XdQBk?FBBG*lWkm#vL{y20h=|Dh"
    "@_z!Jo}4M*d-Xg|ey54=)Z+-oJEy0@djTY%s#K{`rAn152^JDiRjO2}Ql(0j1dC~mF~%5Uj4{R-WB&hPmaq?C03Q8-0DJZT0q@uV"
    "2eQC0Kkpd8-@Ic3eP9?L_l#g~-Z6o`yaJR8rSkt^d?&yN2N0Y<ID~!x|Je"
)


def unit(values: np.ndarray) -> np.ndarray:
    values = values.astype(np.float64)
    return (values - values.min()) / np.ptp(values)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("voi", ["none", "window", "lut"])
def test_every_polarity_and_voi_shows_the_same_picture(read, photometric, voi):
    """A picture stored either way round, with the VOI step that fits it, is seen the same."""
    stored = SHOWN if photometric == "MONOCHROME2" else TOP - SHOWN
    tags = {"PhotometricInterpretation": photometric, "BitsStored": 12, "HighBit": 11}
    if voi == "window":
        low, high = (50, 1150) if photometric == "MONOCHROME2" else (TOP - 1150, TOP - 50)
        tags |= {"WindowCenter": (low + high) / 2, "WindowWidth": high - low, "VOILUTFunction": "LINEAR_EXACT"}
    elif voi == "lut":
        tags["VOILUTSequence"] = [lut(np.arange(4096) * 16, 0)]
    picture = read(dicom(stored.astype(np.uint16), **tags))
    assert picture.inverted == (photometric == "MONOCHROME1")
    np.testing.assert_allclose(unit(picture.pixels), unit(SHOWN), atol=1e-6)
    if voi == "window":
        np.testing.assert_allclose(picture.pixels, (SHOWN - 50) / 1100 * TOP, rtol=1e-5)
    elif voi == "none":
        np.testing.assert_array_equal(picture.pixels - picture.pixels.min(), SHOWN - SHOWN.min())


@pytest.mark.parametrize("shape", ["INVERSE", None])
def test_monochrome1_with_inverse_presentation_is_inverted_once(read, shape):
    tags = {"PresentationLUTShape": shape} if shape else {}
    picture = read(dicom((TOP - SHOWN).astype(np.uint16), PhotometricInterpretation="MONOCHROME1", **tags))
    np.testing.assert_allclose(unit(picture.pixels), unit(SHOWN), atol=1e-6)


def test_inverse_presentation_alone_inverts(read):
    picture = read(dicom((TOP - SHOWN).astype(np.uint16), PresentationLUTShape="INVERSE"))
    np.testing.assert_allclose(unit(picture.pixels), unit(SHOWN), atol=1e-6)


def test_rescale_comes_before_the_window(read):
    stored = (SHOWN - 600).astype(np.int16)
    picture = read(dicom(stored, RescaleSlope=2, RescaleIntercept=-10, WindowCenter=0.5, WindowWidth=1001))
    expected = np.clip((2.0 * stored - 10 + 500) / 1000, 0, 1) * 65535  # PS3.3 C.11.2.1.2.1: from c-0.5-(w-1)/2
    np.testing.assert_allclose(picture.pixels, expected, rtol=1e-5, atol=0.01)


def test_modality_lut_is_applied(read):
    table = (np.arange(2000) ** 2 // 100).astype(int)
    picture = read(dicom(SHOWN.astype(np.uint16), ModalityLUTSequence=[lut(table, 0)]))
    np.testing.assert_array_equal(picture.pixels, table[SHOWN])


SYNTAXES = [ExplicitVRLittleEndian, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian]


@pytest.mark.parametrize("syntax", SYNTAXES, ids=["explicit", "implicit", "deflated", "big endian"])
@pytest.mark.parametrize("vr", ["US", "OW"])
@pytest.mark.parametrize("kind", ["ModalityLUTSequence", "VOILUTSequence"])
def test_tables_are_those_of_pydicom_in_every_byte_order(tmp_path, kind, vr, syntax):
    """16-bit tables, in a file that says nothing of the byte order at the table itself."""
    entries = (np.arange(1200, dtype=np.int64) * 54 + 7) % 65536
    item = lut(entries, 50)
    if vr == "OW":
        words = entries.astype(">u2" if syntax == ExplicitVRBigEndian else "<u2")
        item["LUTData"] = DataElement("LUTData", "OW", words.tobytes())
    path = tmp_path / "table.dcm"
    path.write_bytes(to_bytes(dicom(SHOWN.astype(np.uint16), syntax, **{kind: [item]})))
    stored = pydicom.dcmread(path)
    expected = apply_voi_lut(apply_modality_lut(stored.pixel_array, stored), stored)
    assert np.ptp(expected) > 30000
    np.testing.assert_array_equal(read_picture(path).pixels, expected)


@pytest.mark.parametrize(("slope", "intercept"), [(1, -30), (0.1, 0), (0.5, 7.25)])
def test_a_voi_table_after_a_rescale_is_that_of_pydicom(tmp_path, slope, intercept):
    path = tmp_path / "table.dcm"
    rescale = {"RescaleSlope": slope, "RescaleIntercept": intercept}
    path.write_bytes(to_bytes(dicom(SHOWN.astype(np.uint16), VOILUTSequence=[lut(np.arange(900) * 70, 0)], **rescale)))
    stored = pydicom.dcmread(path)
    with pytest.warns(UserWarning, match="float input"):
        expected = apply_voi_lut(apply_modality_lut(stored.pixel_array, stored), stored)
    np.testing.assert_array_equal(read_picture(path).pixels, expected)


def test_a_table_of_8_bit_entries_may_be_longer_than_256(read):
    """pydicom 3.0.2 counts such entries in 8 bits; the standard does not."""
    item = lut(np.arange(2000) // 8, 0)
    item.LUTDescriptor = [2000, 0, 8]
    picture = read(dicom(SHOWN.astype(np.uint16), VOILUTSequence=[item]))
    np.testing.assert_array_equal(picture.pixels, SHOWN // 8)


def test_sigmoid_window(read):
    picture = read(dicom(SHOWN.astype(np.uint16), WindowCenter=500, WindowWidth=400, VOILUTFunction="SIGMOID"))
    np.testing.assert_allclose(picture.pixels, 65535 / (1 + np.exp(-4 * (SHOWN - 500) / 400)), rtol=1e-5)


@pytest.mark.parametrize("window", [(500, 0), (500, -5), (1e6, 100), ("nan", 100)])
def test_windows_that_show_nothing_are_set_aside(read, window):
    ds = dicom(SHOWN.astype(np.uint16))
    ds.WindowCenter, ds.WindowWidth = window[0] if window[0] != "nan" else "500", window[1]
    data = to_bytes(ds)
    if window[0] == "nan":
        data = data.replace(b"\x28\x00\x50\x10DS\x04\x00500 ", b"\x28\x00\x50\x10DS\x04\x00nan ")
    np.testing.assert_array_equal(read(data).pixels, SHOWN)


def test_padding_is_masked_and_left_out_of_the_window(read):
    stored = (SHOWN - 600).astype(np.int16)
    stored[:, :6] = -2000
    picture = read(dicom(stored, PixelPaddingValue=-2000, Modality="CT"))
    np.testing.assert_array_equal(picture.padding, stored == -2000)
    assert not to_uint8(picture.pixels, picture.padding)[:, :6].any()
    np.testing.assert_array_equal(to_uint8(picture.pixels, picture.padding)[:, 6:], to_uint8(picture.pixels[:, 6:]))


def test_padding_does_not_set_the_scale_of_an_inversion(read):
    stored = (TOP - SHOWN).astype(np.uint16)
    stored[0] = 60000
    picture = read(dicom(stored, PhotometricInterpretation="MONOCHROME1", PixelPaddingValue=60000))
    np.testing.assert_array_equal(picture.pixels[1:], SHOWN[1:] - SHOWN[1:].min() + picture.pixels[1:].min())
    assert picture.pixels[1:].min() == stored[1:].min()


@pytest.mark.parametrize(
    "syntax",
    [
        ImplicitVRLittleEndian,
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
        RLELossless,
        JPEGLSLossless,
        JPEG2000Lossless,
    ],
)
def test_lossless_transfer_syntaxes_give_the_stored_values(read, syntax):
    picture = truth(64, 48)
    np.testing.assert_array_equal(read(dicom(picture.astype(np.uint16), syntax)).pixels, picture)


@pytest.mark.parametrize("syntax", [HTJ2KLossless, HTJ2KLosslessRPCL, HTJ2K])
def test_high_throughput_jpeg_2000(read, syntax):
    picture = truth(40, 36)
    ds = dicom(picture.astype(np.uint16))
    ds.file_meta.TransferSyntaxUID = syntax
    ds.PixelData = encapsulate([base64.b85decode(HTJ2K_CODE)])
    ds["PixelData"].VR, ds["PixelData"].is_undefined_length = "OB", True
    np.testing.assert_array_equal(read(ds).pixels, picture)


def test_lossy_jpeg(read):
    grey = (SHOWN // 5).astype(np.uint8)
    assert np.abs(read(dicom(grey, JPEGBaseline8Bit)).pixels - grey).max() < 12


def test_wrong_jpeg_scan_header_is_repaired():
    """T.81 B.2.3: a sequential scan runs from coefficient 0 to 63."""
    code = plain((SHOWN // 5).astype(np.uint8), "jpeg")
    at = code.index(b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00")
    assert _with_full_scan(code) is None
    assert _with_full_scan(code[: at + 8] + b"\0" + code[at + 9 :]) == code


@pytest.mark.parametrize(("kind", "dtype"), [("int8", np.int8), ("uint32", np.uint32), ("int32", np.int32)])
def test_other_depths(read, kind, dtype):
    values = (SHOWN // 10).astype(dtype) if kind == "int8" else (SHOWN * 1000).astype(dtype)
    np.testing.assert_array_equal(read(dicom(values)).pixels, values.astype(np.float32))


def test_one_bit_pixels(read):
    bits = (SHOWN > 500).astype(np.uint8)
    ds = dicom(bits, BitsAllocated=1, BitsStored=1, HighBit=0)
    ds.PixelData = np.packbits(bits.ravel(), bitorder="little").tobytes()
    np.testing.assert_array_equal(read(ds).pixels, bits)


def test_overlay_bits_are_ignored(read):
    stored = SHOWN.astype(np.uint16) | 0x8000
    np.testing.assert_array_equal(read(dicom(stored, BitsStored=12, HighBit=11)).pixels, SHOWN)


@pytest.mark.parametrize("high", [11, 15])
def test_a_sign_that_the_bits_above_do_not_repeat(read, high):
    """They are not used, so they may be 0: -5 of 12 bits as 0x0FFB, whatever HighBit says."""
    values = SHOWN.astype(np.int16) - 500
    picture = read(dicom(values & 0x0FFF, BitsStored=12, HighBit=high))
    np.testing.assert_array_equal(picture.pixels, values)
    assert not any("bits" in remark for remark in picture.remarks)


@pytest.mark.parametrize("kind", [np.uint16, np.int16])
@pytest.mark.parametrize(("stored", "high"), [(12, 15), (12, 13), (12, 11), (10, 15), (16, 15)])
def test_values_stand_where_high_bit_says(read, kind, stored, high):
    """As old computed radiography stores them: to the left of the 16 bits."""
    values = (SHOWN - (500 if kind == np.int16 else 0)).clip(-(1 << stored - 1), (1 << stored) - 1).astype(kind)
    if kind == np.int16:
        values = values.clip(-(1 << stored - 1), (1 << stored - 1) - 1)
    shift = high + 1 - stored
    picture = read(dicom(values << shift, BitsStored=stored, HighBit=high))
    np.testing.assert_array_equal(picture.pixels, values)
    assert any("upper bits" in remark for remark in picture.remarks) == (shift > 0)


def test_a_high_bit_that_no_value_reaches_is_not_believed(read):
    picture = read(dicom(SHOWN.astype(np.uint16), BitsStored=12, HighBit=15))
    np.testing.assert_array_equal(picture.pixels, SHOWN)
    assert not any("bits" in remark for remark in picture.remarks)


@pytest.mark.parametrize("overlay", [False, True])
def test_bits_above_those_that_are_stored_are_an_overlay_or_said(read, overlay):
    ds = dicom(SHOWN.astype(np.uint16) | 0x8000, BitsStored=12, HighBit=11)
    if overlay:
        ds.add_new(0x60000102, "US", 15)
    assert any("more than the 12 bits" in remark for remark in read(ds).remarks) != overlay


@pytest.mark.parametrize(
    ("kind", "padding", "level"),
    [(np.uint16, 63536, 0), (np.int16, -2000 - (1 << 14), -700), (np.int16, -32768, 0)],
)
def test_padding_that_the_stored_bits_do_not_hold_is_padding(read, kind, padding, level):
    """-2000 of all 16 bits, as scanners write it around a picture of 12: no value, and no overlay."""
    values = (SHOWN + level).astype(kind)
    stored = values.copy()
    stored[:3] = padding
    ds = dicom(stored, BitsStored=12, HighBit=11)
    ds.add_new("PixelPaddingValue", "US" if kind == np.uint16 else "SS", padding)
    picture = read(ds)
    assert picture.padding is not None
    assert picture.padding[:3].all()
    assert not picture.padding[3:].any()
    np.testing.assert_array_equal(picture.pixels[3:], values[3:])
    assert not any("bits" in remark for remark in picture.remarks)


def test_colour_and_palette_become_luminance(read):
    grey = (SHOWN // 5).astype(np.uint8)
    colour = np.dstack([grey, 255 - grey, grey // 2])
    np.testing.assert_allclose(read(dicom(colour)).pixels, colour @ [0.299, 0.587, 0.114], rtol=1e-5)
    palette = dicom(grey % 4, PhotometricInterpretation="PALETTE COLOR")
    entries = {"Red": [0, 1000, 2000, 3000], "Green": [0, 500, 100, 900], "Blue": [7, 8, 9, 10]}
    for name, values in entries.items():
        setattr(palette, f"{name}PaletteColorLookupTableDescriptor", [4, 0, 16])
        setattr(palette, f"{name}PaletteColorLookupTableData", np.array(values, "<u2").tobytes())
    expected = np.array(list(entries.values())).T[grey % 4] @ [0.299, 0.587, 0.114]
    np.testing.assert_allclose(read(palette).pixels, expected, rtol=1e-5)


def test_one_sample_is_grey_whatever_the_file_calls_it(read):
    ds = dicom(SHOWN.astype(np.uint16), PhotometricInterpretation="YBR_FULL_422")
    np.testing.assert_array_equal(read(ds).pixels, SHOWN)


def test_file_without_preamble_or_meta_header(read):
    picture = read(to_bytes(dicom(SHOWN.astype(np.uint16)), preamble=False))
    np.testing.assert_array_equal(picture.pixels, SHOWN)
    ds = dicom(SHOWN.astype(np.uint16), ImplicitVRLittleEndian)
    whole = to_bytes(ds)
    picture = read(whole[whole.index(b"\x08\x00\x16\x00") :])
    np.testing.assert_array_equal(picture.pixels, SHOWN)
    assert {"DICOM preamble is missing", "transfer syntax is missing and was guessed"} <= set(picture.remarks)


def test_deep_but_sane_nesting_is_read(read):
    np.testing.assert_array_equal(read(nested(20)).pixels, SHOWN)


def test_a_linear_window_of_one_is_a_threshold():
    """PS3.3 C.11.2.1.2.1 allows it; a picture of two values is not what was drawn, and another width is impossible."""
    from spinetk.images.display import _voi

    window = Dataset()
    window.WindowCenter, window.WindowWidth = 100, 1
    remarks: list[str] = []
    values = np.array([[0.0, 99.0, 100.0, 500.0]])
    assert _voi(values, window, 0, None, remarks)[1] is None
    assert remarks.pop() == "the window clips nearly every pixel and was set aside"
    window.WindowWidth = 0.5
    assert _voi(values, window, 0, None, remarks)[1] is None
    assert remarks == ["impossible window was ignored"]


@pytest.mark.parametrize(
    ("photometric", "sign", "dark"), [("MONOCHROME2", 1, True), ("MONOCHROME1", 1, False), ("MONOCHROME2", -1, False)]
)
def test_a_film_for_processing_is_remarked(read, photometric, sign, dark):
    tags = {"PresentationIntentType": "FOR PROCESSING", "PixelIntensityRelationshipSign": sign}
    remarks = read(dicom(SHOWN.astype(np.uint16), PhotometricInterpretation=photometric, **tags)).remarks
    found = [remark for remark in remarks if "FOR PROCESSING" in remark]
    assert len(found) == 1
    assert ("bones are dark" in found[0]) == dark
    assert not any("PROCESSING" in r for r in read(dicom(PresentationIntentType="FOR PRESENTATION")).remarks)


def test_burned_in_annotation_is_kept_with_the_picture(read):
    assert read(dicom(BurnedInAnnotation="YES")).burned_in
    assert not read(dicom(BurnedInAnnotation="NO")).burned_in


@pytest.mark.parametrize("name", [name for name in seeds() if name.endswith(".dcm")])
def test_every_cut_of_a_file_gives_a_picture_or_one_line(read, name):
    whole = seeds()[name]
    lines = []
    for size in range(0, len(whole), max(len(whole) // 25, 1)):
        try:
            read(whole[:size])
        except InputError as error:
            lines.append(str(error))
    assert len(lines) > 15
    assert not any("\n" in line for line in lines)
