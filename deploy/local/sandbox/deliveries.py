"""Post events to webhook endpoints, and try again as the providers do."""

import asyncio
import contextlib
import functools
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from random import Random

import aiohttp

from deploy.local.sandbox.state import JsonObject, State
from services.chassis.clock import Clock

# Stripe publishes no time-out; 10 s is the longest that its checkout waits. Polar's is 10 s.
ANSWER_WITHIN = timedelta(seconds=10)
KEPT_RESPONSE = 2048
KEPT_DELIVERIES = 1000
AT_ONCE = 64

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Retrying:
    """How often, and how long after each failure, a delivery is tried again."""

    unit: timedelta
    """The wait after the n-th failure is unit x 2^n, times a random number from 1 to 2."""
    most: timedelta
    """No wait is longer."""
    attempts: int
    """How many attempts there are in all."""

    def after(self, failures: int, random: Random) -> timedelta:
        """Give the wait after the `failures`-th failure, counted from 1."""
        return min(self.most, self.unit * (1 << min(failures, 20)) * random.uniform(1, 2))


class Courier:
    """Carries deliveries; a delivery is a JSON object in the state, so a restart goes on.

    A 2xx answer is success. Everything else, a redirect too, is failure and tried again: the
    same body and id, with a new time and signature.
    """

    def __init__(
        self,
        state: State,
        *,
        sign: Callable[[JsonObject], Mapping[str, str] | None],
        retrying: Retrying,
        in_order: bool,
        clock: Clock,
        random: Random,
        done: Callable[[JsonObject], None],
    ) -> None:
        """Make a courier.

        Args:
            state: holds the deliveries in `document["deliveries"]`.
            sign: gives the headers of an attempt; None gives the delivery up.
            retrying: when to try again.
            in_order: hold the first attempt until those of earlier events were made.
            clock: tells the time.
            random: spreads the waits.
            done: is told of a delivery that succeeded or was given up.
        """
        self._state = state
        self._sign = sign
        self._retrying = retrying
        self._in_order = in_order
        self._clock = clock
        self._random = random
        self._done = done
        self._lines: dict[str, asyncio.Lock] = {}
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Begin, with what an earlier run left undelivered."""
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=ANSWER_WITHIN.total_seconds()),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        for delivery in list(self._deliveries.values()):
            if delivery["state"] == "pending":
                self._begin(delivery)

    async def close(self) -> None:
        """End; what is undelivered stays in the state."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def send(self, delivery_id: str, *, endpoint: str, url: str, event: JsonObject) -> JsonObject:
        """Send an event (`id`, `type`, `body`) to an endpoint, and give the delivery."""
        delivery: JsonObject = {
            "id": delivery_id,
            "endpoint": endpoint,
            "url": url,
            "event": event["id"],
            "type": event["type"],
            "body": event["body"],
            "created": self._clock.now().timestamp(),
            "state": "pending",
            "attempts": [],
        }
        self._deliveries[delivery_id] = delivery
        self._forget_old()
        self._state.changed()
        self._begin(delivery)
        return delivery

    def list(self, *, event: str | None = None) -> list[JsonObject]:
        """Give the deliveries, or those of one event, oldest first."""
        found = self._deliveries.values()
        return [one for one in found if event is None or one["event"] == event]

    def skip(self, endpoint: str) -> None:
        """Give up what is pending for an endpoint."""
        for delivery in self._deliveries.values():
            if delivery["endpoint"] == endpoint and delivery["state"] == "pending":
                delivery["state"] = "skipped"
        self._state.changed()

    @property
    def _deliveries(self) -> dict[str, JsonObject]:
        found: dict[str, JsonObject] = self._state.document["deliveries"]
        return found

    def _forget_old(self) -> None:
        excess = len(self._deliveries) - KEPT_DELIVERIES
        ended = (key for key, one in self._deliveries.items() if one["state"] != "pending")
        for key in [key for key, _ in zip(ended, range(excess), strict=False)]:
            del self._deliveries[key]

    def _begin(self, delivery: JsonObject) -> None:
        task = asyncio.create_task(self._carry(delivery))
        self._tasks.add(task)
        task.add_done_callback(functools.partial(self._ended, delivery))

    def _ended(self, delivery: JsonObject, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            # A fault of ours: no endpoint has failed, and another attempt would end likewise.
            delivery["state"] = "failed"
            self._state.changed()
            _log.error("The delivery %s could not be made", delivery["id"], exc_info=error)

    async def _carry(self, delivery: JsonObject) -> None:
        line = self._lines.setdefault(delivery["endpoint"], asyncio.Lock())
        held: contextlib.AbstractAsyncContextManager[object] = contextlib.nullcontext()
        if self._in_order and not delivery["attempts"]:
            held = line
        async with held:
            await self._attempt(delivery)
        while delivery["state"] == "pending":
            failures = len(delivery["attempts"])
            wait = self._retrying.after(failures, self._random)
            await asyncio.sleep(wait.total_seconds())
            if delivery["state"] == "pending":
                await self._attempt(delivery)

    async def _attempt(self, delivery: JsonObject) -> None:
        headers = self._sign(delivery)
        if headers is None:
            delivery["state"] = "skipped"
            self._state.changed()
            return
        at = self._clock.now().timestamp()
        status, response = await self._post(delivery, headers)
        delivery["attempts"].append({"at": at, "status": status, "response": response})
        if delivery["state"] == "pending":
            if status is not None and 200 <= status < 300:
                delivery["state"] = "delivered"
            elif len(delivery["attempts"]) >= self._retrying.attempts:
                delivery["state"] = "failed"
        self._state.changed()
        if delivery["state"] != "pending":
            self._done(delivery)

    async def _post(
        self, delivery: JsonObject, headers: Mapping[str, str]
    ) -> tuple[int | None, str]:
        if self._session is None:
            raise RuntimeError("the courier is not open")
        try:
            async with (
                self._at_once,
                self._session.post(
                    delivery["url"],
                    data=delivery["body"].encode(),
                    headers=headers,
                    allow_redirects=False,
                ) as answer,
            ):
                content = await answer.content.read(KEPT_RESPONSE)
                return answer.status, content.decode(errors="replace")
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            return None, type(error).__name__
