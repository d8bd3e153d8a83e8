"""Call the services of a running stack over gRPC, as its operator does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import grpc
from synaptyx.attribution.v1 import (
    attribution_service_pb2_grpc,
    campaign_service_pb2_grpc,
    event_ingest_service_pb2_grpc,
)
from synaptyx.credentials.v1 import credentials_service_pb2_grpc
from synaptyx.sources.v1 import revenue_source_service_pb2_grpc

TIMEOUT = 10.0


class Operator:
    """Blocking stubs, over mutual TLS with the operator's certificate."""

    def __init__(self, stack_file: Mapping[str, str]) -> None:
        """Connect to what `stack.json` names."""
        identity = grpc.ssl_channel_credentials(
            root_certificates=Path(stack_file["ca_file"]).read_bytes(),
            private_key=Path(stack_file["operator_key_file"]).read_bytes(),
            certificate_chain=Path(stack_file["operator_certificate_file"]).read_bytes(),
        )
        self.workspace = f"workspaces/{stack_file['workspace']}"
        self._channels = [
            grpc.secure_channel(stack_file[address], identity)
            for address in ("attribution_address", "credentials_address")
        ]
        attribution, credentials = self._channels
        self.attribution = attribution_service_pb2_grpc.AttributionServiceStub(attribution)
        self.campaigns = campaign_service_pb2_grpc.CampaignServiceStub(attribution)
        self.ingest = event_ingest_service_pb2_grpc.EventIngestServiceStub(attribution)
        self.sources = revenue_source_service_pb2_grpc.RevenueSourceServiceStub(credentials)
        self.credentials = credentials_service_pb2_grpc.CredentialsServiceStub(credentials)

    def close(self) -> None:
        """Close the connections."""
        for channel in self._channels:
            channel.close()
