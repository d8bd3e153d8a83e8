import pytest
from synaptyx.attribution.v1 import (
    attribution_service_pb2,
    campaign_service_pb2,
    event_ingest_service_pb2,
    tracking_service_pb2,
)
from synaptyx.credentials.v1 import credentials_service_pb2
from synaptyx.sources.v1 import revenue_source_service_pb2

from deploy.local import policy
from services.chassis.identity import Caller, Policy

FILES = (
    attribution_service_pb2,
    campaign_service_pb2,
    event_ingest_service_pb2,
    tracking_service_pb2,
    credentials_service_pb2,
    revenue_source_service_pb2,
)
METHODS = {
    f"{service.full_name}/{method.name}"
    for file in FILES
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}


@pytest.fixture
def allowed():
    loaded = Policy.parse(policy.text())

    def methods(account):
        caller = Caller("local", "attribution", account)
        return {method for method in METHODS if loaded.allows(caller, f"/{method}")}

    return methods


class TestPolicy:
    def test_it_names_only_methods_that_there_are(self):
        services = {method.partition("/")[0] for method in METHODS}
        for methods in policy.METHODS.values():
            for method in methods:
                service, _, name = method.partition("/")
                assert service in services
                assert name == "*" or method in METHODS

    def test_the_operator_may_call_every_public_method_and_no_other(self, allowed):
        internal = {
            "synaptyx.credentials.v1.CredentialsService/AccessCredential",
            "synaptyx.attribution.v1.EventIngestService/IngestEvents",
            "synaptyx.attribution.v1.EventIngestService/LogRejectedDeliveries",
            "synaptyx.attribution.v1.TrackingService/GetTrackingLink",
            "synaptyx.attribution.v1.TrackingService/ListTrackingLinks",
            "synaptyx.attribution.v1.TrackingService/RecordTrackedClicks",
        }
        assert allowed("operator") == METHODS - internal

    def test_ingress_may_only_take_in_events_and_check_them(self, allowed):
        assert allowed("ingress") == {
            "synaptyx.sources.v1.RevenueSourceService/GetRevenueSource",
            "synaptyx.sources.v1.RevenueSourceService/GetSnippet",
            "synaptyx.credentials.v1.CredentialsService/AccessCredential",
            "synaptyx.attribution.v1.EventIngestService/IngestEvents",
            "synaptyx.attribution.v1.EventIngestService/LogRejectedDeliveries",
            "synaptyx.attribution.v1.TrackingService/GetTrackingLink",
            "synaptyx.attribution.v1.TrackingService/ListTrackingLinks",
            "synaptyx.attribution.v1.TrackingService/RecordTrackedClicks",
        }

    def test_attribution_may_only_find_sources_and_their_tokens(self, allowed):
        assert allowed("attribution") == {
            "synaptyx.sources.v1.RevenueSourceService/GetRevenueSource",
            "synaptyx.credentials.v1.CredentialsService/AccessCredential",
        }

    def test_credentials_calls_nobody(self, allowed):
        assert allowed("credentials") == set()
