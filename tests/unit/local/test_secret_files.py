import base64

import pytest

from deploy.local import secret_files
from deploy.local.directory import LocalDirectory
from deploy.local.errors import DirectoryDamaged


@pytest.fixture
def directory(tmp_path):
    made = LocalDirectory(tmp_path / "local")
    made.prepare()
    secret_files.make_missing(made)
    return made


class TestMakeMissing:
    def test_every_secret_is_for_its_owner_alone(self, directory):
        files = list(directory.secrets.iterdir())
        assert len(files) == 8
        assert {file.stat().st_mode & 0o777 for file in files} == {0o600}

    def test_they_stay_as_they_are(self, directory):
        before = {file: file.read_bytes() for file in directory.secrets.iterdir()}
        secret_files.make_missing(directory)
        assert {file: file.read_bytes() for file in directory.secrets.iterdir()} == before

    def test_the_body_key_is_256_bits_with_a_name(self, directory):
        name, _, key = secret_files.body_keys(directory).read_text().strip().partition(":")
        assert (name, len(base64.b64decode(key))) == ("local-1", 32)

    def test_a_lost_secret_without_data_is_made_anew(self, directory):
        secret_files.unseal_key(directory).unlink()
        secret_files.make_missing(directory)
        assert len(secret_files.unseal_key(directory).read_bytes()) == 32

    @pytest.mark.parametrize(
        ("secret", "data"),
        [
            ("postgres-password", "postgres"),
            ("body-keys", "postgres"),
            ("unseal.key", "openbao"),
            ("jwt.key", "openbao"),
        ],
    )
    @pytest.mark.parametrize("empty", [False, True])
    def test_a_lost_secret_that_data_needs_is_damage(self, directory, secret, data, empty):
        (directory.root / data).mkdir()
        directory.secret(secret).unlink()
        if empty:
            directory.secret(secret).touch()
        with pytest.raises(DirectoryDamaged) as caught:
            secret_files.make_missing(directory)
        assert f"secrets/{secret} is missing" in str(caught.value)
        assert f"mv {directory.root} " in str(caught.value)

    def test_a_lost_role_password_is_made_anew_since_it_is_set_at_every_start(self, directory):
        (directory.root / "postgres").mkdir()
        path = secret_files.role_password(directory, "attribution")
        path.unlink()
        secret_files.make_missing(directory)
        assert path.read_text()
