"""spinetk: vertebral landmarks, heights and deformity from radiographs, MR and CT slices. For research use.

The original's calls, loaded on first use so that ``import spinetk`` stays light::

    from spinetk import make_split, setup_catalogs, visualize_sample, train, inference, eval_img
    from spinetk import DatasetCatalog, MetadataCatalog
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from spinetk._version import __version__

if TYPE_CHECKING:
    from spinetk.cases.catalog import DatasetCatalog, MetadataCatalog, setup_catalogs
    from spinetk.cases.preview import visualize_sample
    from spinetk.cases.splitting import make_split
    from spinetk.keypoints.original import eval_img, inference
    from spinetk.keypoints.trainer import train

_HOMES = {
    "DatasetCatalog": "spinetk.cases.catalog",
    "MetadataCatalog": "spinetk.cases.catalog",
    "setup_catalogs": "spinetk.cases.catalog",
    "visualize_sample": "spinetk.cases.preview",
    "make_split": "spinetk.cases.splitting",
    "inference": "spinetk.keypoints.original",
    "eval_img": "spinetk.keypoints.original",
    "train": "spinetk.keypoints.trainer",
}

__all__ = [
    "DatasetCatalog",
    "MetadataCatalog",
    "__version__",
    "eval_img",
    "inference",
    "make_split",
    "setup_catalogs",
    "train",
    "visualize_sample",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'spinetk' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
