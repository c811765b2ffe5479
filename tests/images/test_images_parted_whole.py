"""What parts the images of a folder into stacks: every trait, word for word."""

from __future__ import annotations

import pytest
from image_seeds import head
from test_images_stacks_whole import SAGITTAL, plane

from spinetk.images.traits import Slice, _unusual, describe_stacks, read_traits, split


def entry(place=(0, 0, 0), finer=None, axes=SAGITTAL, size=(8, 5), scaled=True, **traits):
    named = {name.replace("_", " "): value for name, value in traits.items()}
    own = {name: str(value) for name, value in (finer or {}).items()}
    return Slice(plane(place, axes, size=size, scaled=scaled), None, named, own)


def parts(slices):
    """Numbers of the slices of each stack."""
    return [[next(k for k, one in enumerate(slices) if one is member) for member in stack] for stack in split(slices)]


def test_what_is_usual_comes_first():
    """Most first; then slices before projections, originals, magnitude, native, low values by the order of the list."""
    names = ("image type", "echo", "echo time", "time point", "b-value", "tube voltage", "series number")
    usual = {"image type": "ORIGINAL PRIMARY M", "contrast agent": "no"} | dict.fromkeys(names[1:], "5")

    def made(**changed):
        return Slice(plane((0, 0, 0)), None, usual | {k.replace("_", " "): v for k, v in changed.items()}, {})

    ordered = [
        made(station="2"),
        made(station="1", series_number="4"),
        made(series_number="4", echo="9", echo_time="9 ms"),
        made(echo="4", echo_time="9 ms", b_value="9"),
        made(echo_time="4.5 ms"),
        made(),
        made(tube_voltage="50 kV"),
        made(repetition="2"),
        made(contrast_agent="yes", station="9"),
        made(image_type="ORIGINAL PRIMARY PHASE"),
        made(image_type="DERIVED PRIMARY M", contrast_agent="no"),
        made(image_type="ORIGINAL PRIMARY MIP"),
        made(image_type="DERIVED PRIMARY VOLUME_RENDER"),
    ]
    ordered[6].traits["repetition"] = "1"
    ordered[5].traits["repetition"] = "-1"
    ordered[7].traits["tube voltage"] = "50 kV"
    mixed = [ordered[5 * k % 13] for k in range(13)]
    assert [id(one) for one in sorted(mixed, key=_unusual)] == [id(one) for one in ordered]
    # What is at the third place or later of an image type is a part of a complex image, not what is before.
    assert _unusual(entry(image_type="P R M"))[2] is False
    assert _unusual(entry(image_type="ORIGINAL PRIMARY M I"))[2] is True


def test_traits_part_images_wherever_they_lie():
    slices = [entry((k, 0, 0), echo=str(1 + k % 2)) for k in range(5)]
    assert parts(slices) == [[0, 2, 4], [1, 3]]
    slices = [entry((k, 0, 0), echo=str(2 - k % 2)) for k in range(4)]
    assert parts(slices) == [[1, 3], [0, 2]]  # equally many: the lower echo first


