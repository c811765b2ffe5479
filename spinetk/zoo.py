"""Weights: saving, finding and loading, without ever unpickling anything but tensors and plain values.

A release is ``NAME.safetensors`` (fp16) beside ``NAME.json`` (architecture, schema, preprocessing, data and licence,
metrics). Training also writes ``model_final.pth``, a ``torch.save`` of {"config", "weights"} that loads with
``weights_only=True``.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spinetk.atomic import replacing, write_json
from spinetk.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

Weights = dict[str, "Tensor"]
MOST_BYTES = 25_000_000  # of a release
FINAL = "model_final.pth"  # what training leaves, as the original named it


def folders() -> list[Path]:
    """Where released weights are looked for: ``$SPINETK_HOME``, then ``data/weights`` of the checkout."""
    home = os.environ.get("SPINETK_HOME")
    own = Path(__file__).resolve().parent.parent / "data" / "weights"
    return ([Path(home)] if home else []) + [own]


def released() -> Iterator[tuple[str, dict[str, Any]]]:
    """(name, card) of every release found, the first folder winning."""
    seen: set[str] = set()
    for folder in folders():
        for path in sorted(folder.glob("*.safetensors")):
            card = path.with_suffix(".json")
            if path.stem not in seen and card.exists():
                seen.add(path.stem)
                yield path.stem, read_card(card)


def read_card(path: Path) -> dict[str, Any]:
    """The JSON beside released weights; raises ``InputError`` when it is not one."""
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(path, "cannot be read as a model card", "keep NAME.json beside NAME.safetensors") from error
    if not isinstance(card, dict) or "config" not in card:
        raise InputError(path, "has no field 'config'", "keep the JSON that was released with the weights")
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
    names = ", ".join(name for name, _ in released()) or "none is released"
    raise InputError(f"model {str(name_or_path)!r}", "is unknown", f"give a .pth/.safetensors path or one of: {names}")


def load(name_or_path: str | Path) -> tuple[Weights, dict[str, Any], str]:
    """Weights, card (with ``config``) and name of a model.

    Raises:
        InputError: Not found, unreadable, or a file that would need unsafe unpickling; none is ever attempted.
    """
    import torch

    path = find(name_or_path)
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        card = read_card(path.with_suffix(".json"))
        try:
            weights = load_file(path)
        except Exception as error:  # safetensors raises its own type for every malformed header
            raise InputError(path, "is not a safetensors file", "download or release it again") from error
        return {k: v.float() if v.is_floating_point() else v for k, v in weights.items()}, card, path.stem
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        fault = "is not a file of tensors and plain values"
        raise InputError(path, fault, "spinetk never unpickles code; use weights written by spinetk") from error
    if not isinstance(content, dict) or not {"config", "weights"} <= set(content):
        raise InputError(path, "holds no spinetk weights", "use model_final.pth of `spinetk train`")
    return content["weights"], {k: v for k, v in content.items() if k != "weights"}, path.stem


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
        card: dict[str, Any] = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(path, "cannot be read as TOML", f"write the fields {', '.join(required)}") from error
    for field in required:
        if field not in card:
            raise InputError(path, f"has no field {field!r}", "a model card says what it was made of and for whom")
    return card


def _halved(tensor: Tensor) -> Tensor:
    half = tensor.half() if tensor.is_floating_point() else tensor
    return half if half.isfinite().all() else tensor
