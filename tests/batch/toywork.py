"""Work that needs no network: the length of a text file, in a result of its own."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from spinetk.atomic import write_json
from spinetk.errors import InputError


def length(path: Path, source: str, out: Path, stem: str, diary: str = "") -> dict:
    """Writes ``stem.json``; words of the text make it fail in every way there is."""
    if diary:
        with open(diary, "a") as stream:
            stream.write(f"{source}\n")
    text = path.read_text()
    if "bad" in text:
        raise InputError(source, "is bad", "give a good one")
    if "bug" in text:
        raise ZeroDivisionError("planted")
    if "full" in text:
        raise OSError(28, "No space left on device", str(out))
    if "kill once" in text and not Path(f"{path}.killed").exists():
        Path(f"{path}.killed").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if "kill always" in text:
        os.kill(os.getpid(), signal.SIGKILL)
    if "slow" in text:
        time.sleep(0.05)
    while "held" in text and not path.with_name("go").exists():
        time.sleep(0.01)
    write_json(out / f"{stem}.json", {"file": source, "length": len(text)})
    return {"length": len(text)}


def make(diary: str = "") -> Callable[..., dict]:
    """A maker, called once a process."""
    if diary:
        with open(f"{diary}.made", "a") as stream:
            stream.write(f"{os.getpid()}\n")
    return partial(length, diary=diary)


def read(out: Path) -> dict[str, dict]:
    """The results in a folder, by name."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(out.glob("*.json"))}
