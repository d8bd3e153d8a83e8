"""Follow the changes of conversions, over streams that break, and see that none is missing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import grpc
from synaptyx.attribution.v1 import attribution_service_pb2 as pb
from synaptyx.attribution.v1 import conversion_change_pb2
from synaptyx.attribution.v1.conversion_pb2 import Conversion

from tests.operator import Operator

WITHIN_SECONDS = 60.0


class Follower:
    """Follows the changes of a workspace, and knows of each conversion what they made of it."""

    def __init__(self, operator: Operator, workspace: str) -> None:
        self._operator = operator
        self._workspace = workspace
        self.known: dict[str, Conversion] = {}
        self.changes = 0
        self.broken_off = 0
        # A first heartbeat says where the changes from now on begin.
        with self._watch("") as stream:
            self._token = next(stream).resume_token

    def follow(self, *, until: Callable[[], bool]) -> None:
        """Follow until something is so, from where it was left, over streams that break."""
        ends = time.monotonic() + WITHIN_SECONDS
        while not until():
            assert time.monotonic() < ends, self.changes
            try:
                self._follow(until)
            except grpc.RpcError as error:
                if error.code() is not grpc.StatusCode.UNAVAILABLE:
                    raise
                self.broken_off += 1
                time.sleep(0.2)

    def _follow(self, until: Callable[[], bool]) -> None:
        with self._watch(self._token) as stream:
            for response in stream:
                for change in response.changes:
                    self._apply(change)
                self._token = response.resume_token
                if until():
                    return

    def _apply(self, change: conversion_change_pb2.ConversionChange) -> None:
        # Each change begins where the one before has ended: none is missing, none comes twice.
        before = self.known.pop(change.before.name, None) if change.HasField("before") else None
        assert (before is None) == (not change.HasField("before"))
        assert before is None or before == change.before
        if change.HasField("after"):
            assert change.after.name not in self.known
            self.known[change.after.name] = change.after
        self.changes += 1

    @contextmanager
    def _watch(self, token: str) -> Iterator[Iterator[pb.WatchConversionsResponse]]:
        request = pb.WatchConversionsRequest(parent=self._workspace, resume_token=token)
        stream = self._operator.attribution.WatchConversions(request, timeout=WITHIN_SECONDS)
        try:
            yield iter(stream)
        finally:
            stream.cancel()


def as_watched(listed: Iterable[Conversion]) -> dict[str, Conversion]:
    """Give listed conversions as changes tell of them: without their ids and their etag."""
    told: dict[str, Conversion] = {}
    for conversion in listed:
        message = told[conversion.name] = Conversion()
        message.CopyFrom(conversion)
        message.ClearField("provider_ids")
        message.ClearField("etag")
    return told
