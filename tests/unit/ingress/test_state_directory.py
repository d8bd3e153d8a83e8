from pathlib import Path

import pytest

from services.ingress.state_directory import StateDirectory, StateDirectoryError, replace_file


class TestStateDirectory:
    def test_is_made_for_its_owner_alone(self, tmp_path: Path) -> None:
        StateDirectory(tmp_path / "a" / "b").close()
        assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700

    def test_has_a_folder_for_each_process(self, tmp_path: Path) -> None:
        first, second = StateDirectory(tmp_path), StateDirectory(tmp_path)
        assert first.path == second.path == tmp_path
        assert first.own != second.own
        assert [*first.abandoned(), *second.abandoned()] == []
        first.close()
        assert [*second.abandoned()] == [first.own]
        third = StateDirectory(tmp_path)
        assert third.own == first.own
        for each in (second, third):
            each.close()

    def test_a_folder_that_is_taken_over_is_nobody_elses_meanwhile(self, tmp_path: Path) -> None:
        first, second = StateDirectory(tmp_path), StateDirectory(tmp_path)
        second.close()
        for folder in first.abandoned():
            assert folder == second.own
            third = StateDirectory(tmp_path)
            assert third.own not in (first.own, folder)
            third.close()
        first.close()

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
