"""DatasetCatalog and MetadataCatalog with Detectron2's interface, and ``setup_catalogs`` that fills them.

Names resolve as in Detectron2: ``DatasetCatalog.get(name)`` calls the registered function and gives a list of records,
``MetadataCatalog.get(name)`` gives an object whose attributes may be set once.
"""

from __future__ import annotations

import importlib.util
import warnings
from collections import UserDict
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from spinetk.cases.folder import CaseFolder
from spinetk.cases.outlines import said_of
from spinetk.errors import InputError
from spinetk.formats.record import Record, reading_of
from spinetk.schema import KeypointSchema, get_schema, schema_for_names

if TYPE_CHECKING:
    import pandas as pd

PARTS = ("train", "val", "test")


class _DatasetCatalog(UserDict):
    """Dataset name to the function that reads it."""

    def register(self, name: str, func: Callable[[], list[Record]]) -> None:
        """Remember ``func`` under a new name; it is called anew by every :meth:`get`."""
        if not callable(func):
            raise TypeError(f"dataset {name!r} must be registered with a function")
        assert name not in self.data, f"dataset {name!r} is registered already"
        self.data[name] = func

    def get(self, name: str) -> list[Record]:  # type: ignore[override]
        """The records of a dataset."""
        if name not in self.data:
            raise KeyError(f"dataset {name!r} is not registered; there are: {', '.join(self.data) or 'none'}")
        return self.data[name]()

    def list(self) -> list[str]:
        """Registered names."""
        return list(self.data)

    def remove(self, name: str) -> None:
        """Forget a dataset."""
        self.pop(name)


class Metadata(SimpleNamespace):
    """Facts about a dataset as attributes. An attribute keeps its first value: setting another one is an error."""

    name: str = "N/A"

    def __getattr__(self, key: str) -> Any:
        raise AttributeError(f"metadata of {self.name!r} has no {key!r}; it has: {', '.join(self.__dict__)}")

    def __setattr__(self, key: str, value: Any) -> None:
        if key in self.__dict__:
            old = self.__dict__[key]
            assert old == value, f"{key!r} of dataset {self.name!r} is {old!r} and cannot become {value!r}"
        else:
            super().__setattr__(key, value)

    def as_dict(self) -> dict[str, Any]:
        """A copy of all attributes."""
        return dict(self.__dict__)

    def set(self, **attributes: Any) -> Metadata:
        """Set several attributes; returns itself."""
        for key, value in attributes.items():
            setattr(self, key, value)
        return self

    def get(self, key: str, default: Any = None) -> Any:
        """An attribute, or ``default`` where it was never set."""
        return self.__dict__.get(key, default)


class _MetadataCatalog(UserDict):
    """Dataset name to its :class:`Metadata`."""

    def get(self, name: str) -> Metadata:  # type: ignore[override]
        """The metadata of a dataset, made on first use."""
        if name not in self.data:
            self.data[name] = Metadata(name=name)
        return self.data[name]

    def list(self) -> list[str]:
        """Names that have metadata."""
        return list(self.data)

    def remove(self, name: str) -> None:
        """Forget the metadata of a dataset."""
        self.data.pop(name)


DatasetCatalog = _DatasetCatalog()
MetadataCatalog = _MetadataCatalog()


