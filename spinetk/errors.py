"""The one exception a user sees: bad input, named in a single line."""

from __future__ import annotations

from pathlib import Path

LONGEST_FAULT = 1000


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
        # A damaged file may hold anything for a name: what is quoted of it must not fill the screen.
        self.fault = fault = fault if len(fault) <= LONGEST_FAULT else f"{fault[:400]} ... {fault[-100:]}"
        self.remedy = remedy
        line = f"{self.source}: {fault}" + (f" ({remedy})" if remedy else "")
        super().__init__(" ".join(line.split()))

    def __reduce__(self) -> tuple:
        return type(self), (self.source, self.fault, self.remedy)
