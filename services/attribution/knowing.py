"""What the workspaces of a batch know that may earn its payments their credit.

Learned in as few round trips as can be: one for all that the events of a batch name, and another
only where the payments that they are about name more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from asyncpg import Connection

from services.attribution.domain.clicks import Click
from services.attribution.domain.crediting import Knowledge, credit
from services.attribution.domain.facts import (
    CodeKind,
    CodeUsed,
    EventFacts,
    IdKind,
    Provider,
)
from services.attribution.domain.mappings import BY_DEFAULT, EventMapping, Mappings
from services.attribution.domain.payments import standing
from services.attribution.domain.promotion_codes import CampaignCode, code_key
from services.attribution.domain.relatives import Relative
from services.attribution.sources import SourceKey
from services.attribution.store import (
    clicks,
    code_texts,
    codes,
    facts,
    families,
    mappings,
    payments,
)
from services.attribution.store.code_texts import CodeRef
from services.attribution.store.families import FamilyKey
from services.attribution.store.together import Part, ask

_Rows = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be learned, each by its key."""

    sources: set[SourceKey] = field(default_factory=set)
    clicks: set[tuple[str, str]] = field(default_factory=set)
    families: set[FamilyKey] = field(default_factory=set)
    code_keys: set[tuple[str, str]] = field(default_factory=set)
    code_refs: set[CodeRef] = field(default_factory=set)

    def want(self, source: SourceKey, events: Iterable[EventFacts]) -> None:
        """Want all that events of a source name."""
        self.sources.add(source)
        for event in events:
            self.clicks.update((source.workspace_id, id_) for id_ in event.click_ids())
            self.families.update(FamilyKey(*source, *id_) for id_ in event.families())
            for used in event.codes():
                self._want_code(source, used)

    def _want_code(self, source: SourceKey, used: CodeUsed) -> None:
        if used.kind is CodeKind.TEXT:
            self.code_keys.add((source.workspace_id, code_key(used.value)))
        else:
            self.code_refs.add(CodeRef(*source, used.value))

    def without(self, known: Wanted) -> Wanted:
        """Return what is not known yet."""
        return Wanted(
            self.sources - known.sources,
            self.clicks - known.clicks,
            self.families - known.families,
            self.code_keys - known.code_keys,
            self.code_refs - known.code_refs,
        )

    def parts(self) -> list[Part]:
        """Return the look-ups, none for what nobody wants."""
        parts: list[Part] = []
        if self.sources:
            parts.append(mappings.finding(self.sources))
        if self.clicks:
            parts.append(clicks.finding(self.clicks))
        if self.families:
            parts.append(families.finding(self.families))
            parts.append(families.finding_relatives(self.families))
        if self.code_keys:
            parts.append(codes.finding(self.code_keys))
        if self.code_refs:
            parts.append(code_texts.finding(self.code_refs))
            parts.append(code_texts.finding_owners(ref.workspace_id for ref in self.code_refs))
        return parts