def setup_catalogs(
    version: str,
    X_train: pd.DataFrame | Sequence[str],  # noqa: N803 - the original's names
    X_val: pd.DataFrame | Sequence[str],  # noqa: N803
    X_test: pd.DataFrame | Sequence[str],  # noqa: N803
    kpnames: Sequence[str] | None = None,
    *,
    schema: str | KeypointSchema | None = None,
    base: str | Path | None = None,
) -> Metadata:
    """Register ``vert{version}_train``, ``_val`` and ``_test``. A version that exists is replaced.

    Only train is read with its augmented copies: they are for learning, val and test judge pictures as they are (the
    original validated on copies, too). Nothing is read before ``DatasetCatalog.get``;
    a file that cannot be used is then left out with a warning of one line.

    Args:
        version: Any text or number.
        X_train, X_val, X_test: Parts as ``make_split`` gives them, or sequences of case names with ``base``.
        kpnames: Names of the points in the order of the files; None means those of ``schema``.
        schema: Meaning of the points in full; None means the schema with the names ``kpnames``, or ``vertebra6``.
        base: The case folder, where the parts do not know it.

    Returns:
        The metadata of the training set: ``keypoint_names``, ``keypoint_flip_map``, ``keypoint_connection_rules``,
        ``sigmas``, ``schema``, ``thing_classes``. All three sets have the same.

    Raises:
        InputError: The parts do not say where their cases are, or ``kpnames`` and ``schema`` disagree.
    """
    if schema is not None:
        meaning = get_schema(schema)
        if kpnames is not None and tuple(kpnames) != meaning.keypoints:
            raise InputError("kpnames", f"are not those of schema {meaning.name!r}", "give one of the two")
    else:
        meaning = schema_for_names(kpnames) if kpnames is not None else get_schema("vertebra6")
    for part, frame in zip(PARTS, (X_train, X_val, X_test), strict=True):
        name = f"vert{version}_{part}"
        reader = _reader(CaseFolder(_directory(frame, base)), _cases(frame), meaning, augmented=part == "train")
        for datasets, metadata in _catalogs():
            if name in datasets:
                datasets.remove(name)
            if name in metadata:
                metadata.remove(name)
            datasets.register(name, reader)
            metadata.get(name).set(**_facts(meaning))
    return MetadataCatalog.get(f"vert{version}_train")


def _reader(folder: CaseFolder, cases: list[str], schema: KeypointSchema, *, augmented: bool) -> Callable:
    def read() -> list[Record]:
        records, failures = folder.records(cases, augmented=augmented, schema=schema)
        if failures and not records:
            raise failures[0]
        for failure in failures:
            warnings.warn(f"left out: {failure}", stacklevel=3)
        for line in said_of(map(reading_of, records)):
            warnings.warn(f"{folder.base}: {line}", stacklevel=3)
        return records

    return read


def _facts(schema: KeypointSchema) -> dict[str, Any]:
    colour = (102, 204, 255)
    return {
        "thing_classes": [schema.category],
        "keypoint_names": list(schema.keypoints),
        "keypoint_flip_map": [tuple(pair) for pair in schema.swap],
        "keypoint_connection_rules": [(a, b, colour) for a, b in schema.skeleton],
        "sigmas": list(schema.sigmas),
        "schema": schema,
    }


def _catalogs() -> list[tuple[Any, Any]]:
    """Ours, and Detectron2's own where the user has it."""
    catalogs: list[tuple[Any, Any]] = [(DatasetCatalog, MetadataCatalog)]
    if importlib.util.find_spec("detectron2") is not None:
        try:
            from detectron2.data import DatasetCatalog as TheirDatasets
            from detectron2.data import MetadataCatalog as TheirMetadata
        except Exception as error:  # built for another torch, or half installed: its trouble, not that of our engine
            warnings.warn(f"Detectron2 cannot be imported, its catalogs stay empty: {error!r}", stacklevel=3)
        else:
            catalogs.append((TheirDatasets, TheirMetadata))
    return catalogs


def _directory(part: Any, base: str | Path | None) -> str | Path:
    if base is not None:
        return base
    known = getattr(part, "attrs", {}).get("directory")
    if known is None and "directory" in getattr(part, "columns", ()) and len(part):
        known = part["directory"].iloc[0]
    if known is None:
        raise InputError("setup_catalogs", "the parts do not say where their cases are", "give base=FOLDER")
    return known


def _cases(part: Any) -> list[str]:
    if "case" in getattr(part, "columns", ()):
        return [str(case) for case in part["case"]]
    return [str(case) for case in part]
