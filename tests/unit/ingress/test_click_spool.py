import errno
import io
import os
from collections import deque
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingress.click_spool import FileSpool

MIB = 1024 * 1024


def written(directory: Path, *clicks: bytes) -> FileSpool:
    spool = FileSpool(directory)
    spool.recover()
    for click in clicks:
        spool.append(click)
    spool.flush()
    return spool


def left(directory: Path) -> list[bytes]:
    """Give what the next process would find."""
    return FileSpool(directory).recover()


def files(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


class TestKeeping:
    def test_what_is_written_is_found_in_its_order(self, tmp_path: Path) -> None:
        written(tmp_path, b"a", b"bb", bytes(range(256)))
        assert left(tmp_path) == [b"a", b"bb", bytes(range(256))]

    def test_what_is_forgotten_is_not(self, tmp_path: Path) -> None:
        spool = written(tmp_path, b"a", b"b", b"c")
        spool.forget(3)
        assert left(tmp_path) == []

    def test_part_of_a_file_is_found_again_and_done_again(self, tmp_path: Path) -> None:
        # Whoever records clicks knows those that it has recorded.
        spool = written(tmp_path, b"a", b"b", b"c")
        spool.forget(2)
        assert left(tmp_path) == [b"a", b"b", b"c"]

    def test_files_have_a_bound_and_go_once_they_are_done(self, tmp_path: Path) -> None:
        spool = FileSpool(tmp_path)
        for number in range(40):
            spool.append(bytes([number]) * (MIB // 8))
            spool.flush()
        assert len(files(tmp_path)) == 5
        spool.forget(17)
        assert len(files(tmp_path)) == 3
        spool.forget(23)
        assert len(files(tmp_path)) == 1
        assert sum(path.stat().st_size for path in tmp_path.iterdir()) == 0

    def test_the_next_process_goes_on_after_what_it_has_found(self, tmp_path: Path) -> None:
        written(tmp_path, b"a", b"b")
        heir = written(tmp_path, b"c")
        assert left(tmp_path) == [b"a", b"b", b"c"]
        heir.forget(2)
        assert left(tmp_path) == [b"c"]

    def test_other_files_are_left_alone(self, tmp_path: Path) -> None:
        for name in ("lock", "links.json", "clicks-x", "clicks-000000000001.bak"):
            (tmp_path / name).write_bytes(b"x")
        written(tmp_path, b"a").forget(1)
        assert left(tmp_path) == []
        assert len(files(tmp_path)) == 4

    @given(
        steps=st.lists(
            st.one_of(
                st.lists(st.binary(min_size=1, max_size=20), max_size=5),
                st.integers(1, 9),
                st.just("end"),
            ),
            max_size=30,
        )
    )
    def test_whatever_is_not_done_is_found(
        self, tmp_path_factory: pytest.TempPathFactory, steps: list[list[bytes] | int | str]
    ) -> None:
        directory = tmp_path_factory.mktemp("spool")
        spool, waiting = FileSpool(directory), deque[bytes]()
        for step in steps:
            match step:
                case int():
                    count = min(step, len(waiting))
                    for _ in range(count):
                        waiting.popleft()
                    spool.forget(count)
                case str():
                    spool.close()
                    spool = FileSpool(directory)
                    waiting = deque(spool.recover())
                case _:
                    for click in step:
                        spool.append(click)
                    spool.flush()
                    waiting += step
        spool.close()
        # Clicks of a file that is not done as a whole are found again, and stand first.
        found = left(directory)
        assert found[len(found) - len(waiting) :] == list(waiting)
        assert bool(found) == bool(waiting)


class TestDamage:
    @pytest.mark.parametrize("cut", range(1, 12))
    def test_a_click_that_was_written_by_halves_is_left_out(self, tmp_path: Path, cut: int) -> None:
        written(tmp_path, b"aaaa", b"bbbb")
        (path,) = tmp_path.iterdir()
        path.write_bytes(path.read_bytes()[:-cut])
        assert left(tmp_path) == [b"aaaa"]

    @pytest.mark.parametrize("at", range(12, 24))
    def test_so_is_one_that_was_damaged_and_what_comes_after(self, tmp_path: Path, at: int) -> None:
        written(tmp_path, b"aaaa", b"bbbb", b"cccc")
        (path,) = tmp_path.iterdir()
        data = bytearray(path.read_bytes())
        data[at] ^= 1
        path.write_bytes(data)
        assert left(tmp_path) == [b"aaaa"]

    def test_zeros_are_no_clicks(self, tmp_path: Path) -> None:
        (tmp_path / "clicks-000000000000").write_bytes(bytes(4096))
        assert left(tmp_path) == []
        assert files(tmp_path) == []

    def test_what_cannot_be_read_does_not_keep_the_rest_from_it(
        self, tmp_path: Path, lines: io.BytesIO
    ) -> None:
        (tmp_path / "clicks-000000000000").mkdir()
        written(tmp_path, b"a")
        assert left(tmp_path) == [b"a"]
        assert b"clicks_not_recovered" in lines.getvalue()


class TestAFullDisk:
    def test_clicks_go_on_without_and_are_written_again_once_there_is_room(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: io.BytesIO
    ) -> None:
        spool = written(tmp_path, b"a")
        write = os.write

        def full(descriptor: int, data: bytes) -> int:
            raise OSError(errno.ENOSPC, "full")

        monkeypatch.setattr(os, "write", full)
        for click in (b"b", b"c"):
            spool.append(click)
            spool.flush()
        assert lines.getvalue().count(b"clicks_not_written") == 1
        monkeypatch.setattr(os, "write", write)
        spool.append(b"d")
        spool.flush()
        assert lines.getvalue().count(b"clicks_written_again") == 1
        assert left(tmp_path) == [b"a", b"d"]
        # Those that are in memory alone count, too.
        spool.forget(3)
        assert left(tmp_path) == [b"d"]
        spool.forget(1)
        assert left(tmp_path) == []

    def test_half_a_write_spoils_no_other_click(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        spool = written(tmp_path, b"a")
        write = os.write
        monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:-1]))
        spool.append(b"b")
        spool.flush()
        monkeypatch.setattr(os, "write", write)
        spool.append(b"c")
        spool.flush()
        assert left(tmp_path) == [b"a", b"c"]
