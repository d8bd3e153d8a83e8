"""Webhook logs: the reviewable row of each delivery."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.attribution.domain.facts import Provider
from services.attribution.domain.outcomes import Outcome


class Origin(StrEnum):
    """Where an event came from."""

    WEBHOOK = "webhook"
    RECONCILIATION = "reconciliation"


@dataclass(frozen=True, slots=True)
class LogRow:
    """What became of one delivery, without its body.

    `received_at` is the millisecond time inside the UUIDv7 `log_id`. `event_id` and `event_type`
    are empty for a delivery that was refused; `delivery_count` is how many refused deliveries the
    row stands for, 1 for every other row. `first_outcome` is what was answered at first, where
    the outcome was settled later, at `resolved_at`.
    """

    workspace_id: str
    source_id: str
    log_id: UUID
    received_at: datetime
    provider: Provider
    origin: Origin
    event_id: str
    event_type: str
    outcome: Outcome
    reason: str
    conversion_id: UUID | None
    test: bool
    delivery_count: int
    first_outcome: Outcome | None = None
    resolved_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SealedBody:
    """The raw body of a delivery as it is stored: encrypted, with what it takes to open it."""

    key_id: str
    format: int
    ciphertext: bytes
