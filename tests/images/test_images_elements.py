"""Elements of a header: numbers, words, items, functional groups; what is no value."""

from __future__ import annotations

import numpy as np
import pytest
from image_seeds import head
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from spinetk.images import elements
from spinetk.images.elements import functional_group, integer, is_stated, items, number, numbers, raw, word, words

pytestmark = pytest.mark.filterwarnings("ignore:.*VR ")


def text(vr="LO", **tags) -> Dataset:
    """Elements of this kind, whatever the standard says of them."""
    ds = Dataset()
    for name, value in tags.items():
        ds.add_new(name, vr, value)
    return ds


def test_numbers_of_an_element():
    assert numbers(head(PixelSpacing=[0.5, 2]), "PixelSpacing") == (0.5, 2)
    assert numbers(head(Rows=5), "Rows") == (5,)
    assert numbers(head(), "Rows") == ()
    assert numbers(text(PatientID=""), "PatientID") == ()
    assert numbers(text(PatientID="7"), "PatientID") == (7,)
    assert numbers(text(PatientID="seven"), "PatientID") == ()
    assert numbers(text(PatientID=["1", "x"]), "PatientID") == ()
    assert numbers(text("FD", PatientID=[1.0, np.nan]), "PatientID") == ()
    assert numbers(text("FD", PatientID=np.inf), "PatientID") == ()
    assert number(head(PixelSpacing=[0.5, 2]), "PixelSpacing") == 0.5
    assert number(head(), "PixelSpacing") is None
    assert integer(head(Rows=5), "Rows") == 5
    assert integer(head(SliceThickness=2), "SliceThickness") == 2
    assert integer(head(SliceThickness=2.5), "SliceThickness") is None
    assert integer(head(), "Rows") is None


def test_words_of_an_element():
    assert words(head(ImageType=["original", " Primary "]), "ImageType") == ("ORIGINAL", "PRIMARY")
    assert words(head(Modality="mr"), "Modality") == ("MR",)
    assert words(head(), "Modality") == ()
    assert words(text(PatientID="a" * 64), "PatientID") == ("A" * 64,)
    assert words(text(PatientID="a" * 65), "PatientID") == ("",)
    assert words(text(PatientID=["a\nb", "c"]), "PatientID") == ("", "C")
    assert word(head(ImageType=["a", "b"]), "ImageType") == "A"
    assert word(head(), "ImageType") == ""


def test_whether_an_element_has_a_value():
    assert is_stated(head(Modality="MR"), "Modality")
    assert is_stated(head(Rows=0), "Rows")
    for nothing in (head(), head(Modality=""), head(Modality=None), text(PatientID=" "), text("OB", PatientID=b" \0 ")):
        assert not is_stated(nothing, "Modality")
        assert not is_stated(nothing, "PatientID")
    assert is_stated(text("OB", PatientID=b"\xff"), "PatientID")


def test_items_of_a_sequence(monkeypatch):
    item = head(CodeValue="1")
    assert list(items(head(ViewCodeSequence=[item]), "ViewCodeSequence")) == [item]
    assert list(items(head(), "ViewCodeSequence")) == []
    assert list(items(text(PatientID="abc"), "PatientID")) == []
    assert list(items(head(Rows=5), "Rows")) == []
    assert raw(head(Rows=5), "Rows") == 5
    assert raw(head(), "Rows") is None
    monkeypatch.setattr(elements, "MAX_ITEMS", 1)
    monkeypatch.setattr(elements, "ITEMS_DEEP", 2)
    tag = Tag("ViewCodeSequence")
    for little, mark in ((True, b"\xfe\xff\x00\xe0"), (False, b"\xff\xfe\xe0\x00")):
        for count in (2, 3):
            ds = Dataset()
            value = (mark + bytes(4)) * count
            ds[tag] = RawDataElement(tag, "SQ", len(value), value, 0, False, little)
            assert elements._is_modest(ds, "ViewCodeSequence") == (count == 2)
            if count == 3:
                assert raw(ds, "ViewCodeSequence") is None
    assert not elements._is_modest(head(), "ViewCodeSequence")
    assert elements._is_modest(head(ViewCodeSequence=[item] * 9), "ViewCodeSequence")


def test_functional_groups_of_a_frame_come_before_those_that_are_shared():
    own, common = head(FlipAngle=1), head(FlipAngle=2)
    ds = head(
        PerFrameFunctionalGroupsSequence=[head(), head(PixelMeasuresSequence=[own])],
        SharedFunctionalGroupsSequence=[head(PixelMeasuresSequence=[common]), head(PlanePositionSequence=[own])],
    )
    assert functional_group(ds, 1, "PixelMeasuresSequence") == own
    assert functional_group(ds, 0, "PixelMeasuresSequence") == common
    assert functional_group(ds, 5, "PixelMeasuresSequence") == common
    assert functional_group(ds, 0, "PlanePositionSequence") is None
    assert functional_group(head(), 0, "PlanePositionSequence") is None
    empty = head(PerFrameFunctionalGroupsSequence=[head(PixelMeasuresSequence=[])])
    assert functional_group(empty, 0, "PixelMeasuresSequence") is None