class Knowing:
    """What was learned so far."""

    def __init__(self, connection: Connection) -> None:
        """Learn through a connection."""
        self._connection = connection
        self._asked = Wanted()
        self._clicks: dict[str, dict[str, Click]] = {}
        self._windows: dict[str, dict[str, timedelta]] = {}
        # By the id of the conversion, and of those that are none by the id of the payment.
        self._relatives: dict[SourceKey, dict[UUID, Relative]] = {}
        self._codes: dict[str, dict[str, CampaignCode]] = {}
        self._texts: dict[SourceKey, dict[str, str | None]] = {}
        self._code_owners: set[str] = set()
        self._overrides: dict[tuple[str, str], list[EventMapping]] = {}
        self.known_families: set[FamilyKey] = set()

    async def learn(self, wanted: Wanted, others: Sequence[Part] = ()) -> _Rows:
        """Learn what is wanted and not known, and give the rows of other look-ups beside it."""
        missing = wanted.without(self._asked)
        parts = [*others, *missing.parts()]
        if not parts:
            return {}
        rows = await ask(self._connection, parts)
        self._take(missing, rows)
        if rows.get("code_texts"):
            # Which campaigns own the codes whose texts have just become known.
            keys = {
                (ref.workspace_id, code_key(text))
                for ref, text in code_texts.found(rows["code_texts"]).items()
                if text is not None
            }
            await self.learn(Wanted(code_keys=keys))
        if missing.families and self._overrides:
            await self._learn_uncounted(missing.families)
        return rows

    def forget(self, source: SourceKey, conversion_id: UUID) -> None:
        """Forget a conversion that is no more: nobody can carry on its credit."""
        self._relatives.get(source, {}).pop(conversion_id, None)

    def uncounted(self, source: SourceKey) -> list[Relative]:
        """Return the payments that are no conversions and hand their click on."""
        relatives = self._relatives.get(source, {})
        return [each for each in relatives.values() if each.conversion_id is None]

    def of(self, source: SourceKey, *, payment_id: UUID | None = None) -> Knowledge:
        """Return what is known that matters to payments of a source, and to one of them."""
        workspace_id = source.workspace_id
        relatives = self._relatives.get(source)
        if relatives and payment_id in relatives:
            relatives = {key: each for key, each in relatives.items() if key != payment_id}
        return Knowledge(
            clicks=self._clicks.get(workspace_id, {}),
            windows=self._windows.get(workspace_id, {}),
            family=list(relatives.values()) if relatives else (),
            codes=self._codes.get(workspace_id, {}),
            code_texts=self._texts.get(source, {}),
            any_codes=workspace_id in self._code_owners,
        )

    def mappings(self, source: SourceKey, provider: Provider) -> Mappings:
        """Return how the events of a source convert."""
        overrides = self._overrides.get(source)
        return Mappings.effective(provider, overrides) if overrides else BY_DEFAULT[provider]

    async def _learn_uncounted(self, keys: Iterable[FamilyKey]) -> None:
        """Learn of the trials and free starts of subscriptions that do not count.

        Asked for only where a mapping of the source says that amounts of zero do not.
        """
        starts = await payments.uncounted_starts(
            self._connection,
            (
                (key.workspace_id, key.source_id, key.value)
                for key in keys
                if key.kind is IdKind.SUBSCRIPTION and self._leaves_zero_out(key)
            ),
        )
        if not starts:
            return
        events = await facts.of_payments(self._connection, set(starts))
        wanted = Wanted()
        for ref, source_id in starts.items():
            wanted.want(SourceKey(ref.workspace_id, source_id), events[ref])
        await self.learn(wanted)
        for ref, source_id in starts.items():
            source = SourceKey(ref.workspace_id, source_id)
            stands = standing(events[ref], self.mappings(source, Provider.STRIPE))
            if stands.withheld == "zero_amount":
                its_own = credit(stands, replace(self.of(source), family=()), given=None)
                relative = Relative.of_uncounted(
                    stands, its_own.credit, unknown_click_id=its_own.unknown_click_id
                )
                self._relatives.setdefault(source, {})[ref.payment_id] = relative

    def _leaves_zero_out(self, key: FamilyKey) -> bool:
        overrides = self._overrides.get(SourceKey(key.workspace_id, key.source_id), ())
        return any(not each.removed and not each.counts_zero_amounts for each in overrides)

    def _take(self, asked: Wanted, rows: Mapping[str, list[dict[str, Any]]]) -> None:
        for mine, new in zip(_sets(self._asked), _sets(asked), strict=True):
            mine.update(new)
        known_clicks = rows.get("known_clicks", ())
        for (workspace_id, click_id), click in clicks.found(known_clicks).items():
            self._clicks.setdefault(workspace_id, {})[click_id] = click
        for (workspace_id, campaign_id), window in clicks.windows(known_clicks).items():
            self._windows.setdefault(workspace_id, {})[campaign_id] = window
        self._overrides |= mappings.found(rows.get("event_mappings", ()))
        self.known_families |= families.found(rows.get("known_families", ()))
        for source, relatives in families.found_relatives(rows.get("relatives", ())).items():
            self._relatives.setdefault(SourceKey(*source), {}).update(relatives)
        for (workspace_id, key), code in codes.found(rows.get("known_codes", ())).items():
            self._codes.setdefault(workspace_id, {})[key] = code
        for ref, text in code_texts.found(rows.get("code_texts", ())).items():
            source = SourceKey(ref.workspace_id, ref.source_id)
            self._texts.setdefault(source, {})[ref.value] = text
        self._code_owners.update(row["workspace_id"] for row in rows.get("code_owners", ()))


def _sets(wanted: Wanted) -> tuple[set[Any], ...]:
    return (
        wanted.sources,
        wanted.clicks,
        wanted.families,
        wanted.code_keys,
        wanted.code_refs,
    )
