import asyncio
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.chassis.clock import FixedClock
from services.ingress.keeping import Keeping, Kept
from services.ingress.remembering import Remembered


class Bench:
    """Remembers numbers, and keeps them in a file."""

    def __init__(self, file: Path, **answers: int) -> None:
        self.answers = answers
        self.asked: list[str] = []
        clock = FixedClock(datetime(2026, 11, 23, tzinfo=UTC))
        self.remembered: Remembered[int] = Remembered(
            self.ask, clock, fresh_for=timedelta(minutes=1), limit=100, what="number"
        )
        self.kept = Kept(self.remembered, file, write=str, read=int)

    async def ask(self, key: str) -> int | None:
        self.asked.append(key)
        return self.answers.get(key)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "numbers.json"


class TestKept:
    async def test_is_known_again(self, file: Path) -> None:
        bench = Bench(file, a=1, b=2)
        for key in ("a", "b", "c"):
            await bench.remembered.get(key)
        await bench.kept.save()

        heir = Bench(file)
        heir.kept.restore()
        assert dict(heir.remembered.items()) == {"a": 1, "b": 2}

    async def test_is_given_at_once_and_asked_for_aside(self, file: Path) -> None:
        file.write_bytes(b'{"a": "1"}')
        heir = Bench(file, a=2)
        heir.kept.restore()
        assert heir.remembered.known("a") == 1
        for _ in range(3):
            await asyncio.sleep(0)
        assert heir.remembered.known("a") == 2

    async def test_gives_way_to_what_is_known(self, file: Path) -> None:
        file.write_bytes(b'{"a": "1"}')
        heir = Bench(file)
        heir.remembered.keep("a", 2)
        heir.kept.restore()
        assert heir.remembered.told("a") == 2

    async def test_is_written_when_it_has_changed_only(self, file: Path) -> None:
        bench = Bench(file)
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
        self, file: Path, content: bytes, lines: io.BytesIO
    ) -> None:
        file.write_bytes(content)
        heir = Bench(file)
        heir.kept.restore()
        assert dict(heir.remembered.items()) == {}
        assert b"not_restored" in lines.getvalue()

    async def test_nothing_there_is_no_fault(self, file: Path, lines: io.BytesIO) -> None:
        Bench(file).kept.restore()
        assert lines.getvalue() == b""

    async def test_a_disk_that_takes_nothing_is_told_and_tried_again(
        self, file: Path, lines: io.BytesIO
    ) -> None:
        bench = Bench(file)
        bench.remembered.keep("a", 1)
        file.mkdir()
        await bench.kept.save()
        assert b"not_kept" in lines.getvalue()
        file.rmdir()
        await bench.kept.save()
        assert file.read_bytes() == b'{"a":"1"}'


class TestKeeping:
    async def test_goes_on_until_the_end(self, file: Path) -> None:
        bench = Bench(file)
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
