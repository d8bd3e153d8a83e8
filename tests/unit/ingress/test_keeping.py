import asyncio
import io
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.chassis.clock import FixedClock
from services.ingress.keeping import Keeping, Kept
from services.ingress.remembering import Remembered
from services.ingress.state_directory import StateDirectory

NAME = "numbers.json"


class Bench:
    """Remembers numbers, and keeps them in a file of a directory."""

    def __init__(self, state: StateDirectory, **answers: int) -> None:
        self.answers = answers
        self.asked: list[str] = []
        clock = FixedClock(datetime(2026, 11, 23, tzinfo=UTC))
        self.remembered: Remembered[int] = Remembered(
            self.ask, clock, fresh_for=timedelta(minutes=1), limit=30_000, what="number"
        )
        self.kept = Kept(self.remembered, state, NAME, write=str, read=int)

    async def ask(self, key: str) -> int | None:
        self.asked.append(key)
        return self.answers.get(key)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[StateDirectory]:
    state = StateDirectory(tmp_path)
    yield state
    state.close()


@pytest.fixture
def file(state: StateDirectory) -> Path:
    return state.own / NAME


class TestKept:
    async def test_is_known_again(self, state: StateDirectory, file: Path) -> None:
        bench = Bench(state, a=1, b=2)
        for key in ("a", "b", "c"):
            await bench.remembered.get(key)
        await bench.kept.save()

        heir = Bench(state)
        heir.kept.restore()
        assert dict(heir.remembered.items()) == {"a": 1, "b": 2}

    async def test_is_given_at_once_and_asked_for_aside(
        self, state: StateDirectory, file: Path
    ) -> None:
        file.write_bytes(b'{"a": "1"}')
        heir = Bench(state, a=2)
        heir.kept.restore()
        assert heir.remembered.known("a") == 1
        for _ in range(3):
            await asyncio.sleep(0)
        assert heir.remembered.known("a") == 2

    async def test_gives_way_to_what_is_known(self, state: StateDirectory, file: Path) -> None:
        file.write_bytes(b'{"a": "1"}')
        heir = Bench(state)
        heir.remembered.keep("a", 2)
        heir.kept.restore()
        assert heir.remembered.told("a") == 2

    async def test_is_written_when_it_has_changed_only(
        self, state: StateDirectory, file: Path
    ) -> None:
        bench = Bench(state)
        bench.remembered.keep("a", 1)
        await bench.kept.save()
        file.unlink()
        bench.remembered.keep("a", 1)
        await bench.kept.save()
        assert not file.exists()
        bench.remembered.keep("a", 2)
        await bench.kept.save()
        assert file.read_bytes() == b'{"a":"2"}'

    @pytest.mark.parametrize(
        "content",
        [b"", b"{", b"[]", b"7", b'{"a": "x"}', b'{"a": null}', b'{"a": "1", "b": []}', b"\xff"],
    )
    async def test_damage_is_as_if_nothing_were_there(
        self, state: StateDirectory, file: Path, content: bytes, lines: io.BytesIO
    ) -> None:
        file.write_bytes(content)
        heir = Bench(state)
        heir.kept.restore()
        assert dict(heir.remembered.items()) == {}
        assert b"not_restored" in lines.getvalue()

    async def test_nothing_there_is_no_fault(
        self, state: StateDirectory, file: Path, lines: io.BytesIO
    ) -> None:
        Bench(state).kept.restore()
        assert lines.getvalue() == b""

    async def test_a_disk_that_takes_nothing_is_told_and_tried_again(
        self, state: StateDirectory, file: Path, lines: io.BytesIO
    ) -> None:
        bench = Bench(state)
        bench.remembered.keep("a", 1)
        file.mkdir()
        await bench.kept.save()
        assert b"not_kept" in lines.getvalue()
        file.rmdir()
        await bench.kept.save()
        assert file.read_bytes() == b'{"a":"1"}'

    async def test_what_any_process_knew_is_known_the_last_one_first(
        self, state: StateDirectory, file: Path
    ) -> None:
        others = [StateDirectory(state.path) for _ in range(2)]
        for age, other in enumerate(others):
            (other.own / NAME).write_bytes(b'{"a": "%d", "%d": "7"}' % (age, age))
            os.utime(other.own / NAME, (1000 - age, 1000 - age))
        heir = Bench(state)
        heir.kept.restore()
        assert dict(heir.remembered.items()) == {"a": 0, "0": 7, "1": 7}
        for other in others:
            other.close()


class TestKeeping:
    async def test_the_end_waits_for_what_is_being_written(
        self, state: StateDirectory, file: Path
    ) -> None:
        bench = Bench(state)
        for number in range(20_000):
            bench.remembered.keep(str(number), number)
        keeping = Keeping([bench.kept], pause=timedelta(milliseconds=1))
        keeping.begin()
        await asyncio.sleep(0.005)
        bench.remembered.keep("last", 1)
        await keeping.close()
        assert file.read_bytes().endswith(b'"last":"1"}')
        assert [each.name for each in file.parent.iterdir()] == ["lock", NAME]

    async def test_goes_on_until_the_end(self, state: StateDirectory, file: Path) -> None:
        bench = Bench(state)
        keeping = Keeping([bench.kept], pause=timedelta(milliseconds=1))
        keeping.begin()
        bench.remembered.keep("a", 1)
        async with asyncio.timeout(10):
            while not file.exists():
                await asyncio.sleep(0.001)
        bench.remembered.keep("b", 2)
        await keeping.close()
        assert file.read_bytes() == b'{"a":"1","b":"2"}'

    async def test_of_nothing_does_nothing(self) -> None:
        keeping = Keeping([])
        keeping.begin()
        await keeping.close()
