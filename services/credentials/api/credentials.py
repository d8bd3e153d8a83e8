"""Serve CredentialsService."""

from typing import Any

from synaptyx.credentials.v1 import credential_pb2, credentials_service_pb2
from synaptyx.credentials.v1.credentials_service_pb2_grpc import CredentialsServiceServicer

from services.chassis.clock import Clock
from services.chassis.identity import require_workspace
from services.chassis.paging import next_token, read_page
from services.chassis.secret import Secret
from services.credentials.api.messages import (
    read_credential_name,
    read_overlap,
    read_source_name,
    read_version_number,
    write_credential,
    write_open_version,
)
from services.credentials.domain.credentials import Credential
from services.credentials.rotating import Rotating

SERVICE = "synaptyx.credentials.v1.CredentialsService"
_Context = Any


class CredentialsServicer(CredentialsServiceServicer):
    """Serves the secrets of sources, each kind to the callers that need it."""

    def __init__(self, rotating: Rotating, *, clock: Clock) -> None:
        self._rotating = rotating
        self._clock = clock

    async def GetCredential(  # noqa: N802
        self,
        request: credentials_service_pb2.GetCredentialRequest,
        context: _Context,
    ) -> credential_pb2.Credential:
        """Get a credential, without its secret."""
        key = read_credential_name(request.name)
        require_workspace(key.source.workspace)
        return self._written(await self._rotating.get(key))

    async def ListCredentials(  # noqa: N802
        self,
        request: credentials_service_pb2.ListCredentialsRequest,
        context: _Context,
    ) -> credentials_service_pb2.ListCredentialsResponse:
        """List the credentials of a source, without their secrets."""
        source = read_source_name(request.parent, field="parent")
        require_workspace(source.workspace)
        query = f"{SERVICE}/List {source.name}"
        page = read_page(request.page_size, request.page_token, query=query)
        # There are as many as there are kinds, so the page is cut here.
        after = page.cursor[0] if page.cursor else ""
        credentials = [
            credential
            for credential in await self._rotating.list_credentials(source)
            if credential.key.kind.value > after
        ]
        shown, more = credentials[: page.size], len(credentials) > page.size
        return credentials_service_pb2.ListCredentialsResponse(
            credentials=[self._written(credential) for credential in shown],
            next_page_token=next_token(query, (shown[-1].key.kind.value,)) if more else "",
        )

    async def AccessCredential(  # noqa: N802
        self,
        request: credentials_service_pb2.AccessCredentialRequest,
        context: _Context,
    ) -> credentials_service_pb2.AccessCredentialResponse:
        """Give out the secrets in force. The workspace is checked where the trail is written."""
        key = read_credential_name(request.name, wildcard=("workspace",))
        versions = await self._rotating.access(key)
        return credentials_service_pb2.AccessCredentialResponse(
            versions=[write_open_version(version) for version in versions]
        )

    async def AddCredentialVersion(  # noqa: N802
        self,
        request: credentials_service_pb2.AddCredentialVersionRequest,
        context: _Context,
    ) -> credential_pb2.Credential:
        """Add the newest version of a secret."""
        key = read_credential_name(request.name)
        require_workspace(key.source.workspace)
        credential = await self._rotating.add_version(
            key,
            Secret(request.secret),
            overlap=read_overlap(request),
            request_id=request.request_id,
        )
        return self._written(credential)

    async def DestroyCredential(  # noqa: N802
        self,
        request: credentials_service_pb2.DestroyCredentialRequest,
        context: _Context,
    ) -> credential_pb2.Credential:
        """Delete the ciphertext of one version, or of all."""
        key = read_credential_name(request.name)
        require_workspace(key.source.workspace)
        version = read_version_number(request.version)
        return self._written(await self._rotating.destroy(key, version=version))

    def _written(self, credential: Credential) -> credential_pb2.Credential:
        return write_credential(credential, at=self._clock.now())
