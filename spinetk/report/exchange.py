"""The former place of what reads and writes files of annotation programs, kept for scripts that import it here."""

from spinetk.formats.cvat import read_cvat, write_cvat
from spinetk.formats.slicer import read_markups, write_markups

__all__ = ["read_cvat", "read_markups", "write_cvat", "write_markups"]
