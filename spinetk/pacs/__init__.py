"""A picture archive (PACS) as its client: find and fetch pictures, store results; by DICOMweb or by DIMSE."""

from __future__ import annotations

from spinetk.pacs.address import Address, is_address, parse_address
from spinetk.pacs.archive import Archive, Found, Refused, Unreachable
from spinetk.pacs.tls import Tls

__all__ = ["Address", "Archive", "Found", "Refused", "Unreachable", "is_address", "open_archive", "parse_address"]


def open_archive(address: Address, aet: str = "SPINETK", tls: Tls | None = None) -> Archive:
    """The archive at an address.

    Args:
        address: Where it is.
        aet: Our own AE title, for DIMSE.
        tls: What is shown to an archive by TLS, and who is trusted; by default nothing, and whom the system trusts.

    Raises:
        InputError: The package that speaks its protocol is not installed, or a file of ``tls`` cannot be used.
    """
    if address.is_web:
        from spinetk.pacs.dicomweb import WebArchive

        return WebArchive(address, tls)
    from spinetk.pacs.dimse import DimseArchive

    return DimseArchive(address, aet, tls)
