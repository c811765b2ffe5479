"""How large a DICOM pixel is, and how far that can be trusted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from spinetk.errors import InputError
from spinetk.geometry import SQUARE, Frame
from spinetk.images.elements import functional_group, is_stated, number, numbers, raw, word
from spinetk.reading import Reading

if TYPE_CHECKING:
    from pydicom import Dataset

PROJECTION = frozenset({"CR", "DX", "XA", "RF", "RG", "MG", "PX", "IO", "DR"})
SLICES = frozenset({"MR", "CT", "PT", "NM"})
"""Modalities whose pictures are slices, localizers of CT apart."""

CAPTURES = frozenset(f"1.2.840.10008.5.1.4.1.1.7{kind}" for kind in ("", ".1", ".2", ".3", ".4"))
"""Secondary captures: of a film as often as of a slice."""

Spacing = tuple[float, float]
STATED = ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing", "PixelAspectRatio")
"""Attributes that say the size or the shape of pixels."""
SAME = 0.001
"""Share by which spacings of one picture may differ: files round them."""
MAGNIFICATIONS = 0.1
"""Share by which a stated magnification may differ from that between two spacings: it holds for one plane of a body."""
SHAPES = 0.01
"""Share by which the shapes of pixels may differ: a ratio of integers is rounded."""


ABOUT_SCALE = (
    "PixelSpacing does not say", "PixelSpacing is larger", "PixelSpacing is said to be",
    "PixelSpacing is ImagerPixelSpacing", "detector-plane spacing was", "spacing is that of", "a magnification of",
    "the magnification stated", "the spacing given",
    "pixels are not square", *(f"{name} says that pixels are" for name in STATED),
)  # fmt: skip
"""Begin the remarks on the scale of a file: they hold no longer where a user gives another."""


def read_spacing(dataset: Dataset, frame: int, remarks: list[str]) -> tuple[Spacing | None, str | None]:
    """(row, column) distance between pixel centres in mm, and its source.

    Sources: ``PixelSpacing`` (in the patient), ``PixelSpacing FIDUCIAL`` and ``PixelSpacing GEOMETRY`` (calibrated
    projections), ``ImagerPixelSpacing corrected`` (detector plane divided by the magnification the file states),
    ``ImagerPixelSpacing`` (detector plane, magnified), ``NominalScannedPixelSpacing`` (digitised film). A value that
    is not plausible is left out, with a remark. After PS3.3 10.7 and C.8.
    """
    modality = word(dataset, "Modality")
    projection = modality in PROJECTION
    measures = functional_group(dataset, frame, "PixelMeasuresSequence")
    if measures is not None:
        spacing = _plausible(measures, "PixelSpacing", remarks)
        if spacing:
            return spacing, "PixelSpacing"
    spacing = _plausible(dataset, "PixelSpacing", remarks)
    imager = _plausible(dataset, "ImagerPixelSpacing", remarks)
    calibration = word(dataset, "PixelSpacingCalibrationType")
    if spacing and imager and projection and spacing[0] > imager[0] * (1 + SAME):
        remarks.append(
            "PixelSpacing is larger than ImagerPixelSpacing, as no magnification makes it: one of them is wrong"
        )
    if spacing and calibration in ("FIDUCIAL", "GEOMETRY"):
        if imager and projection and _same(spacing, imager):
            said = f"PixelSpacing is said to be calibrated ({calibration}), but is that of the detector plane"
            remarks.append(f"{said}: lengths in mm may be magnified")
        return spacing, f"PixelSpacing {calibration}"
    if spacing and not (projection and imager and _same(spacing, imager)):
        if projection or (modality not in SLICES and word(dataset, "SOPClassUID") in CAPTURES):
            remarks.append("PixelSpacing does not say how it was calibrated: it may be that of the detector plane")
        if projection and imager and spacing[0] <= imager[0]:
            remarks += _other_magnification(imager[0] / spacing[0], dataset)
        return spacing, "PixelSpacing"
    if imager:
        magnification = _magnification(dataset, remarks)
        if magnification:
            remarks.append(f"detector-plane spacing was divided by a magnification of {magnification:.3f}")
            return (imager[0] / magnification, imager[1] / magnification), "ImagerPixelSpacing corrected"
        remarks.append("spacing is that of the detector plane: lengths in mm are magnified")
        return imager, "ImagerPixelSpacing"
    scanned = _plausible(dataset, "NominalScannedPixelSpacing", remarks)
    if scanned:
        remarks.append("spacing is that of the scanned film: lengths in mm may be magnified")
        return scanned, "NominalScannedPixelSpacing"
    return None, None


def with_spacing(reading: Reading, spacing_mm: Spacing) -> Reading:
    """A reading at the (row, column) scale in mm that a user gives, without what was remarked on that of its file."""
    frame = replace(reading.frame, spacing_mm=spacing_mm, spacing_source="user")
    remarks = [remark for remark in reading.remarks if not remark.startswith(ABOUT_SCALE)]
    return replace(reading, frame=frame, remarks=[*remarks, *oblong(frame)])


def oblong(frame: Frame) -> list[str]:
    """A remark on pixels that are not square."""
    across, down = frame.square
    if max(across, down) <= 1 + SQUARE:
        return []
    size = f"height to width {down / across:.4g} : 1"
    if frame.spacing_mm is not None:
        size = "{:.4g} mm high, {:.4g} mm wide".format(*frame.spacing_mm)
    return [f"pixels are not square: {size}"]


def contradiction(user: Frame, own: Frame) -> list[str]:
    """A remark where the user's spacing, which is believed, is another one than the file's."""
    given, found = user.spacing_mm, own.spacing_mm
    if given is None or found is None or _same(given, found):
        return []
    (row, column), source = found, own.spacing_source
    return [f"the spacing given, {given[0]:.4g} x {given[1]:.4g} mm, was believed; the file says {row:.4g} x "
            f"{column:.4g} mm ({source})"]  # fmt: skip


def other_shapes(dataset: Dataset, spacing: Spacing) -> list[str]:
    """A remark for each attribute that gives pixels another shape than the spacing that is believed.

    PixelAspectRatio is for pictures without a spacing (PS3.3 C.7.6.3.1.7): beside one, it has no say.
    """
    found = []
    for keyword in STATED:
        values = numbers(dataset, keyword)
        if len(values) < 2 or min(values[:2]) <= 0:
            continue
        stated, believed = values[0] / values[1], spacing[0] / spacing[1]
        if abs(stated / believed - 1) > SHAPES:
            found.append(f"{keyword} says that pixels are {stated:.3g} times as high as wide, the spacing that was "
                         f"believed {believed:.3g} times")  # fmt: skip
    return found


def read_aspect(dataset: Dataset, remarks: list[str]) -> float | None:
    """Height of a pixel divided by its width (PixelAspectRatio, of pictures without spacing), or None when square."""
    if raw(dataset, "PixelAspectRatio") in (None, ""):
        return None
    aspect = numbers(dataset, "PixelAspectRatio")
    try:
        ratio = Frame(pixel_aspect=aspect[0] / aspect[1]).pixel_aspect
    except (InputError, IndexError, ArithmeticError):
        remarks.append("PixelAspectRatio is not plausible and was ignored")
        return None
    return ratio if ratio != 1 else None


def _plausible(dataset: Dataset, keyword: str, remarks: list[str]) -> Spacing | None:
    values = numbers(dataset, keyword)
    if not values:
        if is_stated(dataset, keyword):
            remarks.append(f"{keyword} is not made of numbers and was ignored")
        return None
    try:
        return Frame(spacing_mm=(values[0], values[1])).spacing_mm
    except (InputError, IndexError):
        remarks.append(f"{keyword} is not plausible and was ignored")
        return None


def _same(one: Spacing, other: Spacing) -> bool:
    return max(abs(a / b - 1) for a, b in zip(one, other, strict=True)) <= SAME


def _other_magnification(implied: float, dataset: Dataset) -> list[str]:
    """A remark where PixelSpacing rests on another magnification than its file states."""
    stated = _magnification(dataset, [])
    if stated is None or abs(implied / stated - 1) <= MAGNIFICATIONS:
        return []
    return [f"PixelSpacing is ImagerPixelSpacing divided by {implied:.4g}, but the file states a magnification of "
            f"{stated:.4g}: one of them is wrong"]  # fmt: skip


def _magnification(dataset: Dataset, remarks: list[str]) -> float | None:
    """Magnification from 1 to 5 that the file states, else that of its distances; doubts about it become remarks."""
    stated = number(dataset, "EstimatedRadiographicMagnificationFactor")
    detector, patient = number(dataset, "DistanceSourceToDetector"), number(dataset, "DistanceSourceToPatient")
    distances = detector / patient if detector and patient else None
    plausible = [own for own in (stated, distances) if own is not None and 1 <= own < 5]
    remarks += [
        f"a magnification of {own:.4g} is not plausible and was ignored"
        for own in (stated, distances)
        if own is not None and own not in plausible
    ]
    if not plausible:
        return None
    believed = plausible[0]
    if abs(plausible[-1] - believed) > 0.02 * believed:
        remarks.append(f"the magnification stated, {believed:.4g}, was believed; its distances say {plausible[-1]:.4g}")
    if believed == 1:
        remarks.append("a magnification of 1 is that of a body on the detector: lengths in mm may be magnified")
    return believed
