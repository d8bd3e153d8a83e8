"""Previews of event mappings: what a request proposes, and what would come of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from synaptyx.attribution.v1 import campaign_service_pb2 as pb
from synaptyx.type.v1 import money_pb2

from services.attribution.api.messages import to_timestamp
from services.attribution.api.requests import Faults
from services.attribution.domain.facts import Provider
from services.attribution.domain.mappings import CONVERTIBLE, EventMapping
from services.attribution.domain.previews import Tally
from services.attribution.previewing import Preview
from services.chassis.errors import InvalidFields
from services.chassis.resource_names import EVENT_MAPPING, GOAL

_LONGEST = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` on and before `end`."""

    start: datetime
    end: datetime


def read_period(
    request: pb.PreviewEventMappingsRequest, faults: Faults, *, now: datetime
) -> Period:
    """Read the time that a preview looks at: the last 30 days at most, and by default."""
    start = faults.time(request, "start_time", path="start_time")
    end = faults.time(request, "end_time", path="end_time") or now
    # Whoever asks for 30 days has not reckoned with the time that the call takes.
    if start is not None and start < now - _LONGEST - timedelta(minutes=5):
        faults.add("start_time", "must be at most 30 days ago")
    start = start or now - _LONGEST
    if start >= end:
        faults.add("end_time", "must be later than start_time")
    return Period(start, end)


def read_proposal(
    request: pb.PreviewEventMappingsRequest, faults: Faults, *, provider: Provider
) -> list[EventMapping]:
    """Read the mappings that are to be tried, at most one for each type of event."""
    proposed: dict[str, EventMapping] = {}
    for index, sent in enumerate(request.event_mappings):
        place = f"event_mappings[{index}]"
        try:
            ids = EVENT_MAPPING.parse(sent.name, field=f"{place}.name")
        except InvalidFields as error:
            faults.add_violations(error.violations)
            continue
        event_type = ids["event_mapping"]
        if not sent.name.startswith(f"{request.parent}/"):
            faults.add(f"{place}.name", "must be a mapping of the source in parent")
        elif event_type in proposed:
            faults.add(f"{place}.name", "must not be there twice")
        elif event_type not in CONVERTIBLE[provider]:
            faults.add(f"{place}.name", no_convertible(provider))
        goal = faults.name_in(GOAL, sent.goal, workspace=ids["workspace"], field=f"{place}.goal")
        proposed[event_type] = EventMapping(
            workspace_id=ids["workspace"],
            source_id=ids["source"],
            event_type=event_type,
            goal_id=goal["goal"] if goal else None,
            counts_zero_amounts=sent.count_zero_amounts,
            created_at=None,
            updated_at=None,
        )
    return list(proposed.values())


def no_convertible(provider: Provider) -> str:
    """Say which types of event a source of a provider can map."""
    return (
        f"must be a type of event that tells of money: {', '.join(sorted(CONVERTIBLE[provider]))}"
    )


def to_preview(preview: Preview) -> pb.PreviewEventMappingsResponse:
    """Write what would come of a proposal."""
    present, proposed = preview.present, preview.proposed
    return pb.PreviewEventMappingsResponse(
        event_types=[
            pb.PreviewEventMappingsResponse.EventTypePreview(
                event_type=event_type,
                event_count=preview.events[event_type],
                present=_tally(present.by_type.get(event_type, Tally())),
                proposed=_tally(proposed.by_type.get(event_type, Tally())),
            )
            for event_type in sorted(preview.events)
        ],
        present=_tally(present.total),
        proposed=_tally(proposed.total),
        event_count=preview.events.total(),
        unreadable_event_count=preview.unreadable,
        start_time=to_timestamp(preview.start),
        end_time=to_timestamp(preview.end),
        truncated=preview.truncated,
    )


def _tally(tally: Tally) -> pb.PreviewEventMappingsResponse.Tally:
    return pb.PreviewEventMappingsResponse.Tally(
        conversion_count=tally.conversions,
        gross=_amounts(tally.gross),
        net=_amounts(tally.net),
    )


def _amounts(by_currency: Mapping[str, int]) -> list[money_pb2.Money]:
    return [
        money_pb2.Money(currency_code=currency, minor_units=by_currency[currency])
        for currency in sorted(by_currency)
    ]
