"""TLS: what is shown to the other side of a connection, and who is trusted there."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from spinetk.errors import InputError


@dataclass(frozen=True)
class Tls:
    """PEM files of connections by TLS 1.2 or newer, as BCP 195 asks (PS3.15 B.12).

    Attributes:
        certificate, key: What is shown; both or neither.
        authority: Whose certificates are trusted, and no others; None trusts those that the system does.
    """

    certificate: Path | None = None
    key: Path | None = None
    authority: Path | None = None

    def server(self) -> ssl.SSLContext | None:
        """For those who call, who have to show a certificate if there is an authority; None without a certificate.

        Raises:
            InputError: A file cannot be used.
        """
        if self.certificate is None:
            return None
        context = self._context(ssl.PROTOCOL_TLS_SERVER)
        if self.authority is not None:
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def client(self) -> ssl.SSLContext:
        """For calling others, whose certificates have to bear the names they are called by.

        Raises:
            InputError: A file cannot be used.
        """
        context = self._context(ssl.PROTOCOL_TLS_CLIENT)
        if self.authority is None:
            context.load_default_certs()
        return context

    def _context(self, protocol: int) -> ssl.SSLContext:
        context = ssl.SSLContext(protocol)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        for path in (self.certificate, self.key, self.authority):
            if path is not None and not path.is_file():
                raise InputError(path, "is no file", "give a PEM file")
        if self.certificate is not None and self.key is not None:
            try:
                context.load_cert_chain(self.certificate, self.key, password="")  # it would ask for one
            except OSError as error:  # ssl.SSLError is one, too
                fault = f"is no certificate of the key in {self.key.name}"
                raise InputError(self.certificate, fault, "give PEM files, the key without a password") from error
        if self.authority is not None:
            try:
                context.load_verify_locations(self.authority)
            except OSError as error:
                raise InputError(self.authority, "holds no certificate to trust", "give a PEM file") from error
        return context
