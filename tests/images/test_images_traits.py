"""Traits: what tells images of one place apart, from classic and enhanced headers, and which of them come first."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from image_seeds import dicom, to_bytes
from pydicom.dataset import Dataset

from spinetk.images.headers import open_header
from spinetk.images.reformat import Plane
from spinetk.images.traits import Slice, _unusual, describe_stacks, read_traits


def entry(kind: str = "", **traits: str) -> Slice:
    plane = SimpleNamespace(normal=(1.0, 0.0, 0.0), size=(20, 30))
    return Slice(plane, traits={"image type": kind, "contrast agent": "no"} | traits)


@pytest.mark.parametrize("part", ["P", "PHASE", "R", "REAL", "I", "IMAGINARY"])
def test_magnitude_comes_before_all_other_parts_of_a_complex_image(part):
    """PS3.3 C.8.13.1: the third value of an MR image's type, and what vendors write there."""
    magnitude, other = entry("ORIGINAL PRIMARY M SE"), entry(f"ORIGINAL PRIMARY {part} SE")
    assert sorted([other, magnitude], key=_unusual) == [magnitude, other]


def test_originals_native_and_low_values_come_first():
    plain = entry("ORIGINAL PRIMARY M", **{"echo time": "12 ms"})
    later = entry("ORIGINAL PRIMARY M", **{"echo time": "102 ms"})
    enhanced = entry("ORIGINAL PRIMARY M", **{"contrast agent": "yes"})
    derived = entry("DERIVED PRIMARY M")
    assert sorted([derived, enhanced, later, plain], key=_unusual) == [plain, later, enhanced, derived]


def functional(**macros: Dataset) -> Dataset:
    """An enhanced image of one frame with these functional groups."""
    shared = Dataset()
    for keyword, content in macros.items():
        setattr(shared, keyword, [content])
    image = Dataset()
    image.SharedFunctionalGroupsSequence, image.PerFrameFunctionalGroupsSequence = [shared], [Dataset()]
    return image


def test_an_enhanced_frame_has_its_numbers_in_functional_groups():
    echo, timing = Dataset(), Dataset()
    echo.EffectiveEchoTime, timing.FlipAngle = 84.5, 150.0
    traits, finer = read_traits(functional(MREchoSequence=echo, MRTimingAndRelatedParametersSequence=timing), 0)
    assert traits["echo time"] == "84.5 ms"
    assert finer["flip angle"] == "150 degrees"


@pytest.mark.parametrize(("word", "said"), [("YES", "yes"), ("NO", "no")])
def test_contrast_agent_is_what_the_frame_was_made_with(word, said):
    """A study with an agent has frames from before it was given."""
    usage = Dataset()
    usage.ContrastBolusAgentAdministered = word
    image = functional(ContrastBolusUsageSequence=usage)
    image.ContrastBolusAgent = "gadolinium"
    assert read_traits(image, 0)[0]["contrast agent"] == said


def test_a_classic_image_with_an_agent_is_enhanced():
    image = Dataset()
    assert read_traits(image, 0)[0]["contrast agent"] == "no"
    image.ContrastBolusAgent = "gadolinium"
    assert read_traits(image, 0)[0]["contrast agent"] == "yes"


def test_stacks_are_described_by_what_they_differ_in():
    early, late = ([entry("M", **{"echo time": f"{time} ms"})] * count for time, count in ((12, 2), (102, 1)))
    assert describe_stacks([early, late]) == [
        "2 sagittal slices of 30 x 20 px, echo time 12 ms",
        "1 sagittal slice of 30 x 20 px, echo time 102 ms",
    ]


# --- every trait ---


def saved(folder, ds):
    path = folder / "a.dcm"
    path.write_bytes(to_bytes(ds))
    return path


def group(**fields):
    found = Dataset()
    for name, value in fields.items():
        setattr(found, name, value)
    return found


