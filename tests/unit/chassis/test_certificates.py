import os
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from services.chassis.certificates import CertificateError, CertificateSource
from services.chassis.settings import TlsSettings
from tests.certificates import CertificateAuthority, CertificateFiles


@pytest.fixture
def authority(tmp_path: Path) -> CertificateAuthority:
    return CertificateAuthority(tmp_path)


@pytest.fixture
def files(authority: CertificateAuthority) -> CertificateFiles:
    return authority.issue("ingress")


class TestCertificateSource:
    def test_it_reads_the_three_files(self, files: CertificateFiles) -> None:
        current = CertificateSource(files.tls).current
        assert current.chain == files.certificate_file.read_bytes()
        assert current.key == files.key_file.read_bytes()
        assert current.authorities == files.ca_file.read_bytes()

    def test_the_key_is_not_shown(self, files: CertificateFiles) -> None:
        assert b"PRIVATE KEY" not in repr(CertificateSource(files.tls).current).encode()

    def test_nothing_new_is_nothing(self, files: CertificateFiles) -> None:
        assert CertificateSource(files.tls).renew() is None

    def test_touched_files_are_nothing_new(self, files: CertificateFiles) -> None:
        source = CertificateSource(files.tls)
        os.utime(files.key_file, (1, 1))
        assert source.renew() is None

    def test_new_files_are_given_once(
        self, authority: CertificateAuthority, files: CertificateFiles
    ) -> None:
        source = CertificateSource(files.tls)
        authority.issue("ingress")
        renewed = source.renew()
        assert renewed is not None
        assert renewed.chain == files.certificate_file.read_bytes()
        assert source.current is renewed
        assert source.renew() is None

    def test_files_behind_a_swapped_link_are_seen(
        self, tmp_path: Path, authority: CertificateAuthority, files: CertificateFiles
    ) -> None:
        # The kubelet changes a whole directory of files by replacing one symbolic link.
        old, link = tmp_path / "..old", tmp_path / "..data"
        old.mkdir()
        for path in (files.certificate_file, files.key_file, files.ca_file):
            (old / path.name).write_bytes(path.read_bytes())
        link.symlink_to(old)
        linked = TlsSettings(
            certificate_file=link / "ingress.crt",
            key_file=link / "ingress.key",
            ca_file=link / "ca.crt",
        )
        source = CertificateSource(linked)
        authority.issue("ingress")
        (tmp_path / "new").symlink_to(tmp_path)
        (tmp_path / "new").replace(link)
        assert source.renew() is not None

    @pytest.mark.parametrize("which", ["certificate_file", "key_file", "ca_file"])
    @pytest.mark.parametrize("content", [b"", b"x", b"-----BEGIN CERTIFICATE-----\nAA", None])
    def test_bad_files_keep_the_old_set_until_they_are_good(
        self, files: CertificateFiles, which: str, content: bytes | None
    ) -> None:
        source = CertificateSource(files.tls)
        before = source.current
        path: Path = getattr(files, which)
        good = path.read_bytes()
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content)
        assert source.renew() is None
        assert source.renew() is None
        assert source.current == before
        path.write_bytes(good)
        assert source.renew() is None, "the same set is nothing new"

    def test_a_key_of_another_certificate_is_not_taken(
        self, authority: CertificateAuthority, files: CertificateFiles
    ) -> None:
        source = CertificateSource(files.tls)
        other = authority.issue("other")
        files.key_file.write_bytes(other.key_file.read_bytes())
        assert source.renew() is None
        files.certificate_file.write_bytes(other.certificate_file.read_bytes())
        assert source.renew() is not None

    @pytest.mark.parametrize(
        ("which", "content", "sentence"),
        [
            ("certificate_file", None, "cannot be read: No such file or directory"),
            ("certificate_file", "canary-word", "holds no PEM certificate that can be read"),
            ("key_file", "canary-word", "holds no private key that can be read"),
            ("ca_file", "canary-word", "holds no PEM certificate that can be read"),
        ],
    )
    def test_at_the_start_a_bad_file_is_named(
        self, files: CertificateFiles, which: str, content: str | None, sentence: str
    ) -> None:
        path: Path = getattr(files, which)
        if content is None:
            path.unlink()
        else:
            path.write_text(content)
        with pytest.raises(CertificateError) as caught:
            CertificateSource(files.tls)
        assert str(caught.value) == f"{path} {sentence}" or sentence in str(caught.value)
        assert "canary-word" not in str(caught.value)

    def test_a_key_with_a_password_is_refused(self, files: CertificateFiles) -> None:
        key = serialization.load_pem_private_key(files.key_file.read_bytes(), password=None)
        files.key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.BestAvailableEncryption(b"password"),
            )
        )
        with pytest.raises(CertificateError, match="without a password"):
            CertificateSource(files.tls)

    def test_a_file_that_is_not_named_is_said(self, files: CertificateFiles) -> None:
        with pytest.raises(CertificateError, match="SYNAPTYX_TLS_KEY_FILE is not set"):
            CertificateSource(replace(files.tls, key_file=None))
