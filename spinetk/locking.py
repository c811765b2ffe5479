"""A folder that one process at a time writes to."""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock, Timeout

from spinetk.errors import InputError

NAME = ".lock"


class Lock:
    """Exclusive use of a folder, given back when the process ends in whatever way.

    Args:
        folder: The folder; made when it is missing.
        fault: What to say when another process has it.
    """

    def __init__(self, folder: str | Path, fault: str = "another run writes to this folder") -> None:
        self._folder, self._fault = Path(folder), fault
        self._lock = FileLock(str(self._folder / NAME), timeout=0)

    def acquire(self) -> Lock:
        """Take it.

        Raises:
            InputError: Another process has it, or it cannot be written to.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
        except Timeout as error:
            raise InputError(self._folder, self._fault, "wait for it, stop it, or choose another folder") from error
        except (OSError, NotImplementedError) as error:
            fault = f"cannot be written to ({getattr(error, 'strerror', None) or type(error).__name__})"
            raise InputError(self._folder, fault, "choose another folder") from error
        return self

    def release(self) -> None:
        """Give it back."""
        self._lock.release()

    def __enter__(self) -> Lock:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


def is_locked(folder: str | Path) -> bool:
    """Whether a process uses a folder."""
    if not (Path(folder) / NAME).exists():
        return False
    try:
        with FileLock(str(Path(folder) / NAME), timeout=0):
            return False
    except Timeout:
        return True
