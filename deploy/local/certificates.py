"""The stack's own certificate authority, and one identity for each service and the operator."""

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from deploy.local.directory import write_private
from deploy.local.ports import HOST

TRUST_DOMAIN = "local"
NAMESPACE = "attribution"
OPERATOR = "operator"
IDENTITIES = ("ingress", "attribution", "credentials", OPERATOR)
AUTHORITY_LIFETIME = timedelta(days=365)
LIFETIME = timedelta(days=30)


@dataclass(frozen=True)
class Identity:
    """The files that a process proves itself with."""

    certificate_file: Path
    key_file: Path
    ca_file: Path


class CertificateDirectory:
    """A directory with the CA and the identities, made and renewed as needed."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def identity(self, service_account: str) -> Identity:
        """Give the files of an identity; `renew` makes them."""
        return Identity(
            certificate_file=self._path / f"{service_account}.crt",
            key_file=self._path / f"{service_account}.key",
            ca_file=self._path / "ca.crt",
        )

    def renew(self, now: datetime) -> None:
        """Make what is missing, unreadable, or has less than a third of its life left.

        A new CA makes every identity new. Nothing is lost by that: no data is bound to them,
        and the services read the files again when they change.
        """
        ca_file, ca_key_file = self._path / "ca.crt", self._path / "ca.key"
        authority = _read(ca_file, ca_key_file)
        if authority is None or not _is_fresh(authority.certificate, now):
            authority = _make_authority(now)
            for identity in map(self.identity, IDENTITIES):
                identity.certificate_file.unlink(missing_ok=True)
            _write(authority, ca_file, ca_key_file)
        for service_account in IDENTITIES:
            files = self.identity(service_account)
            pair = _read(files.certificate_file, files.key_file)
            if pair is None or not _is_fresh(pair.certificate, now):
                pair = _make_identity(service_account, authority, now=now)
                _write(pair, files.certificate_file, files.key_file)


@dataclass(frozen=True)
class _Pair:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def _read(certificate_file: Path, key_file: Path) -> _Pair | None:
    try:
        certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
        key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
    except (OSError, ValueError):
        return None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        return None
    if certificate.public_key() != key.public_key():
        return None
    return _Pair(certificate, key)


def _write(pair: _Pair, certificate_file: Path, key_file: Path) -> None:
    key = pair.key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    write_private(key_file, key)
    write_private(certificate_file, pair.certificate.public_bytes(serialization.Encoding.PEM))


def _is_fresh(certificate: x509.Certificate, now: datetime) -> bool:
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return end - now > (end - begin) / 3


def _make_authority(now: datetime) -> _Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    # The name carries the time, so that an old and a new CA are told apart.
    name = _name(f"revenue attribution local CA {now:%Y-%m-%dT%H:%M:%SZ}")
    builder = _builder(name, name, key=key, now=now, lifetime=AUTHORITY_LIFETIME)
    certificate = (
        builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return _Pair(certificate, key)


def _make_identity(service_account: str, authority: _Pair, *, now: datetime) -> _Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = authority.certificate.subject
    builder = _builder(_name(service_account), issuer, key=key, now=now, lifetime=LIFETIME)
    spiffe_id = f"spiffe://{TRUST_DOMAIN}/ns/{NAMESPACE}/sa/{service_account}"
    names = x509.SubjectAlternativeName(
        [
            x509.UniformResourceIdentifier(spiffe_id),
            x509.DNSName("localhost"),
            x509.IPAddress(ipaddress.ip_address(HOST)),
        ]
    )
    both = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
    issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    certificate = (
        builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(both, critical=False)
        .add_extension(names, critical=False)
        .add_extension(issuer_key, critical=False)
        .sign(authority.key, hashes.SHA256())
    )
    return _Pair(certificate, key)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    *,
    key: ec.EllipticCurvePrivateKey,
    now: datetime,
    lifetime: timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # A little back, for clocks that are set back a little.
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + lifetime)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
