"""Device: where a network is asked to run, as it is named. Light to import: PyTorch says what there is."""

from __future__ import annotations

import re

from spinetk.errors import InputError


def check_device(device: str) -> None:
    """Refuse the name of a device on which no network of ours runs.

    Args:
        device: ``auto``, ``cpu``, ``cuda`` or, of several GPUs, ``cuda:N``.

    Raises:
        InputError: It is another.
    """
    if not re.fullmatch(r"auto|cpu|cuda(:\d{1,3})?", device):
        raise InputError(f"device {device!r}", "is unknown", "use auto, cpu or cuda")
