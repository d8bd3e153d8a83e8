import errno
import io
import os
import shutil
from collections import deque
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingress.click_spool import FileSpool

MIB = 1024 * 1024


def written(directory: Path, *clicks: bytes) -> FileSpool:
    spool = FileSpool(directory)
    spool.recover(limit_bytes=MIB)
    for click in clicks:
        spool.append(click)
    spool.flush()
    return spool


def left(directory: Path) -> list[bytes]:
    """Give what the next process would find."""
    return FileSpool(directory).recover(limit_bytes=MIB)


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
        assert files(tmp_path) == []

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
                    waiting = deque(spool.recover(limit_bytes=MIB))
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


class Disk:
    """Stands in for a disk that is full, writes by halves, or fails when a file is closed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.room: int | None = None
        self.failing_closes = 0
        self._write, self._close = os.write, os.close
        monkeypatch.setattr(os, "write", self.write)
        monkeypatch.setattr(os, "close", self.close)

    def write(self, descriptor: int, data: bytes) -> int:
        if self.room == 0:
            raise OSError(errno.ENOSPC, "full")
        return self._write(descriptor, data[: self.room])

    def close(self, descriptor: int) -> None:
        self._close(descriptor)
        if self.failing_closes:
            self.failing_closes -= 1
            raise OSError(errno.EDQUOT, "over quota")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class TestAFullDisk:
    @pytest.fixture
    def disk(self, monkeypatch: pytest.MonkeyPatch) -> Disk:
        return Disk(monkeypatch)

    def test_clicks_go_on_without_and_are_written_once_there_is_room(
        self, tmp_path: Path, disk: Disk, lines: io.BytesIO
    ) -> None:
        clock = Clock()
        spool = FileSpool(tmp_path, clock=clock)
        waiting = [b"a"]
        spool.append(b"a")
        spool.flush()
        disk.room = 0
        for number in range(100):
            click = b"%d" % number
            waiting.append(click)
            spool.append(click)
            spool.flush()
            spool.rewrite(waiting)
            clock.now += 0.3
        assert spool.unwritten() == 100
        assert lines.getvalue().count(b"clicks_not_written") == 1
        assert len(files(tmp_path)) == 1
        disk.room = None
        clock.now += 1
        waiting.append(b"last")
        spool.append(b"last")
        spool.flush()
        spool.rewrite(waiting)
        assert spool.unwritten() == 0
        assert lines.getvalue().count(b"clicks_written_again") == 1
        assert left(tmp_path) == waiting
        spool.forget(len(waiting))
        assert files(tmp_path) == []

    @pytest.mark.parametrize("room", range(1, 9))
    def test_half_a_write_spoils_no_other_click(
        self, tmp_path: Path, disk: Disk, room: int
    ) -> None:
        clock = Clock()
        spool = FileSpool(tmp_path, clock=clock)
        spool.append(b"a")
        spool.flush()
        disk.room = room
        spool.append(b"b")
        spool.flush()
        disk.room = None
        clock.now += 1
        spool.append(b"c")
        spool.flush()
        assert left(tmp_path) == [b"a", b"c"]
        spool.rewrite([b"a", b"b", b"c"])
        assert left(tmp_path) == [b"a", b"b", b"c"]

    def test_a_file_that_cannot_be_closed_is_written_no_more(
        self, tmp_path: Path, disk: Disk
    ) -> None:
        clock = Clock()
        spool = FileSpool(tmp_path, clock=clock)
        spool.append(b"a")
        spool.flush()
        disk.room, disk.failing_closes = 0, 1
        spool.append(b"b")
        spool.flush()
        assert spool.unwritten() == 1
        with (tmp_path / "another").open("wb", buffering=0) as other:
            disk.room = None
            clock.now += 1
            spool.append(b"c")
            spool.flush()
            assert other.tell() == 0
        assert left(tmp_path) == [b"a", b"c"]

    def test_the_end_is_a_further_occasion(self, tmp_path: Path, disk: Disk) -> None:
        clock = Clock()
        spool = FileSpool(tmp_path, clock=clock)
        disk.room = 0
        spool.append(b"a")
        spool.flush()
        disk.room = None
        clock.now += 1
        spool.flush()
        spool.rewrite([b"a"])
        spool.close()
        assert left(tmp_path) == [b"a"]

    def test_a_directory_that_is_gone_is_made_again(self, tmp_path: Path) -> None:
        directory = tmp_path / "own"
        directory.mkdir()
        spool = written(directory, b"a")
        shutil.rmtree(directory)
        spool.forget(1)
        spool.append(b"b")
        spool.flush()
        assert left(directory) == [b"b"]


class TestOthers:
    def test_are_taken_over_as_far_as_there_is_room(self, tmp_path: Path) -> None:
        ended = [tmp_path / name for name in ("one", "two", "three")]
        for directory in ended:
            directory.mkdir()
            written(directory, directory.name.encode() * 1000)
        own = tmp_path / "own"
        own.mkdir()
        spool = FileSpool(own, abandoned=lambda: ended)
        first = spool.recover(limit_bytes=4000)
        assert [click[:3] for click in first] == [b"one", b"two"]
        states = [spool.has_more]
        spool.forget(2)
        assert [click[:5] for click in spool.recover(limit_bytes=4000)] == [b"three"]
        assert [*states, spool.has_more] == [True, False]
        spool.forget(1)
        assert [files(directory) for directory in (own, *ended)] == [[], [], [], []]
