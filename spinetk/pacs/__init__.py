"""A picture archive (PACS) as its client: find and fetch pictures, store results; by DICOMweb or by DIMSE."""

from __future__ import annotations

from spinetk.pacs.address import Address, is_address, parse_address
from spinetk.pacs.archive import Archive, Found, Refused, Unreachable

__all__ = ["Address", "Archive", "Found", "Refused", "Unreachable", "is_address", "open_archive", "parse_address"]


def open_archive(address: Address, aet: str = "SPINETK", tls: object = None) -> Archive:
    """The archive at an address.

    Args:
        address: Where it is.
        aet: Our own AE title, for DIMSE.
        tls: An ``ssl.SSLContext`` in place of the system's usual one.

    Raises:
        InputError: The package that speaks its protocol is not installed.
    """
    if address.is_web:
        from spinetk.pacs.dicomweb import WebArchive

        return WebArchive(address)
    from spinetk.pacs.dimse import DimseArchive

    return DimseArchive(address, aet, tls)
