import asyncio
import io
import json
from datetime import timedelta

from services.chassis.errors import DependencyUnavailable
from tests.unit.ingress.buffering import MIB, Bench

AWAY = DependencyUnavailable("attribution")


class TestHandingOver:
    async def test_nobody_waits_for_it(self) -> None:
        bench = Bench()
        bench.memory.open.clear()

        assert bench.add(b"a", b"b") == [True, True]

        assert bench.buffer.waiting() == 2
        bench.memory.open.set()
        await bench.until_empty()

    async def test_clicks_of_one_moment_go_together_in_their_order(self, counted) -> None:
        bench = Bench()
        clicks = bench.add_many(20)

        await bench.until_empty()

        assert bench.memory.batches == [clicks]
        assert bench.buffer.held_bytes() == 0
        assert counted["recorded_total"] == 20

    async def test_a_call_has_at_most_500_of_them(self) -> None:
        bench = Bench()
        clicks = bench.add_many(1200)

        await bench.until_empty()

        assert [len(batch) for batch in bench.memory.batches] == [500, 500, 200]
        assert bench.memory.recorded == clicks

    async def test_a_call_has_no_more_bytes_than_attribution_takes(self) -> None:
        bench = Bench(limit_bytes=64 * MIB)
        clicks = [b"%05d" % number + b"x" * 20_000 for number in range(500)]
        bench.add(*clicks)

        await bench.until_empty()

        assert max(sum(map(len, batch)) for batch in bench.memory.batches) <= 4 * MIB
        assert len(bench.memory.batches) < 5
        assert bench.memory.recorded == clicks

    async def test_a_click_larger_than_that_still_goes(self) -> None:
        bench = Bench(limit_bytes=64 * MIB)
        large = b"x" * 5 * MIB
        bench.add(b"a", large, b"b")

        await bench.until_empty()

        assert bench.memory.batches == [[b"a"], [large], [b"b"]]

    async def test_so_many_wait_for_no_more_company(self) -> None:
        bench = Bench()
        bench.add(b"first")
        await bench.settle()
        assert bench.memory.batches == []

        bench.add_many(499)
        await bench.settle()

        assert [len(batch) for batch in bench.memory.batches] == [500]

    async def test_what_comes_during_a_call_goes_with_the_next(self) -> None:
        bench = Bench()
        bench.memory.open.clear()
        bench.add(b"a")
        await bench.memory.until(lambda: bench.memory.batches == [[b"a"]])
        bench.add(b"b", b"c")
        bench.memory.open.set()

        await bench.until_empty()

        assert bench.memory.batches == [[b"a"], [b"b", b"c"]]

    async def test_what_comes_in_the_moment_in_which_all_was_handed_over_goes_too(self) -> None:
        bench = Bench()
        loop = asyncio.get_running_loop()
        bench.memory.ending.append(lambda: loop.call_soon(bench.add, b"b"))
        bench.add(b"a")

        await bench.memory.until(lambda: b"b" in bench.memory.recorded)

    async def test_what_is_refused_is_counted_and_not_sent_again(self, counted) -> None:
        bench = Bench()
        bench.memory.refused = {b"b": "campaign_not_found", b"c": "campaign_archived"}
        bench.add(b"a", b"b", b"c")

        await bench.until_empty()

        assert bench.memory.batches == [[b"a", b"b", b"c"]]
        assert counted["recorded_total"] == 1
        assert counted["refused_total:campaign_not_found"] == 1
        assert counted["refused_total:campaign_archived"] == 1


class TestOutage:
    async def test_a_call_is_repeated_until_it_is_answered(self, counted) -> None:
        bench = Bench()
        bench.memory.failures = [AWAY, AWAY, AWAY]
        clicks = bench.add_many(3)

        await bench.until_empty()

        assert bench.memory.batches == [clicks] * 4
        assert bench.memory.recorded == clicks
        assert counted["lost_total"] == 0
        assert bench.buffer.held_bytes() == 0

    async def test_clicks_whose_answer_is_lost_are_recorded_once(self) -> None:
        bench = Bench()
        bench.memory.answers_lost = [AWAY, AWAY]
        clicks = bench.add_many(3)

        await bench.until_empty()

        assert bench.memory.batches == [clicks] * 3
        assert bench.memory.recorded == clicks

    async def test_an_outage_writes_two_lines(self, lines: io.BytesIO) -> None:
        bench = Bench()
        bench.memory.failures = [AWAY, AWAY, AWAY]
        bench.add(b"a")

        await bench.until_empty()

        told = [json.loads(line)["event"] for line in lines.getvalue().splitlines()]
        assert told == ["attribution_does_not_record_clicks", "attribution_records_clicks_again"]

    async def test_after_a_bug_the_clicks_stay_and_the_next_one_takes_them_along(self) -> None:
        bench = Bench()
        bench.memory.failures = [ZeroDivisionError()]
        bench.add(b"a")
        await bench.memory.until(lambda: not bench.memory.failures)
        await bench.settle()
        assert bench.buffer.waiting() == 1

        bench.add(b"b")
        await bench.until_empty()

        assert bench.memory.recorded == [b"a", b"b"]


