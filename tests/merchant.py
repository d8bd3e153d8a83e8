"""What a merchant does with a running stack: connect sources, record clicks, get paid."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass

from synaptyx.attribution.v1 import attribution_service_pb2, click_pb2
from synaptyx.sources.v1 import revenue_source_pb2, revenue_source_service_pb2
from synaptyx.type.v1 import provider_pb2

from tests.operator import TIMEOUT, Operator


@dataclass(frozen=True)
class Source:
    """A connected source, and the secret that its endpoint signs with."""

    name: str
    path: str
    secret: str

    @property
    def source_id(self) -> str:
        return self.name.rpartition("/")[2]


def connect_stripe(operator: Operator, *, workspace: str | None = None) -> Source:
    secret = f"whsec_{secrets.token_hex(16)}"
    key = f"sk_test_{secrets.token_hex(12)}"
    return _connect(operator, provider_pb2.PROVIDER_STRIPE, key, secret, workspace=workspace)


def connect_polar(
    operator: Operator, *, secret: str | None = None, workspace: str | None = None
) -> Source:
    secret = secret or "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    key = f"polar_oat_{secrets.token_hex(16)}"
    return _connect(operator, provider_pb2.PROVIDER_POLAR, key, secret, workspace=workspace)


def _connect(
    operator: Operator,
    provider: provider_pb2.Provider,
    key: str,
    secret: str,
    *,
    workspace: str | None,
) -> Source:
    created = operator.sources.CreateRevenueSource(
        revenue_source_service_pb2.CreateRevenueSourceRequest(
            parent=workspace or operator.workspace,
            revenue_source=revenue_source_pb2.RevenueSource(
                display_name="Test shop", provider=provider
            ),
        ),
        timeout=TIMEOUT,
    )
    operator.sources.ConnectRevenueSource(
        revenue_source_service_pb2.ConnectRevenueSourceRequest(
            name=created.name, api_key=key, webhook_signing_secret=secret
        ),
        timeout=TIMEOUT,
    )
    path = "/webhooks/" + created.webhook_uri.partition("/webhooks/")[2]
    return Source(created.name, path, secret)


def record_click(
    operator: Operator, click_id: str, *, campaign: str = "", workspace: str | None = None
) -> click_pb2.Click:
    click = click_pb2.Click(campaign=campaign)
    # Before every payment of a test, which is dated a while ago.
    click.click_time.FromSeconds(int(time.time()) - 7 * 86400)
    return operator.attribution.RecordClick(
        attribution_service_pb2.RecordClickRequest(
            parent=workspace or operator.workspace, click_id=click_id, click=click
        ),
        timeout=TIMEOUT,
    )


def sign_stripe(secret: str, body: bytes, *, at: int | None = None) -> dict[str, str]:
    """Return the headers that Stripe would send."""
    timestamp = int(time.time()) if at is None else at
    mac = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256)
    return {
        "Content-Type": "application/json; charset=utf-8",
        "Stripe-Signature": f"t={timestamp},v1={mac.hexdigest()}",
    }


def sign_polar(
    secret: str, body: bytes, *, webhook_id: str, at: int | None = None, legacy: bool = False
) -> Mapping[str, str]:
    """Return the headers that Polar would send; `legacy` signs with the whole secret as key."""
    timestamp = int(time.time()) if at is None else at
    key = secret.encode() if legacy else base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    mac = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return {
        "Content-Type": "application/json",
        "webhook-id": webhook_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{mac}",
    }
