"""The original's calls for using a model: ``inference`` and ``eval_img``, in every form it documented or coded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from spinetk import zoo
from spinetk.errors import InputError
from spinetk.keypoints.predictor import Predictor
from spinetk.keypoints.reader import Reader
from spinetk.overrides import Overrides
from spinetk.reading import Reading
from spinetk.report.overlay import write_overlay

_latest: list[Predictor] = []
"""The predictor that ``inference`` made last: the original's global, see there."""


def inference(*arguments: Any, thresh: float = 0.6, device: str = "auto", engine: str = "torchvision") -> Predictor:
    """``inference(path, 0.6)`` or ``inference(version, path, 0.6)``: a predictor with a confidence threshold.

    As in the original, whose ``eval_img`` took the global ``predictor``, the predictor made last is remembered for the
    process and used by every ``eval_img`` that is called without one, whatever its picture shows. Code that reads
    pictures of several kinds gives ``eval_img`` a predictor, or uses :class:`spinetk.keypoints.reader.Reader`.

    Args:
        arguments: [version,] weights (path, or name of a released model) [, threshold].
        thresh: Threshold when it is not among the arguments.
        device: ``auto``, ``cpu`` or ``cuda``.
        engine: ``torchvision``, which also takes the ``model_final.pth`` of Detectron2 (converted as it is read), or
            ``detectron2``, which runs such a file on Detectron2 itself, where that is installed.

    Raises:
        InputError: The weights cannot be found or used, or the engine is not there.
    """
    *texts, last = arguments or (None,)
    if isinstance(last, int | float) and not isinstance(last, bool):
        thresh = float(last)
    else:
        texts.append(last)
    if not 1 <= len(texts) <= 2 or not all(isinstance(t, str | Path) for t in texts):
        raise InputError("inference(...)", "wants a weights file", 'call inference("output/model_final.pth", 0.6)')
    if engine == "detectron2":
        from spinetk.keypoints.d2.engine import load_predictor

        predictor = load_predictor(texts[-1], thresh, device)
    elif engine == "torchvision":
        predictor = Predictor.load(texts[-1], thresh, device)
    else:
        raise InputError(f"engine {engine!r}", "is unknown", "choose torchvision or detectron2")
    _latest[:] = [predictor]
    return predictor


def eval_img(metadata: Any, *arguments: Any, facing: str = "auto", spacing_mm: Any = None, view: Any = None) -> Reading:
    """``eval_img(metadata, image, out)`` or ``eval_img(metadata, predictor, image, out)``.

    Reads one radiograph or slice, draws the vertebrae found on it and writes the picture to ``out``.

    Args:
        metadata: As returned by ``setup_catalogs``; its keypoints must be those of the model. None skips the check.
        arguments: [predictor,] image (PNG, JPEG, TIFF or DICOM), out (PNG). Without a predictor, the one made last by
            ``inference`` in this process is used (as the original used its global one), else the weights in
            ``output/model_final.pth`` when there are any, else the released model for the picture's view. The reading
            names the model that was used.
        facing: Side the patient's front faces, seen with the head up: ``left``, ``right`` or ``auto``.
        spacing_mm: (row, column) spacing in mm in place of what the file says.
        view: What the picture shows, ``ap``, ``lateral`` or ``sagittal``, whichever the model; for a picture that does
            not say it (a PNG), or against what its file says.

    Returns:
        The reading: vertebrae, points, heights, grades, angles.

    Raises:
        InputError: The image cannot be read, there is no model, or it has other keypoints than the metadata.
    """
    if arguments and isinstance(arguments[0], Predictor):
        predictor, *rest = arguments
    else:
        predictor, rest = None, list(arguments)
    if len(rest) != 2:
        raise InputError("eval_img(...)", "wants an image and an output path", "eval_img(metadata, image, out)")
    if predictor is None:
        own = Path("output") / zoo.FINAL
        predictor = _latest[0] if _latest else inference(own) if own.is_file() else None
    if not all(isinstance(path, str | Path) for path in rest):
        fault = f"wants two paths, not {' and '.join(type(path).__name__ for path in rest)}"
        raise InputError("eval_img(...)", fault, "save the picture first; for arrays there is Predictor.read")
    image, out = Path(rest[0]), Path(rest[1])
    if out.suffix.lower() != ".png":
        raise InputError(out, "the overlay is written as PNG", "end the output path in .png")
    if out.resolve() == image.resolve():
        raise InputError(out, "is the image itself", "give the overlay another name")
    reading, grey = Reader(predictor).read(image, Overrides(view, spacing_mm, facing))
    schema = getattr(metadata, "schema", None)
    if schema is not None and schema.keypoints != reading.schema.keypoints:
        raise InputError(
            reading.model or "model",
            f"finds the points {', '.join(reading.schema.keypoints)}, the metadata has {', '.join(schema.keypoints)}",
            "use metadata and model of the same version",
        )
    write_overlay(out, grey, reading)
    return reading
