"""Requests: what messages of callers mean, and what is wrong with them.

Every fault of a request is collected before it is refused, so that a caller mends it once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from synaptyx.attribution.v1 import attribution_service_pb2, click_pb2

from services.attribution.domain.click_drafts import ClickDraft
from services.attribution.domain.fields import FieldFault, text_fault
from services.attribution.domain.money import Money
from services.attribution.domain.visitors import Device, Visitor
from services.chassis.errors import FieldViolation, InvalidFields
from services.chassis.field_masks import masked
from services.chassis.resource_names import CAMPAIGN, WORKSPACE, Pattern

_Member = TypeVar("_Member")

_PLAIN_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}", re.ASCII)
_LONGEST_TEXT = 255
_DEVICES: Mapping[int, Device | None] = {
    click_pb2.Click.DEVICE_UNSPECIFIED: None,
    **{click_pb2.Click.Device.Value(f"DEVICE_{it.name}"): it for it in Device},
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Faults:
    """Collects what is wrong with a request."""

    def __init__(self) -> None:
        self._violations: list[FieldViolation] = []

    def add(self, field: str, description: str) -> None:
        """Note a fault of a field; the description follows the field's name in a sentence."""
        self._violations.append(FieldViolation(field, description))

    def add_faults(self, faults: Sequence[FieldFault], *, prefix: str = "") -> None:
        """Note faults that the domain found in the message that `prefix` leads to."""
        for fault in faults:
            self.add(prefix + fault.field, fault.description)

    def add_violations(self, violations: Sequence[FieldViolation]) -> None:
        """Note faults as an error tells them."""
        self._violations.extend(violations)

    def check(self, field: str, description: str | None) -> None:
        """Note a fault of a field, if there is one."""
        if description is not None:
            self.add(field, description)

    def raise_any(self) -> None:
        """Refuse the request if anything is wrong with it.

        Raises:
            InvalidFields: something is.
        """
        if self._violations:
            raise InvalidFields(self._violations)

    def name_in(
        self, pattern: Pattern, name: str, *, workspace: str, field: str
    ) -> dict[str, str] | None:
        """Read the name of something else in the same workspace; None if it is empty or wrong."""
        if not name:
            return None
        try:
            ids = pattern.parse(name, field=field)
        except InvalidFields as error:
            self.add_violations(error.violations)
            return None
        if ids["workspace"] != workspace:
            self.add(field, f"must be in {WORKSPACE.format(workspace=workspace)}")
            return None
        return ids

    def time(self, message: Message, field: str, *, path: str) -> datetime | None:
        """Read a Timestamp field to the microsecond; None if it is unset or wrong."""
        if not message.HasField(field):
            return None
        timestamp: Timestamp = getattr(message, field)
        if 0 <= timestamp.nanos <= 999_999_999:
            try:
                return _EPOCH + timedelta(
                    seconds=timestamp.seconds, microseconds=timestamp.nanos // 1000
                )
            except OverflowError:
                pass
        self.add(path, "must be a time in the years 1 to 9999")
        return None

    def duration(self, message: Message, field: str, *, path: str) -> timedelta | None:
        """Read a Duration field to the microsecond; None if it is unset or wrong."""
        if not message.HasField(field):
            return None
        duration: Duration = getattr(message, field)
        try:
            return timedelta(seconds=duration.seconds, microseconds=duration.nanos // 1000)
        except OverflowError:
            self.add(path, "must be a duration within 10,000 years")
            return None

    def text(self, value: str, *, field: str) -> str | None:
        """Read a text that stored ones are compared with; None if it is empty or wrong."""
        self.check(field, text_fault(value, longest=_LONGEST_TEXT))
        return value or None

    def members(
        self, values: Sequence[int], members: Mapping[_Member, int], *, field: str
    ) -> frozenset[_Member]:
        """Read a repeated enum field; the unspecified and unknown values are faults."""
        known = {value: member for member, value in members.items()}
        for index, value in enumerate(values):
            if value not in known:
                self.add(f"{field}[{index}]", "must be one of the named values")
        return frozenset(known[value] for value in values if value in known)


def read_draft(
    request: attribution_service_pb2.RecordClickRequest,
    *,
    workspace: str,
    now: datetime,
    faults: Faults,
    prefix: str = "",
) -> ClickDraft:
    """Read a click that is to be recorded; `prefix` leads to its request within a batch."""
    click = request.click
    if not request.HasField("click"):
        faults.add(f"{prefix}click", "must be set")
    campaign = faults.name_in(
        CAMPAIGN, click.campaign, workspace=workspace, field=f"{prefix}click.campaign"
    )
    cost = Money(click.cost.currency_code, click.cost.minor_units)
    draft = ClickDraft(
        click_id=request.click_id or None,
        campaign_id=campaign["campaign"] if campaign else None,
        clicked_at=faults.time(click, "click_time", path=f"{prefix}click.click_time"),
        referrer=click.referrer or None,
        parameters=dict(click.parameters),
        cost=cost if click.HasField("cost") else None,
        visitor=read_visitor(click),
    )
    if click.device not in _DEVICES:
        faults.add(f"{prefix}click.device", "must be one of the named values")
    faults.add_faults(list(draft.faults(now=now)), prefix=prefix)
    return draft


def read_visitor(click: click_pb2.Click) -> Visitor:
    """Read what is told of the visitor; a device that has no name here is not known."""
    return Visitor(
        browser=click.browser or None,
        device=_DEVICES.get(click.device),
        country=click.country or None,
        ip_address=click.ip_address or None,
    )


def read_plain_id(value: str, *, field: str, faults: Faults, make: Callable[[], str]) -> str:
    """Read the id that a caller chose for a new thing, or make one where it is empty."""
    if not value:
        return make()
    if _PLAIN_ID.fullmatch(value) is None:
        faults.add(field, "must be 1 to 63 of a-z 0-9 -, not starting with -")
    return value


def masked_fields(
    mask: FieldMask, resource: Message, *, changeable: frozenset[str], faults: Faults
) -> frozenset[str]:
    """Return which fields of a resource an update changes, as `field_masks.masked` tells."""
    found = masked(mask, resource, changeable=changeable)
    faults.check("update_mask", found.fault)
    return found.fields


def query_of(request: Message) -> str:
    """Return the text that a token is bound to: the method and all of its filters."""
    asked = type(request)()
    asked.CopyFrom(request)
    for paging in ("page_size", "page_token", "resume_token"):
        if paging in request.DESCRIPTOR.fields_by_name:
            asked.ClearField(paging)
    return f"{request.DESCRIPTOR.full_name} {asked.SerializeToString(deterministic=True).hex()}"
