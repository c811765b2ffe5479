"""Files of annotation programs: out for correction, and back in."""

from spinetk.report.exchange.cvat import read_cvat, write_cvat
from spinetk.report.exchange.markups import read_markups, write_markups

__all__ = ["read_cvat", "read_markups", "write_cvat", "write_markups"]
