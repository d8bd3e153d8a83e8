"""The promotion codes of campaigns: one code belongs to one campaign, held by the database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ARRAY, Text, any_, cast, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from services.attribution.domain.campaigns import Campaign
from services.attribution.domain.promotion_codes import CampaignCode, code_key
from services.attribution.store.schema import campaign_codes as table
from services.attribution.store.together import Part
from services.chassis.database import WriteTransaction

# LIMIT keeps each look-up by itself, by its key; see store/payments.py.
_FIND = """
SELECT code.*
FROM unnest($1::text[], $2::text[]) AS wanted (workspace_id, code_key)
CROSS JOIN LATERAL (
    SELECT workspace_id, code_key, campaign_id, code, (
        SELECT archived_at IS NOT NULL FROM attribution.campaigns AS campaign
        WHERE campaign.workspace_id = known.workspace_id
            AND campaign.campaign_id = known.campaign_id
    ) AS archived
    FROM attribution.campaign_codes AS known
    WHERE known.workspace_id = wanted.workspace_id AND known.code_key = wanted.code_key
    LIMIT 1
) AS code
"""


class CodeTaken(Exception):
    """A promotion code belongs to another campaign: nothing may be kept of this transaction."""

    def __init__(self, key: str, *, campaign_id: str) -> None:
        super().__init__(f"a promotion code belongs to the campaign {campaign_id}")
        self.key = key
        self.campaign_id = campaign_id


def finding(wanted: Iterable[tuple[str, str]]) -> Part:
    """Look up promotion codes by workspace id and `code_key`. For the hot path."""
    ordered = sorted(set(wanted))
    columns = ([workspace_id for workspace_id, _ in ordered], [key for _, key in ordered])
    return Part("known_codes", _FIND, columns)


def found(rows: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], CampaignCode]:
    """Read the rows of `finding`: those codes that campaigns have, by workspace id and key."""
    return {
        (row["workspace_id"], row["code_key"]): CampaignCode(
            row["campaign_id"], row["code"], row["archived"]
        )
        for row in rows
    }


async def give(tx: WriteTransaction, campaign: Campaign) -> None:
    """Give a campaign, whose row is locked, its promotion codes and no others.

    New codes come first and in one order, and what is no longer wanted is deleted after that: who
    waits for a code of another transaction then holds nothing that this one may wait for.

    Raises:
        CodeTaken: one of the codes belongs to another campaign.
    """
    wanted = {code_key(code): code for code in campaign.promotion_codes}
    present = await _of(tx, campaign)
    missing = wanted.keys() - present.keys()
    while missing:
        await _add(tx, campaign, {key: wanted[key] for key in missing})
        # A code that another campaign let go between the two statements is nobody's yet.
        missing -= await _held(tx, campaign, missing)
    for key in wanted.keys() & present.keys():
        if wanted[key] != present[key]:
            await _respell(tx, campaign, key, code=wanted[key])
    if gone := present.keys() - wanted.keys():
        await _remove(tx, campaign, gone)


async def _of(tx: WriteTransaction, campaign: Campaign) -> dict[str, str]:
    statement = select(table.c.code_key, table.c.code).where(
        table.c.workspace_id == campaign.workspace_id, table.c.campaign_id == campaign.campaign_id
    )
    return dict((await tx.connection.execute(statement)).all())


async def _add(tx: WriteTransaction, campaign: Campaign, new: Mapping[str, str]) -> None:
    ordered = sorted(new.items())
    statement = insert(table).on_conflict_do_nothing()
    rows = [
        {
            "workspace_id": campaign.workspace_id,
            "campaign_id": campaign.campaign_id,
            "code_key": key,
            "code": code,
        }
        for key, code in ordered
    ]
    await tx.connection.execute(statement.values(rows))


async def _held(tx: WriteTransaction, campaign: Campaign, keys: Iterable[str]) -> set[str]:
    statement = (
        select(table.c.code_key, table.c.campaign_id)
        .where(
            table.c.workspace_id == campaign.workspace_id,
            table.c.code_key == any_(cast(list(keys), ARRAY(Text))),
        )
        .order_by(table.c.code_key)
    )
    held = dict((await tx.connection.execute(statement)).all())
    for key, holder in held.items():
        if holder != campaign.campaign_id:
            raise CodeTaken(key, campaign_id=holder)
    return set(held)


async def _respell(tx: WriteTransaction, campaign: Campaign, key: str, *, code: str) -> None:
    statement = update(table).where(
        table.c.workspace_id == campaign.workspace_id, table.c.code_key == key
    )
    await tx.connection.execute(statement.values(code=code))


async def _remove(tx: WriteTransaction, campaign: Campaign, keys: Iterable[str]) -> None:
    statement = delete(table).where(
        table.c.workspace_id == campaign.workspace_id,
        table.c.campaign_id == campaign.campaign_id,
        table.c.code_key == any_(cast(list(keys), ARRAY(Text))),
    )
    await tx.connection.execute(statement)
