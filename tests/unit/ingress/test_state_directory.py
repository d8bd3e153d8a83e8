from pathlib import Path

import pytest

from services.ingress.state_directory import StateDirectory, StateDirectoryError, replace_file


class TestStateDirectory:
    def test_is_made_for_its_owner_alone(self, tmp_path: Path) -> None:
        StateDirectory(tmp_path / "a" / "b").close()
        assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700

    def test_is_one_process_alone(self, tmp_path: Path) -> None:
        first = StateDirectory(tmp_path)
        with pytest.raises(StateDirectoryError, match="give each ingress one of its own"):
            StateDirectory(tmp_path)
        first.close()
        StateDirectory(tmp_path).close()

    def test_that_cannot_be_made_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(StateDirectoryError, match="/file/x cannot be written"):
            StateDirectory(tmp_path / "file" / "x")


class TestReplaceFile:
    def test_is_there_whole(self, tmp_path: Path) -> None:
        path = tmp_path / "a.json"
        replace_file(path, b"old")
        replace_file(path, b"new")
        assert path.read_bytes() == b"new"
        assert [each.name for each in tmp_path.iterdir()] == ["a.json"]

    def test_that_fails_leaves_the_old_one(self, tmp_path: Path) -> None:
        path = tmp_path / "a.json"
        path.mkdir()
        with pytest.raises(OSError):
            replace_file(path, b"new")
        assert [each.name for each in tmp_path.iterdir()] == ["a.json"]
