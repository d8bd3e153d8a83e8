"""QueryRevenue: what conversions add up to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from typing import assert_never

from google.type import date_pb2
from synaptyx.attribution.v1 import attribution_service_pb2 as pb
from synaptyx.attribution.v1 import revenue_pb2
from synaptyx.type.v1 import money_pb2

from services.attribution.api import messages
from services.attribution.api.lists import ListPage
from services.attribution.api.requests import Faults
from services.attribution.domain.money import Money
from services.attribution.domain.revenue import Dimension, DimensionKind, RevenueQuery, RevenueRow
from services.attribution.store import revenue
from services.chassis.database import Database
from services.chassis.errors import FieldViolation, InvalidFields
from services.chassis.identity import require_workspace
from services.chassis.resource_names import CAMPAIGN, GOAL, SOURCE, WORKSPACE

_KINDS: Mapping[int, DimensionKind] = {
    revenue_pb2.RevenueDimension.Kind.Value(f"KIND_{kind.name}"): kind for kind in DimensionKind
}


# What an amount of a message can hold.
_LARGEST = 2**63 - 1
_TOO_MUCH = FieldViolation(
    "end_time",
    "must be nearer to start_time: the amounts of this range add up to more than 2^63 - 1 minor"
    " units; some of them must be damaged",
)


class RevenueQueries:
    """Answers QueryRevenue."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def query(self, request: pb.QueryRevenueRequest) -> pb.QueryRevenueResponse:
        """Answer with a page of revenue.

        Raises:
            InvalidFields: something is wrong with the request, or a sum is no amount any more.
        """
        workspace = WORKSPACE.parse(request.parent, field="parent")["workspace"]
        require_workspace(workspace)
        wanted = read_query(request, workspace)
        page = ListPage.of(request)
        async with self._database.read() as tx:
            found = await revenue.list_page(tx, wanted, after=page.cursor, limit=page.limit)
        shown, token = page.cut(found, lambda row: revenue.cursor_of(row, wanted))
        if any(row.largest > _LARGEST for row in shown):
            raise InvalidFields([_TOO_MUCH])
        rows = [to_row(row, wanted) for row in shown]
        return pb.QueryRevenueResponse(rows=rows, next_page_token=token)


def read_query(request: pb.QueryRevenueRequest, workspace: str) -> RevenueQuery:
    """Read what is asked.

    Raises:
        InvalidFields: something is wrong with it.
    """
    faults = Faults()
    source = faults.name_in(SOURCE, request.source, workspace=workspace, field="source")
    campaign = faults.name_in(CAMPAIGN, request.campaign, workspace=workspace, field="campaign")
    goal = faults.name_in(GOAL, request.goal, workspace=workspace, field="goal")
    times = {}
    for field in ("start_time", "end_time"):
        if not request.HasField(field):
            faults.add(field, "must be set")
        times[field] = faults.time(request, field, path=field)
    group_by = _read_dimensions(request, faults)
    start, end = times["start_time"], times["end_time"]
    if start is None or end is None or len(group_by) < len(request.group_by):
        faults.raise_any()
    assert start is not None
    assert end is not None
    wanted = RevenueQuery(
        workspace_id=workspace,
        paid_from=start,
        paid_before=end,
        group_by=group_by,
        time_zone=request.time_zone or "UTC",
        include_test=request.include_test,
        source_id=source["source"] if source else None,
        campaign_id=campaign["campaign"] if campaign else None,
        goal_id=goal["goal"] if goal else None,
        currency=request.currency_code or None,
    )
    faults.add_faults([*wanted.faults()])
    faults.raise_any()
    return wanted


def _read_dimensions(request: pb.QueryRevenueRequest, faults: Faults) -> tuple[Dimension, ...]:
    dimensions = []
    for index, each in enumerate(request.group_by):
        kind = _KINDS.get(each.kind)
        if kind is None:
            faults.add(f"group_by[{index}].kind", "must be one of the named values")
        else:
            dimensions.append(Dimension(kind, each.parameter or None))
    return tuple(dimensions)


def to_row(row: RevenueRow, query: RevenueQuery) -> revenue_pb2.RevenueRow:
    """Write a row that answers a query."""
    message = revenue_pb2.RevenueRow(
        currency_code=row.currency,
        gross=_money(row, row.gross),
        refunded=_money(row, row.refunded),
        disputed=_money(row, row.disputed),
        net=_money(row, row.net),
        conversion_count=row.conversions,
        renewal_count=row.renewals,
        refund_rate=_number(row.refund_rate),
        cost=_money(row, row.cost),
        return_on_cost=_number(row.return_on_cost),
    )
    for dimension, value in zip(query.group_by, row.group, strict=True):
        if value is not None:
            _set_group(message, dimension, value, workspace=query.workspace_id)
    return message


def _set_group(
    message: revenue_pb2.RevenueRow, dimension: Dimension, value: date | str, *, workspace: str
) -> None:
    text = str(value)
    match dimension.kind:
        case DimensionKind.CAMPAIGN:
            message.campaign = CAMPAIGN.format(workspace=workspace, campaign=text)
        case DimensionKind.GOAL:
            message.goal = GOAL.format(workspace=workspace, goal=text)
        case DimensionKind.SOURCE:
            message.source = SOURCE.format(workspace=workspace, source=text)
        case DimensionKind.DAY:
            assert isinstance(value, date)
            day = date_pb2.Date(year=value.year, month=value.month, day=value.day)
            message.day.CopyFrom(day)
        case DimensionKind.CLICK_PARAMETER:
            assert dimension.parameter is not None
            message.click_parameters[dimension.parameter] = text
        case _:
            assert_never(dimension.kind)


def _money(row: RevenueRow, minor_units: int | None) -> money_pb2.Money | None:
    return None if minor_units is None else messages.to_money(Money(row.currency, minor_units))


def _number(ratio: Fraction | None) -> float | None:
    return None if ratio is None else float(ratio)
