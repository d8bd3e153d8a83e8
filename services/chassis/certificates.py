"""Read certificates from files, and read them again when the files change.

Whoever rotates certificates (cert-manager, the kubelet, a script) replaces files and tells
nobody. `CertificateSource` notices by the files' modification times, takes the new set only
when it is whole (it parses, and the key belongs to the certificate), and otherwise keeps the
old one and says so once in the log: a rotation that is half done never breaks a process that
runs.
"""

import threading
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from prometheus_client import Gauge

from services.chassis import logs
from services.chassis.settings import TlsSettings

_log = logs.logger(__name__)
_expiry = Gauge(
    "synaptyx_certificate_expiry_timestamp_seconds",
    "When the certificate in use ends, as Unix time.",
)


class CertificateError(Exception):
    """Tells in one sentence which file cannot be used, and why."""


@dataclass(frozen=True)
class CertificateSet:
    """A certificate with its chain, its key, and the CAs that peers are checked against (PEM)."""

    chain: bytes
    key: bytes = field(repr=False)
    authorities: bytes


class CertificateSource:
    """The certificates in three files, as they are now. Safe to use from several threads."""

    def __init__(self, tls: TlsSettings) -> None:
        """Read the files for the first time.

        Raises:
            CertificateError: a file is missing or unusable; there is nothing to fall back to.
        """
        self._certificate_file = _named(tls.certificate_file, "SYNAPTYX_TLS_CERTIFICATE_FILE")
        self._key_file = _named(tls.key_file, "SYNAPTYX_TLS_KEY_FILE")
        self._ca_file = _named(tls.ca_file, "SYNAPTYX_TLS_CA_FILE")
        self._lock = threading.Lock()
        self._stamp = self._files_stamp()
        self._current = self._read()

    @property
    def current(self) -> CertificateSet:
        """Give the set that is in use."""
        return self._current

    def renew(self) -> CertificateSet | None:
        """Give the new set when the files hold one, and None while nothing has changed.

        Cheap enough for every handshake: three `stat` calls.
        """
        with self._lock:
            stamp = self._files_stamp()
            if stamp == self._stamp:
                return None
            # Kept even if the files turn out bad: they are looked at again, and complained about
            # again, only after their next change.
            self._stamp = stamp
            try:
                renewed = self._read()
            except CertificateError as error:
                effect = "the old one stays in use"
                _log.warning("certificate_renewal_failed", why=str(error), effect=effect)
                return None
            if renewed == self._current:
                return None
            self._current = renewed
        _log.info("certificate_renewed", file=str(self._certificate_file))
        return renewed

    def _files_stamp(self) -> tuple[tuple[int, int, int] | None, ...]:
        return tuple(map(_stamp, (self._certificate_file, self._key_file, self._ca_file)))

    def _read(self) -> CertificateSet:
        try:
            chain = self._certificate_file.read_bytes()
            key = self._key_file.read_bytes()
            authorities = self._ca_file.read_bytes()
        except OSError as error:
            why = f"{error.filename} cannot be read: {error.strerror}"
            raise CertificateError(why) from error
        certificate = _certificates(chain, self._certificate_file)[0]
        if _public_bytes(certificate, self._certificate_file) != _key_bytes(key, self._key_file):
            raise CertificateError(
                f"{self._key_file} is not the key of the certificate in {self._certificate_file}"
            )
        _certificates(authorities, self._ca_file)
        _expiry.set(certificate.not_valid_after_utc.timestamp())
        return CertificateSet(chain=chain, key=key, authorities=authorities)


def _named(path: Path | None, variable: str) -> Path:
    if path is None:
        raise CertificateError(f"{variable} is not set, and TLS is on")
    return path


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """Tell one state of a file from another; None while it is not there."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


def _certificates(pem: bytes, path: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError:
        # Without the cause: what a parser quotes from such files is better not kept.
        raise CertificateError(f"{path} holds no PEM certificate that can be read") from None


def _public_bytes(certificate: x509.Certificate, path: Path) -> bytes:
    try:
        return certificate.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    except (ValueError, UnsupportedAlgorithm):
        raise CertificateError(f"{path} holds a certificate with an unknown kind of key") from None


def _key_bytes(pem: bytes, path: Path) -> bytes:
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise CertificateError(
            f"{path} holds no private key that can be read (PEM, without a password)"
        ) from None
    return key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
