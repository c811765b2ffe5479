"""Weights: saving, finding and loading, without ever unpickling anything but tensors and plain values.

A release is ``NAME.safetensors`` (fp16) beside ``NAME.json`` (architecture, schema, preprocessing, data and licence,
metrics). Training also writes ``model_final.pth``, a ``torch.save`` of {"config", "weights"} that loads with
``weights_only=True``.
"""

from __future__ import annotations

import json
import os
import tomllib
import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeVar, overload

from pydantic import Field, StrictStr

from spinetk.atomic import replacing, write_json
from spinetk.errors import InputError
from spinetk.validation import OPEN, above, between, validated
from spinetk.views import OFFERED

if TYPE_CHECKING:
    from torch import Tensor

C = TypeVar("C", bound="Card")
Weights = dict[str, "Tensor"]
MOST_BYTES = 25_000_000  # of a release
MOST_CARD_BYTES = 8_000_000
NO_WEIGHTS = "a wheel holds none: set SPINETK_HOME to the folder data/weights of a checkout"
FINAL = "model_final.pth"  # what training leaves, as the original named it


@dataclass(frozen=True)
class Card:
    """What a model card says, whatever the model is of; each room declares its ``config``. More may stand on it.

    Attributes:
        config: What the network is built from.
        name, task, parameters, licence, use, data, preprocessing, command, commit, failures, spinetk: For the reader.
        views, modalities: What the model reads: views, and DICOM modalities where it matters.
        calibration: Slope and intercept that make a keypoint network's scores probabilities.
        fronts: The same for the front by the sacrum; None: by judgement.
        landmarks: By kind of landmark, the same as ``calibration``.
        points: Point network of a model of discs.
        metrics, training: Figures, and how it was trained.
        tasks, wanted: Of a room's own card: the tasks it is for, and how to name such a model to the user.
    """

    __pydantic_config__ = OPEN

    tasks: ClassVar[tuple[str, ...]] = ()
    wanted: ClassVar[str] = ""

    config: dict[str, Any]
    name: StrictStr | None = None
    task: StrictStr | None = None
    parameters: Annotated[int, between(0, 10**12)] | None = None
    licence: StrictStr | None = None
    use: StrictStr | None = None
    data: StrictStr | None = None
    preprocessing: StrictStr | None = None
    command: StrictStr | None = None
    commit: StrictStr | None = None
    failures: StrictStr | None = None
    spinetk: StrictStr | None = None
    views: Annotated[tuple[Literal[OFFERED], ...], Field(max_length=8)] = ()  # type: ignore[valid-type]
    modalities: Annotated[tuple[StrictStr, ...], Field(max_length=32)] = ()
    calibration: tuple[Annotated[float, above(0, 1000)], Annotated[float, between(-1000, 1000)]] = (1.0, 0.0)
    fronts: tuple[Annotated[float, between(0, 1000)], Annotated[float, between(-1000, 1000)]] | None = None
    landmarks: Mapping[StrictStr, tuple[Annotated[float, above(0, 1000)], Annotated[float, between(-1000, 1000)]]] = (
        field(default_factory=dict)
    )
    points: StrictStr | None = None
    metrics: dict[str, Any] | None = None
    training: Mapping[str, Any] | None = None


def pictures_of(training: Mapping[str, Any] | None) -> frozenset[str]:
    """Digests of the pictures that weights have seen (:func:`spinetk.training.record.known_again`), as their card's
    ``training`` says; empty where it says none.
    """
    said = (training or {}).get("pictures")
    return frozenset(map(str, said)) if isinstance(said, list | tuple) else frozenset()


def folders() -> list[Path]:
    """Where released weights are looked for: ``$SPINETK_HOME``, then ``data/weights`` of the checkout."""
    home = os.environ.get("SPINETK_HOME")
    own = Path(__file__).resolve().parent.parent / "data" / "weights"
    return ([Path(home)] if home else []) + [own]


def released() -> Iterator[tuple[str, dict[str, Any]]]:
    """(name, card) of every release found, the first folder winning; damaged ones are skipped with a warning."""
    seen: set[str] = set()
    for folder in folders():
        for path in sorted(folder.glob("*.safetensors")):
            card = path.with_suffix(".json")
            if path.stem not in seen and card.exists():
                seen.add(path.stem)
                try:
                    yield path.stem, read_card(card)
                except InputError as error:
                    warnings.warn(f"{error}: ignored", stacklevel=2)


def read_card(path: Path) -> dict[str, Any]:
    """The JSON beside released weights; raises ``InputError`` when it is not one (:class:`Card`)."""
    try:
        if path.stat().st_size > MOST_CARD_BYTES:
            raise InputError(path, "is too large for a model card", "keep the JSON that was released with the weights")
        card = json.loads(path.read_text(encoding="utf-8"))
    except InputError:
        raise
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(path, "cannot be read as a model card", "keep NAME.json beside NAME.safetensors") from error
    validated(Card, card, path)
    return card


def find(name_or_path: str | Path) -> Path:
    """The weights file of a released name or a path.

    Raises:
        InputError: There is neither; the message lists the released names.
    """
    path = Path(name_or_path)
    if path.suffix in {".pth", ".safetensors"}:
        if path.is_file():
            return path
        raise InputError(path, "no such weights file", "train first, or give the name of a released model")
    for folder in folders():
        candidate = folder / f"{path.name}.safetensors"
        if str(path) == path.name and candidate.is_file():
            return candidate
    names = ", ".join(name for name, _ in released())
    if not names:
        raise InputError(f"model {str(name_or_path)!r}", "is unknown: there are no released weights here", NO_WEIGHTS)
    raise InputError(f"model {str(name_or_path)!r}", "is unknown", f"give a .pth/.safetensors path or one of: {names}")


