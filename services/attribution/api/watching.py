"""WatchConversions: every change of a conversion, as it is made."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass

from synaptyx.attribution.v1 import attribution_service_pb2 as pb
from synaptyx.attribution.v1 import conversion_change_pb2

from services.attribution.api.conversion_messages import write_conversion
from services.attribution.api.messages import write_time
from services.attribution.api.requests import Faults, query_of
from services.attribution.domain.conversions import Conversion
from services.attribution.store.changes import Change
from services.attribution.watching import Update, Watcher
from services.chassis.errors import InvalidPageToken, InvalidResumeToken
from services.chassis.identity import require_workspace
from services.chassis.paging import next_token, read_token
from services.chassis.resource_names import CAMPAIGN, SOURCE, WORKSPACE

# As many digits as a bigint may have, less one: no stream ever counts so far.
_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)

# In bytes. A client takes 4 MiB unless it says otherwise, and one change has some 150 KiB at most.
_LARGE = 256 * 1024


@dataclass(frozen=True, slots=True)
class ChangeFilter:
    """Which changes are wanted: all that is set must hold, before the change or after it."""

    source_id: str | None
    campaign_id: str | None

    def passes(self, change: Change) -> bool:
        """Tell whether a change is wanted."""
        return self._passes(change.before) or self._passes(change.after)

    def _passes(self, conversion: Conversion | None) -> bool:
        if conversion is None or self.source_id not in (None, conversion.source_id):
            return False
        if self.campaign_id is None:
            return True
        return conversion.credit is not None and conversion.credit.campaign_id == self.campaign_id


class ConversionStreams:
    """Answers WatchConversions."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher

    async def watch(
        self, request: pb.WatchConversionsRequest
    ) -> AsyncGenerator[pb.WatchConversionsResponse, None]:
        """Yield changes and heartbeats until the stream ends."""
        workspace = WORKSPACE.parse(request.parent, field="parent")["workspace"]
        require_workspace(workspace)
        wanted = _read_filter(request, workspace)
        query = query_of(request)
        after = read_resume_token(request.resume_token, query=query)
        updates = self._watcher.watch(workspace, after=after, wanted=wanted.passes)
        async with aclosing(updates):
            async for update in updates:
                for response in to_responses(update, query=query):
                    yield response


def _read_filter(request: pb.WatchConversionsRequest, workspace: str) -> ChangeFilter:
    faults = Faults()
    source = faults.name_in(SOURCE, request.source, workspace=workspace, field="source")
    campaign = faults.name_in(CAMPAIGN, request.campaign, workspace=workspace, field="campaign")
    faults.raise_any()
    return ChangeFilter(
        source_id=source["source"] if source else None,
        campaign_id=campaign["campaign"] if campaign else None,
    )


def read_resume_token(token: str, *, query: str) -> int | None:
    """Return the number of the change that a token stands for; None where there is no token.

    Raises:
        InvalidResumeToken: the token was not made for this query.
    """
    if not token:
        return None
    try:
        cursor = read_token(token, query=query)
    except InvalidPageToken:
        raise InvalidResumeToken from None
    if len(cursor) != 1 or _NUMBER.fullmatch(cursor[0]) is None:
        raise InvalidResumeToken
    return int(cursor[0])


def to_responses(update: Update, *, query: str) -> Iterator[pb.WatchConversionsResponse]:
    """Write an update, in more than one message if it is large."""
    response = pb.WatchConversionsResponse()
    size = 0
    for change in update.changes:
        message = response.changes.add()
        write_change(message, change)
        size += message.ByteSize()
        if size >= _LARGE:
            response.resume_token = next_token(query, [str(change.number)])
            yield response
            response, size = pb.WatchConversionsResponse(), 0
    # Also what was not wanted of the changes is behind it.
    response.resume_token = next_token(query, [str(update.number)])
    if response.changes or not update.changes:
        yield response


def write_change(message: conversion_change_pb2.ConversionChange, change: Change) -> None:
    """Write a change: what the row of the conversion said before and after, and no more."""
    if change.before is not None:
        write_conversion(message.before, change.before)
    if change.after is not None:
        write_conversion(message.after, change.after)
    write_time(message.change_time, change.changed_at)
