"""Saving: checkpoints that appear whole and read back, or not at all."""

from __future__ import annotations

import io
import os
import warnings
import zipfile
import zlib
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins import TorchCheckpointIO

from spinetk.atomic import replacing


class SafeIO(TorchCheckpointIO):
    """Lightning's reading and writing of checkpoints, made safe against kills and full disks.

    A checkpoint is written beside its place, flushed to the disk, read back against its checksums and only then moved
    there. One that cannot be written leaves everything as it was: training goes on, and ``failure`` says why.

    Attributes:
        failure: Why the last checkpoint could not be written, or None.
    """

    def __init__(self) -> None:
        super().__init__()
        self.failure: str | None = None

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None) -> None:
        """Write a checkpoint; nothing is raised, as the other processes of a run wait for this one."""
        path, self.failure = Path(path), None
        # Into memory first: the writer of torch hides the reason when a file cannot be written.
        content = io.BytesIO()
        torch.save(checkpoint, content)
        try:
            with replacing(path) as temporary:
                with open(temporary, "wb") as stream:
                    stream.write(content.getbuffer())
                    stream.flush()
                    os.fsync(stream.fileno())
                if not is_whole(temporary):
                    raise OSError("what was written does not read back")
            _flush_folder(path.parent)
        except OSError as error:
            self.failure = error.strerror or str(error)


def is_whole(path: Path) -> bool:
    """Whether every part of a checkpoint agrees with its checksum."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    except (OSError, zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError, zlib.error):
        return False


def read_checkpoint(path: Path) -> dict[str, Any] | None:
    """Content of a checkpoint, on the CPU; None where it cannot be read, which is said in one line."""
    fault = "damaged"
    if is_whole(path):
        try:
            return torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:  # a file of something else raises whatever its bytes happen to mean
            fault = type(error).__name__
    warnings.warn(f"{path}: unreadable checkpoint skipped ({fault})", stacklevel=3)
    return None


def numbered(folder: Path) -> list[Path]:
    """Checkpoints named after their iteration, the newest first."""
    return sorted((p for p in folder.glob("[0-9]*.ckpt") if p.stem.isdecimal()), key=lambda p: -int(p.stem))


def newest_checkpoint(folder: Path) -> tuple[Path, dict[str, Any]] | None:
    """The readable checkpoint with the most iterations, and its content; unreadable ones are skipped with a warning."""
    for path in numbered(folder):
        content = read_checkpoint(path)
        if content is not None:
            return path, content
    return None


def network_weights(content: dict[str, Any]) -> dict[str, torch.Tensor]:
    """The weights of ``module.network`` in a checkpoint's content."""
    state = content["state_dict"]
    return {k.removeprefix("network."): v for k, v in state.items() if k.startswith("network.")}


def _flush_folder(folder: Path) -> None:
    """Make a rename last through a power cut, where the system lets a folder be flushed."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)
