"""Temporary: the private folder of a server's uploads, which no end of the server leaves behind.

It is removed when the server ends, by whatever signal; what a killed server or a power failure left is removed by the
next one. A folder whose server lives is known by its lock, which ends with the process.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

PREFIX = "spinetk-uploads-"
LOCK = "lock"


class TemporaryFolder:
    """A folder that only this user can read.

    Args:
        parent: Where it is made; None takes the system's temporary folder.

    Attributes:
        path: The folder.
    """

    def __init__(self, parent: Path | None = None) -> None:
        parent = Path(tempfile.gettempdir()) if parent is None else parent
        sweep(parent)
        self._root = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
        self._lock = FileLock(self._root / LOCK, timeout=0)
        self._lock.acquire()
        self.path = self._root / "files"
        self.path.mkdir(mode=0o700)

    def remove(self) -> None:
        """Remove it with all it holds; what is written meanwhile goes too."""
        with suppress(OSError):
            self.path.rename(gone := self._root / "gone")  # so that an upload on its way cannot open a further file
            shutil.rmtree(gone, ignore_errors=True)
        self._lock.release()
        shutil.rmtree(self._root, ignore_errors=True)


def sweep(parent: Path) -> list[Path]:
    """Remove the folders of servers that are gone; returns them. Other users' are left alone."""
    gone = []
    for folder in sorted(parent.glob(f"{PREFIX}*")):
        try:
            if folder.is_symlink() or (hasattr(os, "getuid") and folder.stat().st_uid != os.getuid()):
                continue
            if not (folder / LOCK).exists():  # one that is being made has no lock yet for an instant
                if any(folder.iterdir()):
                    shutil.rmtree(folder, ignore_errors=True)
                    gone.append(folder)
                continue
            with FileLock(folder / LOCK, timeout=0):
                pass
        except (Timeout, OSError):
            continue
        shutil.rmtree(folder, ignore_errors=True)
        gone.append(folder)
    return gone
