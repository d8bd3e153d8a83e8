import asyncio
import io
from datetime import timedelta
from pathlib import Path

from services.ingress.click_spool import FileSpool
from services.ingress.state_directory import StateDirectory
from tests.unit.ingress.buffering import MIB, Bench
from tests.unit.ingress.recording_memory import Counted


class TestOutlivingTheProcess:
    """With a spool, what waits is there again after any end of the process."""

    async def test_what_was_not_handed_over_is_handed_over_by_the_next_process(
        self, tmp_path: Path, lines: io.BytesIO
    ) -> None:
        killed = Bench(spool=FileSpool(tmp_path))
        killed.memory.open.clear()
        clicks = killed.add_many(1200)
        killed.buffer.flush()

        heir = Bench(spool=FileSpool(tmp_path))
        heir.buffer.begin()
        await heir.until_empty()

        assert heir.memory.recorded == clicks
        assert b"clicks_recovered" in lines.getvalue()
        assert FileSpool(tmp_path).recover(limit_bytes=MIB) == []
        await killed.buffer.close(within=timedelta())

    async def test_what_was_handed_over_is_not_there_any_more(self, tmp_path: Path) -> None:
        bench = Bench(spool=FileSpool(tmp_path))
        bench.add_many(600)
        bench.buffer.flush()
        await bench.until_empty()
        assert FileSpool(tmp_path).recover(limit_bytes=MIB) == []

    async def test_what_waits_behind_others_is_kept_too(self, tmp_path: Path) -> None:
        bench = Bench(spool=FileSpool(tmp_path))
        bench.memory.poisonous = {b"00003"}
        clicks = bench.add_many(9)
        bench.buffer.flush()
        async with asyncio.timeout(10):
            while bench.buffer.waiting() > 1:
                await asyncio.sleep(0.01)
        # The file has those that are done as well: to record them again changes nothing.
        assert FileSpool(tmp_path).recover(limit_bytes=MIB)[-1] == b"00003"

        bench.memory.poisonous = set()
        await bench.until_empty()
        assert sorted(bench.memory.recorded) == clicks
        assert FileSpool(tmp_path).recover(limit_bytes=MIB) == []

    async def test_an_end_in_order_leaves_what_waits_and_loses_nothing(
        self, tmp_path: Path, counted: Counted, lines: io.BytesIO
    ) -> None:
        bench = Bench(spool=FileSpool(tmp_path))
        bench.memory.open.clear()
        clicks = bench.add_many(9)
        await bench.buffer.close(within=timedelta(milliseconds=10))
        assert counted["lost_total"] == 0
        assert b"clicks_left_for_the_next_process" in lines.getvalue()
        assert FileSpool(tmp_path).recover(limit_bytes=MIB) == clicks

    async def test_they_count_against_the_bound(self, tmp_path: Path) -> None:
        killed = Bench(spool=FileSpool(tmp_path))
        killed.memory.open.clear()
        killed.add_many(100)
        await killed.buffer.close(within=timedelta())

        heir = Bench(spool=FileSpool(tmp_path), limit_bytes=101 * (5 + 48))
        heir.memory.open.clear()
        heir.buffer.begin()
        assert heir.buffer.waiting() == 100
        assert heir.add(b"00101", b"00102") == [True, False]
        await heir.buffer.close(within=timedelta())

    async def test_one_process_hands_over_what_several_have_left(self, tmp_path: Path) -> None:
        ended = [StateDirectory(tmp_path) for _ in range(3)]
        for number, state in enumerate(ended):
            spool = FileSpool(state.own, abandoned=state.abandoned)
            assert spool.recover(limit_bytes=MIB) == []
            spool.append(b"%d" % number)
            spool.flush()
            spool.close()
        for state in ended[1:]:
            state.close()

        heir = StateDirectory(tmp_path)
        bench = Bench(spool=FileSpool(heir.own, abandoned=heir.abandoned))
        bench.buffer.begin()
        await bench.until_empty()
        assert sorted(bench.memory.recorded) == [b"1", b"2"]
        assert FileSpool(ended[0].own).recover(limit_bytes=MIB) == [b"0"]
        heir.close()
        ended[0].close()