@overload
def load(name_or_path: str | Path) -> tuple[Weights, dict[str, Any], str]: ...
@overload
def load(name_or_path: str | Path, kind: type[C]) -> tuple[Weights, C, str]: ...
def load(name_or_path: str | Path, kind: Any = None) -> tuple[Weights, Any, str]:
    """Weights, card and name of a model; the network that takes them is made by :func:`fill`.

    Args:
        name_or_path: Of a release, or of a file of a training.
        kind: The card a room expects, a dataclass like :class:`Card`; None for the plain content.

    Raises:
        InputError: Not found, unreadable, a card with a wrong field, or a file that would need unsafe unpickling; none
            is ever attempted.
    """
    import torch

    path = find(name_or_path)
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        source = path.with_suffix(".json")
        card = read_card(source)
        try:
            weights = load_file(path)
        except Exception as error:  # safetensors raises its own type for every malformed header
            raise InputError(path, "is not a safetensors file", "download or release it again") from error
        weights = {k: v.float() if v.is_floating_point() else v for k, v in weights.items()}
    else:
        source = path
        try:
            _refuse_compressed(path)
            content = torch.load(path, map_location="cpu", weights_only=True)
        except InputError:
            raise
        except Exception as error:
            fault = "is not a file of tensors and plain values"
            raise InputError(path, fault, "spinetk never unpickles code; use weights written by spinetk") from error
        if not isinstance(content, dict) or not {"config", "weights"} <= set(content):
            raise InputError(path, "holds no spinetk weights", "use model_final.pth of `spinetk train`")
        weights, card = content["weights"], {k: v for k, v in content.items() if k != "weights"}
        validated(Card, card, path)
        _check_tensors(weights, path)
    return weights, card if kind is None else checked(card, kind, name_or_path, source), path.stem


def checked(card: dict[str, Any], kind: type[C], model: str | Path, source: Path) -> C:
    """A card as its room declares it.

    Args:
        card: Its content.
        kind: The room's dataclass.
        model, source: The model and the file of the card, named in errors.

    Raises:
        InputError: The model is of another task, or a field is wrong.
    """
    task = card["config"].get("task", "keypoints")
    if task not in kind.tasks:
        raise InputError(model, f"is a model of the task {str(task)[:40]!r}", f"give {kind.wanted}")
    return validated(kind, card, source)


def check_card(path: Path, kind: type[Card], model: str | Path) -> None:
    """Refuse a release that is of another task by its card, before its weights are loaded; other weights have no card.

    Raises:
        InputError: As of :func:`checked`, or the card cannot be read.
    """
    if path.suffix == ".safetensors":
        card = path.with_suffix(".json")
        checked(read_card(card), kind, model, card)


def _check_tensors(weights: Any, path: Path) -> None:
    """Whether a ``.pth`` has plain tensors by name: no sparse, quantised or complex ones, and none that pretends."""
    import torch

    again = "use weights written by spinetk"
    if not isinstance(weights, dict):
        raise InputError(path, "holds no tensors by name", again)
    for name, tensor in weights.items():
        plain = isinstance(name, str) and isinstance(tensor, torch.Tensor) and tensor.layout == torch.strided
        if not plain or tensor.is_quantized or tensor.is_complex():
            raise InputError(path, f"holds something else than a tensor in {str(name)[:60]!r}", again)
        # Strides of 0 make one stored number a tensor of any size.
        if tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
            raise InputError(path, f"holds less than it says in {name!r}", again)


def _refuse_compressed(path: Path) -> None:
    """A ``.pth`` stores its tensors as they are; a compressed one would unpack to any size."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
                raise InputError(path, "is compressed, as no weights of PyTorch are", "use weights written by spinetk")


def save(path: str | Path, weights: Weights, card: dict[str, Any]) -> None:
    """Write ``.pth`` (full precision, one file) or ``.safetensors`` + ``.json`` (fp16, a release), atomically.

    Tensors with numbers beyond half precision, such as variances of a batch norm, stay as they are.
    """
    import torch

    path = Path(path)
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
    if path.suffix == ".safetensors":
        from safetensors.torch import save_file

        with replacing(path) as temporary:
            save_file({name: _halved(tensor) for name, tensor in weights.items()}, temporary)
        write_json(path.with_suffix(".json"), card)
        return
    with replacing(path) as temporary:
        torch.save({**card, "weights": weights}, temporary)


def check_size(name: str | Path, weights: Weights, remedy: str = "train a smaller network") -> None:
    """Raise ``InputError`` where weights are too large to be released: more than 25 MB in half precision."""
    size = sum(2 * tensor.numel() for tensor in weights.values())
    if size > MOST_BYTES:
        raise InputError(name, f"would be {size / 1e6:.0f} MB, more than {MOST_BYTES / 1e6:.0f}", remedy)


def read_about(path: str | Path, required: Sequence[str]) -> dict[str, Any]:
    """What only the maker of a release knows of it, from a TOML file.

    Raises:
        InputError: The file cannot be read, or a required field is missing.
    """
    try:
        card: dict[str, Any] = tomllib.loads(Path(path).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise InputError(path, "cannot be read as TOML", f"write the fields {', '.join(required)}") from error
    for name in required:
        if name not in card:
            raise InputError(path, f"has no field {name!r}", "a model card says what it was made of and for whom")
    return card


def _halved(tensor: Tensor) -> Tensor:
    half = tensor.half() if tensor.is_floating_point() else tensor
    return half if half.isfinite().all() else tensor
