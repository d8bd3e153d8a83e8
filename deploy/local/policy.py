"""Who may call what in the local stack. Whoever is not named may call nothing."""

import json

from deploy.local.certificates import NAMESPACE, OPERATOR, TRUST_DOMAIN

_ATTRIBUTION = "synaptyx.attribution.v1"
_SOURCES = "synaptyx.sources.v1.RevenueSourceService"
_CREDENTIALS = "synaptyx.credentials.v1.CredentialsService"

METHODS: dict[str, tuple[str, ...]] = {
    # It knows a source by the opaque id in the URL only, and so reads across workspaces.
    "ingress": (
        f"{_SOURCES}/GetRevenueSource",
        f"{_CREDENTIALS}/AccessCredential",
        f"{_SOURCES}/GetSnippet",
        f"{_ATTRIBUTION}.EventIngestService/*",
        f"{_ATTRIBUTION}.TrackingService/*",
    ),
    # It looks payments up at the provider with a source's token.
    "attribution": (f"{_SOURCES}/GetRevenueSource", f"{_CREDENTIALS}/AccessCredential"),
    # Every public method: neither secrets in the clear, nor events by hand.
    OPERATOR: (
        f"{_ATTRIBUTION}.AttributionService/*",
        f"{_ATTRIBUTION}.CampaignService/*",
        f"{_SOURCES}/*",
        f"{_CREDENTIALS}/GetCredential",
        f"{_CREDENTIALS}/ListCredentials",
        f"{_CREDENTIALS}/AddCredentialVersion",
        f"{_CREDENTIALS}/DestroyCredential",
    ),
}


def text() -> str:
    """Give the policy file."""
    identities = {
        f"{NAMESPACE}/{account}": {"methods": list(methods), "workspaces": ["*"]}
        for account, methods in METHODS.items()
    }
    return json.dumps({"trust_domain": TRUST_DOMAIN, "identities": identities}, indent=2) + "\n"
