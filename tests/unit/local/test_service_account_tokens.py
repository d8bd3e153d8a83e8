import base64
import json
from datetime import UTC, datetime

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from deploy.local.directory import LocalDirectory
from deploy.local.secret_files import make_missing, token_key
from deploy.local.service_account_tokens import LIFETIME, TokenFile

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def token(tmp_path):
    directory = LocalDirectory(tmp_path)
    directory.prepare()
    make_missing(directory)
    made = TokenFile(
        directory.secret("token"), service_account="credentials", key_file=token_key(directory)
    )
    made.renew(NOW)
    return made


def decoded(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


class TestTokenFile:
    def test_it_says_what_kubernetes_says(self, token):
        header, claims, _ = token.path.read_text().split(".")
        assert json.loads(decoded(header)) == {"alg": "ES256", "typ": "JWT"}
        said = json.loads(decoded(claims))
        assert said["sub"] == "system:serviceaccount:attribution:credentials"
        assert said["aud"] == ["openbao"]
        assert said["exp"] - said["iat"] == LIFETIME.total_seconds()

    def test_the_public_key_verifies_it(self, token):
        signed, _, signature = token.path.read_text().rpartition(".")
        raw = decoded(signature)
        numbers = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
        key = serialization.load_pem_public_key(token.public_key)
        assert isinstance(key, ec.EllipticCurvePublicKey)
        der = encode_dss_signature(*numbers)
        key.verify(der, signed.encode(), ec.ECDSA(hashes.SHA256()))
        with pytest.raises(InvalidSignature):
            key.verify(der, b"altered", ec.ECDSA(hashes.SHA256()))

    def test_a_renewed_one_is_another(self, token):
        before = token.path.read_text()
        token.renew(NOW)
        assert token.path.read_text() != before
        assert token.path.stat().st_mode & 0o777 == 0o600
