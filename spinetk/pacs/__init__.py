"""A picture archive (PACS) as its client: find and fetch pictures, store results; by DICOMweb or by DIMSE."""

from spinetk.pacs.address import Address, is_address, parse_address
from spinetk.pacs.archive import Archive, Found, Refused, Unreachable, open_archive

__all__ = ["Address", "Archive", "Found", "Refused", "Unreachable", "is_address", "open_archive", "parse_address"]
