"""Traits: what tells images of one place apart, from classic and enhanced headers, and which of them come first."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from pydicom.dataset import Dataset

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
