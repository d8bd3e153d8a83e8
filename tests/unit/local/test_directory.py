import os
import subprocess
import sys
from dataclasses import fields

import pytest

from deploy.local.directory import LocalDirectory, write_private
from deploy.local.errors import DirectoryInUse, DirectoryUnusable, StackNotRunning
from deploy.local.stack_file import StackFile


@pytest.fixture
def directory(tmp_path):
    made = LocalDirectory(tmp_path / "local")
    made.prepare()
    return made


class TestHeld:
    def test_two_stacks_cannot_hold_one_directory(self, directory):
        with (
            directory.held(),
            pytest.raises(DirectoryInUse) as caught,
            LocalDirectory(directory.root).held(),
        ):
            pass
        assert f"process {os.getpid()}" in str(caught.value)

    def test_it_is_free_again_afterwards(self, directory):
        with directory.held():
            assert directory.is_held()
        assert not directory.is_held()
        with directory.held():
            pass

    def test_a_child_does_not_keep_holding_it(self, directory):
        with directory.held():
            sleeper = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        try:
            assert not directory.is_held()
        finally:
            sleeper.communicate(b"\n")

    def test_a_directory_that_was_never_used_is_not_held(self, tmp_path):
        assert not LocalDirectory(tmp_path).is_held()


class TestPrepare:
    def test_a_file_in_its_place_is_told_in_one_sentence(self, tmp_path):
        (tmp_path / "local").write_text("in the way")
        with pytest.raises(DirectoryUnusable, match="file exists"):
            LocalDirectory(tmp_path / "local").prepare()


class TestWritePrivate:
    def test_it_replaces_the_whole_file_and_nobody_else_can_read_it(self, tmp_path):
        path = tmp_path / "secret"
        path.write_text("before")
        path.chmod(0o644)
        write_private(path, b"after")
        assert path.read_bytes() == b"after"
        assert path.stat().st_mode & 0o777 == 0o600
        assert list(tmp_path.iterdir()) == [path]


class TestStackFile:
    def test_it_is_read_as_it_was_written_while_the_stack_runs(self, directory):
        written = StackFile(**{field.name: field.name for field in fields(StackFile)})
        written.write(directory.stack_file)
        with directory.held():
            assert StackFile.of_running(directory) == written

    def test_the_file_that_a_killed_stack_left_is_not_believed(self, directory):
        StackFile(**{field.name: "" for field in fields(StackFile)}).write(directory.stack_file)
        with pytest.raises(StackNotRunning, match="make run"):
            StackFile.of_running(directory)

    @pytest.mark.parametrize("content", ["", "{}", "[]", '{"ingress_url": 1}'])
    def test_a_file_that_is_none_is_refused(self, directory, content):
        directory.stack_file.write_text(content)
        with directory.held(), pytest.raises(StackNotRunning):
            StackFile.of_running(directory)

    def test_its_keys_are_the_documented_ones(self):
        assert [field.name for field in fields(StackFile)] == [
            "ingress_url",
            "private_url",
            "attribution_address",
            "credentials_address",
            "ca_file",
            "operator_certificate_file",
            "operator_key_file",
            "workspace",
            "postgres_url",
            "vault_url",
            "stripe_sandbox_url",
            "polar_sandbox_url",
            "shop_url",
            "tracking_link_url",
            "stripe_snippet_url",
            "polar_snippet_url",
        ]
