"""Connect a source to a sandbox, once."""

from synaptyx.sources.v1.revenue_source_pb2 import RevenueSource
from synaptyx.type.v1.provider_pb2 import Provider

from deploy.local.merchant.errors import StepFailed
from deploy.local.merchant.sandboxes import PolarMerchant, StripeMerchant
from deploy.local.merchant.services import Services


async def connect(
    services: Services,
    merchant: StripeMerchant | PolarMerchant,
    *,
    provider: Provider,
    name: str,
    key: str,
) -> RevenueSource:
    """Make a source with its webhook endpoint and connect it, or find what an earlier run made.

    Raises:
        StepFailed: something refuses.
    """
    source = await services.source(provider, name=name)
    if source.state != RevenueSource.STATE_ACTIVE:
        # Its secret is told once: an endpoint of an earlier try is of no use.
        await merchant.remove_endpoints(source.webhook_uri)
    secret = await merchant.endpoint_secret(source.webhook_uri)
    if secret is None:
        return source
    source = await services.connect(source.name, api_key=key, secret=secret)
    if source.state != RevenueSource.STATE_ACTIVE:
        raise StepFailed(f"{source.name} is not active after it was connected")
    return source
