"""The one exception a user sees: bad input, named in a single line."""

from __future__ import annotations

from pathlib import Path


class InputError(ValueError):
    """Something the user gave cannot be used.

    The command line prints ``str(error)`` as one line and exits with code 2; a batch records it and goes on
    with the rest.

    Args:
        source: The file, folder or setting at fault.
        fault: What is wrong with it.
        remedy: What the user can do about it.
    """

    def __init__(self, source: str | Path, fault: str, remedy: str = "") -> None:
        self.source = str(source)
        self.fault = fault
        self.remedy = remedy
        line = f"{self.source}: {fault}" + (f" ({remedy})" if remedy else "")
        super().__init__(" ".join(line.split()))

    def __reduce__(self) -> tuple:
        return type(self), (self.source, self.fault, self.remedy)
