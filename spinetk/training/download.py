"""Download: weights of torchvision, only when asked for, within a time, and never offline."""

from __future__ import annotations

import hashlib
import os
import re
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

from spinetk.atomic import replacing
from spinetk.errors import InputError

OFFLINE = "SPINETK_OFFLINE"
STALL_S = 10.0  # without a byte
LIMIT_S = 600.0  # in all


def offline() -> bool:
    """Whether the network is forbidden: ``$SPINETK_OFFLINE`` is set to anything but 0."""
    return os.environ.get(OFFLINE, "0") not in ("", "0")


def pretrained(weights: Any, asked: str) -> dict[str, Any]:
    """The tensors of torchvision's published weights, from torch's cache or downloaded into it.

    Args:
        weights: Member of one of torchvision's ``WeightsEnum``; the start of the file's SHA-256 is part of its name.
        asked: What the user asked for, named in errors.

    Raises:
        InputError: They are not in the cache and the network is forbidden, does not answer within 10 s or takes longer
            than 10 minutes, or the file is not what its name says.
    """
    import torch

    name = weights.url.rsplit("/", 1)[-1]
    path = Path(torch.hub.get_dir()) / "checkpoints" / name
    remedy = f"give --start random, or put {weights.url} into {path.parent}"
    if not path.is_file():
        if offline():
            raise InputError(f"start {asked!r}", f"is not on this disk, and {OFFLINE} forbids the network", remedy)
        print(f"downloading {weights.url}", flush=True)
        _download(weights.url, path, asked, remedy)
    if not _is_named_by_its_hash(path):
        raise InputError(path, "is damaged", "delete it, then run the same again")
    return torch.load(path, map_location="cpu", weights_only=True)


def _download(url: str, path: Path, asked: str, remedy: str) -> None:
    """In a thread, as neither a name service nor a proxy that holds the line can be told to hurry."""
    failed: list[str] = []
    given_up = threading.Event()

    def work() -> None:
        try:
            with urllib.request.urlopen(url, timeout=STALL_S) as answer, replacing(path) as temporary:
                with open(temporary, "wb") as stream:
                    while block := answer.read(1 << 18):
                        stream.write(block)
                        if given_up.is_set():
                            raise TimeoutError
                if not _is_named_by_its_hash(temporary, path.name):
                    failed.append("something else came, such as the page of a proxy")
                    raise ValueError
        except Exception as error:  # name service, proxy, certificate, disk: each has errors of its own
            failed.append(f"{type(error).__name__}: {error}")

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    ends = time.monotonic() + LIMIT_S
    while thread.is_alive() and time.monotonic() < ends:
        thread.join(0.1)
    if thread.is_alive():
        given_up.set()
        failed.append(f"not there after {LIMIT_S:.0f} s")
    if failed:
        raise InputError(f"start {asked!r}", f"could not be downloaded ({failed[0]})", remedy)


def _is_named_by_its_hash(path: Path, name: str | None = None) -> bool:
    wanted = re.search(r"-([0-9a-f]{8,})\.", name or path.name)
    with open(path, "rb") as stream:
        return wanted is None or hashlib.file_digest(stream, "sha256").hexdigest().startswith(wanted[1])
