from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from deploy.local.certificates import IDENTITIES, LIFETIME, CertificateDirectory

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def directory(tmp_path):
    made = CertificateDirectory(tmp_path)
    made.renew(NOW)
    return made


def read(path):
    return x509.load_pem_x509_certificate(path.read_bytes())


class TestCertificateDirectory:
    def test_every_identity_has_its_spiffe_id_and_is_signed_by_the_ca(self, directory):
        for account in IDENTITIES:
            files = directory.identity(account)
            certificate = read(files.certificate_file)
            names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
            uris = names.value.get_values_for_type(x509.UniformResourceIdentifier)
            assert uris == [f"spiffe://local/ns/attribution/sa/{account}"]
            assert names.value.get_values_for_type(x509.DNSName) == ["localhost"]
            certificate.verify_directly_issued_by(read(files.ca_file))

    def test_keys_are_for_their_owner_alone(self, directory):
        for account in IDENTITIES:
            assert directory.identity(account).key_file.stat().st_mode & 0o777 == 0o600

    def test_a_fresh_certificate_is_kept(self, directory):
        files = directory.identity("ingress")
        before = files.certificate_file.read_bytes()
        directory.renew(NOW + LIFETIME / 2)
        assert files.certificate_file.read_bytes() == before

    def test_a_certificate_with_less_than_a_third_left_is_renewed(self, directory):
        files = directory.identity("ingress")
        authority = files.ca_file.read_bytes()
        directory.renew(NOW + LIFETIME * 0.7)
        later = NOW + LIFETIME * 1.7
        assert read(files.certificate_file).not_valid_after_utc == later
        assert files.ca_file.read_bytes() == authority

    @pytest.mark.parametrize("damage", [b"", b"no certificate"])
    def test_a_damaged_certificate_is_made_anew(self, directory, damage):
        files = directory.identity("ingress")
        files.certificate_file.write_bytes(damage)
        directory.renew(NOW)
        read(files.certificate_file).verify_directly_issued_by(read(files.ca_file))

    def test_a_lost_ca_key_makes_everything_anew(self, directory, tmp_path):
        (tmp_path / "ca.key").unlink()
        directory.renew(NOW + timedelta(minutes=1))
        for account in IDENTITIES:
            files = directory.identity(account)
            read(files.certificate_file).verify_directly_issued_by(read(files.ca_file))
