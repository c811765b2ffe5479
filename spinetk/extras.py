"""Extras: which optional part of the package a missing library belongs to."""

from __future__ import annotations

from spinetk.errors import InputError

EXTRAS = {
    "train": (
        "contourpy", "imgaug", "lightning", "matplotlib", "monai", "pandas", "pycocotools", "safetensors", "scipy",
        "sklearn", "tensorboard", "torch", "torchvision", "yaml",
    ),
    "sr": ("highdicom",),
    "pacs": ("dicomweb_client", "pynetdicom"),
    "cluster": ("dask", "dask_jobqueue", "distributed"),
    "serve": ("fastapi", "uvicorn"),
    "export": ("onnx", "onnxscript", "openvino"),
}  # fmt: skip
"""Import names of the libraries that each extra of ``pip install 'spinetk[EXTRA]'`` brings."""


def missing(error: ModuleNotFoundError) -> InputError | None:
    """What to tell the user of a library that is not there; None where it belongs to no extra."""
    library = (error.name or "").partition(".")[0]
    for extra, libraries in EXTRAS.items():
        if library in libraries:
            return InputError(library, "is not installed, and this needs it", f"pip install 'spinetk[{extra}]'")
    return None