def test_traits_of_a_classic_image(tmp_path):
    tags = {
        "SeriesNumber": 4, "EchoNumbers": 2, "EchoTime": 102.25, "TemporalPositionIdentifier": 3, "KVP": 120,
        "DiffusionBValue": 800.0, "ImageType": ["ORIGINAL", "PRIMARY", "M"], "ConvolutionKernel": "B30f",
        "ContrastBolusAgent": "planted agent", "InversionTime": 150, "FlipAngle": 90, "TriggerTime": 12,
        "AcquisitionNumber": 6, "DiffusionGradientOrientation": [0.5, -0.25, 1.0], "InstanceNumber": 17,
    }  # fmt: skip
    header = open_header(saved(tmp_path, dicom(**tags)))
    with header.stream:
        assert read_traits(header.dataset, 5) == (
            {
                "series number": "4", "echo": "2", "echo time": "102.2 ms", "time point": "3",
                "b-value": "800 s/mm2", "tube voltage": "120 kV", "image type": "ORIGINAL PRIMARY M",
                "kernel": "B30F", "contrast agent": "yes",
            },
            {
                "inversion time": "150 ms", "flip angle": "90 degrees", "trigger time": "12 ms", "acquisition": "6",
                "gradient": "0.50 -0.25 1.00", "instance": "000000017",
            },
        )  # fmt: skip
    header = open_header(saved(tmp_path, dicom()))
    with header.stream:
        assert read_traits(header.dataset, 5) == ({"contrast agent": "no"}, {"instance": "000000005"})


def test_traits_of_a_frame_of_an_enhanced_one(tmp_path):
    """Each macro of PS3.3 C.8.13 and C.8.15 before the attribute of the classic object."""
    ds = dicom(SeriesNumber=4, EchoTime=9, FlipAngle=9, InstanceNumber=17, ContrastBolusAgent="x", AcquisitionNumber=9)
    content = group(TemporalPositionIndex=3, FrameAcquisitionNumber=6, DimensionIndexValues=[1, 2, 3])
    diffusion = group(DiffusionBValue=800.0, DiffusionGradientOrientation=[0.0, 0.0, 1.0])
    ds.PerFrameFunctionalGroupsSequence = [
        Dataset(),
        group(
            MREchoSequence=[group(EffectiveEchoTime=102.25)],
            FrameContentSequence=[content],
            MRDiffusionSequence=[diffusion],
            CTXRayDetailsSequence=[group(KVP=120)],
            MRImageFrameTypeSequence=[group(FrameType=["ORIGINAL", "PRIMARY"], ComplexImageComponent="PHASE")],
            MRModifierSequence=[group(InversionTimes=150.0)],
            MRTimingAndRelatedParametersSequence=[group(FlipAngle=90)],
            CardiacSynchronizationSequence=[group(NominalCardiacTriggerDelayTime=12.0)],
            ContrastBolusUsageSequence=[group(ContrastBolusAgentAdministered="NO")],
        ),
    ]
    pointers = (0x00209057, 0x00189241, 0x00200032)
    ds.DimensionIndexSequence = [group(DimensionIndexPointer=pointer) for pointer in pointers]
    header = open_header(saved(tmp_path, ds))
    with header.stream:
        assert read_traits(header.dataset, 1) == (
            {
                "series number": "4", "echo time": "102.2 ms", "time point": "3", "b-value": "800 s/mm2",
                "tube voltage": "120 kV", "image type": "ORIGINAL PRIMARY PHASE", "contrast agent": "no",
            },
            {
                "inversion time": "150 ms", "flip angle": "90 degrees", "trigger time": "12 ms", "acquisition": "6",
                "gradient": "0.00 0.00 1.00", "dimension 2": "2", "instance": "000000001",
            },
        )  # fmt: skip


def test_stacks_are_told_by_what_parts_them():
    def stack(down, size, *traits):
        plane = Plane(0, np.array([1.0, 0, 0]), np.array(down), np.zeros(3), size=size)
        return [Slice(plane, None, dict(own), {"flip angle": "90 degrees", "instance": "1"}) for own in traits]

    lines = describe_stacks(
        [
            stack([0, 1.0, 0], (3, 4), {"echo": "1", "kernel": "A"}, {"echo": "1", "kernel": "B"}),
            stack([0, 0, -1.0], (5, 4), {"echo": "2", "kernel": "A"}),
        ]
    )
    assert lines == ["2 axial slices of 4 x 3 px, echo 1", "1 coronal slice of 4 x 5 px, echo 2"]