def test_finer_traits_part_images_of_one_place_only():
    apart = [entry((k, 0, 0), {"flip angle": k % 2, "instance": k}) for k in range(4)]
    assert parts(apart) == [[0, 1, 2, 3]]
    one_place = [entry((k // 2, 0, 0), {"flip angle": k % 2, "instance": k}) for k in range(4)]
    assert parts(one_place) == [[0, 2], [1, 3]]
    # Where parting leaves as many at one place it is of no use.
    useless = [entry((k // 2, 0, 0), {"trigger time": k // 2}) for k in range(4)]
    assert parts(useless) == [[0, 1, 2, 3]]
    nearly = [entry((0.004 * (k % 2) + k // 2, 0, 0), {"flip angle": k % 2}) for k in range(4)]
    assert parts(nearly) == [[0, 2], [1, 3]]  # places are told apart to 0.01 mm
    beside = [entry((0.02 * (k % 2) + k // 2, 0, 0), {"flip angle": k % 2}) for k in range(4)]
    assert parts(beside) == [[0, 1, 2, 3]]


def test_images_alike_are_parted_by_their_numbers():
    slices = [entry((k % 3, 0, 0), {"instance": f"{9 - k:02}"}) for k in range(6)]
    assert parts(slices) == [[5, 4, 3], [2, 1, 0]]
    assert [one.traits for one in slices] == [{"repetition": "2"}] * 3 + [{"repetition": "1"}] * 3
    for alike in (
        [entry((k % 3, 0, 0), {"instance": f"{k:02}"}) for k in range(5)],  # not equally many at each place
        [entry((k % 3, 0, 0), {"instance": f"{k % 3:02}"}) for k in range(6)],  # copies
        [entry((0, 0, 0), {"instance": f"{k:02}"}) for k in range(6)],  # one place
        [entry((k, 0, 0), {"instance": f"{k:02}"}) for k in range(6)],
    ):
        assert parts(alike) == [list(range(len(alike)))]
        assert not any(one.traits for one in alike)


def test_stations_lie_a_quarter_of_the_picture_apart():
    """8 rows and 5 columns of 1 mm: 1.25 mm; the lowest comes first."""

    def at(*places, **options):
        return [entry(place, **options) for place in places]

    two = at((0, 0, 0), (4, 0, 0), (0, 0, 1.26), (4, 0, 1.26))
    assert parts(two) == [[0, 1], [2, 3]]
    assert [one.traits["station"] for one in two] == ["2", "2", "1", "1"]
    low = at((0, 0, 0), (4, 0, 0), (0, 0, -50), (4, 0, -50))
    assert parts(low) == [[2, 3], [0, 1]]
    assert [one.traits["station"] for one in low] == ["1", "1", "2", "2"]
    assert parts(at((0, 0, 0), (4, 0, 0), (0, 0, 1.24), (4, 0, 1.24))) == [[0, 1, 2, 3]]
    aside = at((0, 0, 0), (4, 0, 0), (0, 1.3, 0), (4, 1.3, 0))
    assert len(parts(aside)) == 2
    # A gantry that leans moves on from slice to slice; what is at other depths is no other station.
    assert parts(at((0, 0, 0), (4, 0, 1), (8, 0, 2), (12, 0, 3))) == [[0, 1, 2, 3]]
    assert parts(at((0, 0, 0), (4, 0, 0), (8, 0, 50), (12, 0, 50))) == [[0, 1, 2, 3]]
    assert len(parts(at((0, 0, 0), (4, 0, 0), (4, 0, 50), (12, 0, 50)))) == 2
    assert len(parts(at((0, 0, 0), (4, 0, 0), (0, 0, 50), (4, 0, 50), (0, 0, 99), (4, 0, 99)))) == 3
    for options in ({"scaled": False}, {"size": (0, 5)}):
        assert parts(at((0, 0, 0), (4, 0, 0), (0, 0, 50), (4, 0, 50), **options)) == [[0, 1, 2, 3]]


def test_stacks_in_words():
    axial, coronal = ([1.0, 0, 0], [0, 1.0, 0]), ([1.0, 0, 0], [0, 0, -1.0])
    assert describe_stacks(
        [
            [entry(echo="1", kernel="A", finer={"flip angle": 5, "instance": k}) for k in range(2)],
            [entry(axes=axial, echo="2", kernel="A", finer={"flip angle": k}) for k in (5, 6)],
            [entry(axes=coronal, size=(3, 4), kernel="A", finer={"gradient": "0 0 1"})],
        ]
    ) == [
        "2 sagittal slices of 5 x 8 px, flip angle 5, echo 1",
        "2 axial slices of 5 x 8 px, echo 2",
        "1 coronal slice of 4 x 3 px, gradient 0 0 1",
    ]
    assert describe_stacks([[entry(echo="1")]]) == ["1 sagittal slice of 5 x 8 px"]


@pytest.mark.filterwarnings("ignore:.*VR ")
def test_traits_that_are_plain_words_only():
    assert read_traits(head(ImageType=["ORIGINAL", "", "J\xf6rg"]), 0)[0] == {
        "image type": "ORIGINAL", "contrast agent": "no",
    }  # fmt: skip
    assert "image type" not in read_traits(head(ImageType=[""]), 0)[0]
    assert "kernel" not in read_traits(head(ConvolutionKernel="J\xf6rg"), 0)[0]
    assert read_traits(head(ConvolutionKernel="b30_f.1 -"), 0)[0]["kernel"] == "B30_F.1 -"
    frame = head(FrameType=["ORIGINAL", "PRIMARY"], VolumeBasedCalculationTechnique="MAX_IP")
    frame.ComplexImageComponent = "MIXED"
    for macro in ("MRImageFrameTypeSequence", "CTImageFrameTypeSequence", "PETFrameTypeSequence"):
        shared = head(**{macro: [frame]})
        ds = head(SharedFunctionalGroupsSequence=[shared], ImageType=["DERIVED"])
        assert read_traits(ds, 0)[0]["image type"] == "ORIGINAL PRIMARY MIXED MAX_IP"
        frame.VolumeBasedCalculationTechnique = "NONE"
        assert read_traits(ds, 0)[0]["image type"] == "ORIGINAL PRIMARY MIXED"
        del frame.FrameType
        frame.VolumeBasedCalculationTechnique = "DERIVED"
        assert read_traits(ds, 0)[0]["image type"] == "DERIVED MIXED"
        frame.FrameType, frame.VolumeBasedCalculationTechnique = ["ORIGINAL", "PRIMARY"], "MAX_IP"
    content = head(DimensionIndexValues=[7, 8, 9, 10])
    ds = head(
        PerFrameFunctionalGroupsSequence=[head(FrameContentSequence=[content])],
        DimensionIndexSequence=[head(DimensionIndexPointer=p) for p in (0x00209056, 0x00189082, 0x00189074)],
        InstanceNumber=17,
    )
    assert read_traits(ds, 0)[1] == {"dimension 2": "8", "instance": "000000000"}