class TestBound:
    async def test_what_finds_no_room_is_dropped_and_counted(self, counted, lines) -> None:
        bench = Bench(limit_bytes=300)
        bench.memory.open.clear()

        taken = bench.add(*[b"x" * 52] * 5)

        assert taken == [True, True, True, False, False]
        assert bench.buffer.held_bytes() <= 300
        assert counted["dropped_total"] == 2
        assert lines.getvalue().count(b"clicks_dropped") == 1
        bench.memory.open.set()
        await bench.until_empty()

    async def test_the_smallest_clicks_have_a_bound_too(self) -> None:
        bench = Bench(limit_bytes=1000)
        bench.memory.open.clear()

        assert sum(bench.add(*[b"x"] * 100)) <= 20

        bench.memory.open.set()
        await bench.until_empty()

    async def test_there_is_room_again_once_they_are_recorded(self) -> None:
        bench = Bench(limit_bytes=100)
        assert bench.add(b"x" * 50, b"y" * 50) == [True, False]
        await bench.until_empty()

        assert bench.add(b"z" * 50) == [True]
        await bench.until_empty()

        assert bench.memory.recorded == [b"x" * 50, b"z" * 50]


class TestUnreadable:
    async def test_it_falls_out_alone(self, counted) -> None:
        bench = Bench()
        clicks = bench.add_many(200)
        bench.memory.unreadable = {clicks[37]}

        await bench.until_empty()

        assert bench.memory.recorded == clicks[:37] + clicks[38:]
        assert len(bench.memory.batches) < 20
        assert counted["refused_total:unreadable"] == 1
        assert counted["recorded_total"] == 199

    async def test_many_of_them_end(self) -> None:
        bench = Bench()
        bench.memory.unreadable = set(bench.add_many(16))

        await bench.until_empty()

        assert bench.memory.recorded == []
        assert len(bench.memory.batches) == 31

    async def test_an_outage_on_the_way_repeats_only_what_was_not_answered(self, counted) -> None:
        bench = Bench()
        bench.memory.unreadable = {b"a"}
        bench.memory.refused = {b"b": "campaign_not_found"}
        # The whole, its first half, the first of that, the second of that, the second half.
        bench.memory.failures = [None, None, None, None, AWAY]
        bench.add(b"a", b"b", b"c", b"d")

        await bench.until_empty()

        assert bench.memory.batches[-2:] == [[b"c", b"d"], [b"c", b"d"]]
        assert counted["refused_total:unreadable"] == 1
        assert counted["refused_total:campaign_not_found"] == 1
        assert bench.memory.recorded == [b"c", b"d"]


class TestPoisonous:
    async def test_one_that_attribution_fails_at_holds_none_of_the_others_up(self) -> None:
        bench = Bench()
        clicks = bench.add_many(1200)
        bench.memory.poisonous = {clicks[3], clicks[700]}

        await bench.memory.until(lambda: len(bench.memory.recorded) == 1198)

        assert set(bench.memory.recorded) == set(clicks) - bench.memory.poisonous
        assert bench.buffer.waiting() == 2

    async def test_it_is_recorded_once_attribution_is_mended(self) -> None:
        bench = Bench()
        bench.memory.poisonous = {b"b"}
        bench.add(b"a", b"b", b"c")
        await bench.memory.until(lambda: len(bench.memory.recorded) == 2)

        bench.memory.poisonous = set()

        await bench.until_empty()
        assert sorted(bench.memory.recorded) == [b"a", b"b", b"c"]

    async def test_where_all_fail_few_calls_are_made(self) -> None:
        bench = Bench()
        bench.memory.poisonous = set(bench.add_many(500))

        await bench.memory.until(lambda: [len(it) for it in bench.memory.batches[-1:]] == [1])

        # The half of the half, to the first one.
        assert [len(it) for it in bench.memory.batches] == [500, 250, 125, 62, 31, 15, 7, 3, 1]
        assert bench.buffer.waiting() == 500


class TestClosing:
    async def test_what_waits_is_handed_over(self) -> None:
        bench = Bench()
        clicks = bench.add_many(700)

        await bench.buffer.close(within=timedelta(seconds=5))

        assert bench.memory.recorded == clicks

    async def test_a_call_that_fails_is_repeated_for_as_long_as_there_is_time(self) -> None:
        bench = Bench()
        bench.memory.failures = [AWAY, AWAY]
        bench.add(b"a")

        await bench.buffer.close(within=timedelta(seconds=5))

        assert bench.memory.recorded == [b"a"]

    async def test_what_a_bug_left_behind_is_tried_once_more(self) -> None:
        bench = Bench()
        bench.memory.failures = [ZeroDivisionError()]
        bench.add(b"a")
        await bench.memory.until(lambda: not bench.memory.failures)
        await bench.settle()

        await bench.buffer.close(within=timedelta(seconds=5))

        assert bench.memory.recorded == [b"a"]

    async def test_it_ends_in_time_and_tells_what_is_lost(self, counted, lines) -> None:
        bench = Bench()
        bench.memory.open.clear()
        bench.add_many(3)

        async with asyncio.timeout(5):
            await bench.buffer.close(within=timedelta(seconds=0.1))

        assert counted["lost_total"] == 3
        (line,) = lines.getvalue().splitlines()
        assert json.loads(line)["event"] == "clicks_lost"
        assert json.loads(line)["clicks"] == 3

    async def test_without_clicks_it_is_over_at_once(self, counted) -> None:
        bench = Bench()

        await bench.buffer.close(within=timedelta())

        assert counted["lost_total"] == 0
        assert bench.memory.batches == []
