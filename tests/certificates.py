"""Issue real certificates for tests: a CA of its own that writes PEM files.

    authority = CertificateAuthority(tmp_path)
    server = authority.issue("attribution")      # spiffe://local/ns/attribution/sa/attribution
    client = authority.issue("ingress")
    server.certificate_file, server.key_file, server.ca_file
    server.tls                                   # the same as TlsSettings, mTLS on

Issuing the same name again overwrites its files in place (each file atomically), which is what
a rotation looks like to a running service. A certificate has the DNS name `localhost`, the
address 127.0.0.1 and the SPIFFE URI, serves both as server and as client, and is valid for a
day; every part can be changed by an argument. A second `CertificateAuthority` in another
directory is a wrong CA.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from services.chassis.settings import TlsSettings


@dataclass(frozen=True)
class CertificateFiles:
    """The files of one identity."""

    certificate_file: Path
    key_file: Path
    ca_file: Path

    @property
    def tls(self) -> TlsSettings:
        """Give the settings of a process that uses these files."""
        return TlsSettings(
            enabled=True,
            certificate_file=self.certificate_file,
            key_file=self.key_file,
            ca_file=self.ca_file,
        )


class CertificateAuthority:
    """A CA in a directory: `ca.crt`, and `<service account>.crt` and `.key` for each identity."""

    def __init__(self, directory: Path, *, trust_domain: str = "local") -> None:
        self._directory = directory
        self._trust_domain = trust_domain
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test CA")])
        self.ca_file = directory / "ca.crt"
        directory.mkdir(parents=True, exist_ok=True)
        _replace(self.ca_file, self._own_certificate())

    def issue(
        self,
        service_account: str,
        *,
        namespace: str = "attribution",
        uris: Sequence[str] | None = None,
        dns_names: Sequence[str] = ("localhost",),
        lifetime: timedelta = timedelta(days=1),
    ) -> CertificateFiles:
        """Write a new key and certificate for `service_account` and give their files.

        `uris` replaces the SPIFFE URI; `uris=()` makes a certificate without an identity. A
        negative `lifetime` makes one that has expired.
        """
        if uris is None:
            uris = (f"spiffe://{self._trust_domain}/ns/{namespace}/sa/{service_account}",)
        key = ec.generate_private_key(ec.SECP256R1())
        names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(uri) for uri in uris]
        names += [x509.DNSName(name) for name in dns_names]
        names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, service_account)])
        end = datetime.now(UTC) + lifetime
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(min(end, datetime.now(UTC)) - timedelta(days=1))
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(
                x509.ExtendedKeyUsage(
                    [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
                ),
                critical=False,
            )
            .sign(self._key, hashes.SHA256())
        )
        files = CertificateFiles(
            certificate_file=self._directory / f"{service_account}.crt",
            key_file=self._directory / f"{service_account}.key",
            ca_file=self.ca_file,
        )
        _replace(files.key_file, _pem(key))
        _replace(files.certificate_file, certificate.public_bytes(serialization.Encoding.PEM))
        return files

    def _own_certificate(self) -> bytes:
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(self._name)
            .issuer_name(self._name)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=30))
            .not_valid_after(now + timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        return certificate.public_bytes(serialization.Encoding.PEM)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _replace(path: Path, content: bytes) -> None:
    draft = path.with_name(f".{path.name}.new")
    draft.touch(mode=0o600)
    draft.write_bytes(content)
    draft.replace(path)
