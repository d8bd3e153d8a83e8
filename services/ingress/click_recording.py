"""Hands clicks to attribution."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from synaptyx.attribution.v1 import click_pb2
from synaptyx.attribution.v1 import tracking_service_pb2 as tracking_pb

from services.chassis.errors import Internal
from services.ingress import user_agents
from services.ingress.links import Link
from services.ingress.visits import read_country, read_query, read_referrer

if TYPE_CHECKING:
    # The generator's stubs name them; at run time there is one class for both.
    from synaptyx.attribution.v1.tracking_service_pb2_grpc import TrackingServiceAsyncStub

LARGEST_BATCH: Final = 500

_DEVICES: Final = {
    user_agents.DESKTOP: click_pb2.Click.DEVICE_DESKTOP,
    user_agents.MOBILE: click_pb2.Click.DEVICE_MOBILE,
    user_agents.TABLET: click_pb2.Click.DEVICE_TABLET,
    user_agents.OTHER: click_pb2.Click.DEVICE_OTHER,
}
_RECORDED: Final = tracking_pb.RecordTrackedClickResult.STATE_RECORDED
_KNOWN: Final = tracking_pb.RecordTrackedClickResult.STATE_KNOWN


class Visit(NamedTuple):
    """One counted visit: what is to be recorded of it.

    `query`, `referrer` and `country` are as they came, for they are read in a row; empty if nothing
    came.
    """

    link: Link
    click_id: str
    at: datetime
    query: str
    referrer: str
    browser: str
    device: str
    country: str
    address: str

    def encoded(self) -> bytes:
        """Write the visit as the wire has it, a third as large as it is in memory.

        It is a request of its own: requests that are put together are one with all their clicks.
        Source: https://protobuf.dev/programming-guides/encoding/#last-one-wins
        """
        link, query = self.link, read_query(self.query)
        request = tracking_pb.RecordTrackedClicksRequest()
        # Filled where it lies: a message that is handed to another one is copied, twice here.
        tracked = request.clicks.add()
        tracked.cost = query.cost
        click = tracked.click
        click.name = f"workspaces/{link.workspace_id}/clicks/{self.click_id}"
        click.campaign = link.campaign
        click.referrer = read_referrer(self.referrer)
        parameters = click.parameters
        for name, value in query.parameters.items():
            parameters[name] = value
        click.browser = self.browser
        click.device = _DEVICES[self.device]
        if self.country:
            click.country = read_country(self.country)
        click.ip_address = self.address
        at = click.click_time
        at.seconds = int(self.at.timestamp())
        at.nanos = self.at.microsecond * 1000
        return request.SerializeToString()


@dataclass(frozen=True, slots=True)
class Recorded:
    """How many clicks of a call are recorded, and how many were refused, by reason."""

    recorded: int
    refused: Counter[str]


class ClickRecording(Protocol):
    """Records clicks."""

    async def record(self, clicks: Sequence[bytes], *, within: timedelta) -> Recorded:
        """Record clicks, 1 to 500, as `Visit.encoded` wrote them.

        Raises:
            SynaptyxError: it is not known whether they were recorded. Safe to repeat.
        """
        ...


class AttributionClicks:
    """Records clicks by calling attribution."""

    def __init__(self, stub: "TrackingServiceAsyncStub") -> None:
        self._stub = stub

    async def record(self, clicks: Sequence[bytes], *, within: timedelta) -> Recorded:
        """Record clicks, 1 to 500, as `Visit.encoded` wrote them.

        Raises:
            SynaptyxError: it is not known whether they were recorded. Safe to repeat.
        """
        request = tracking_pb.RecordTrackedClicksRequest.FromString(b"".join(clicks))
        response = await self._stub.RecordTrackedClicks(request, timeout=within.total_seconds())
        if len(response.results) != len(clicks):
            # Nobody can tell which result is whose; a repeat changes nothing.
            raise Internal
        refused = Counter(
            result.reason for result in response.results if result.state not in (_RECORDED, _KNOWN)
        )
        # One that was known was recorded by a call whose answer was lost.
        return Recorded(len(clicks) - refused.total(), refused)
