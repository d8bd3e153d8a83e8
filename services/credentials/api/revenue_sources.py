"""Serve RevenueSourceService."""

from typing import Any

from synaptyx.sources.v1 import revenue_source_pb2, revenue_source_service_pb2
from synaptyx.sources.v1.revenue_source_service_pb2_grpc import RevenueSourceServiceServicer

from services.chassis.identity import require_workspace
from services.chassis.paging import next_token, read_page
from services.chassis.resource_names import WORKSPACE
from services.chassis.secret import Secret
from services.credentials.api.messages import (
    read_place,
    read_provider,
    read_snippet_name,
    read_source_name,
    read_states,
    write_place,
    write_snippet,
    write_source,
)
from services.credentials.api.source_fields import (
    read_changed_fields,
    read_new_fields,
    read_stated_provider,
)
from services.credentials.connecting import Connecting
from services.credentials.snippets.serving import snippet_of
from services.credentials.updating import Updating

SERVICE = "synaptyx.sources.v1.RevenueSourceService"
_Context = Any


class RevenueSourceServicer(RevenueSourceServiceServicer):
    """Serves the sources of the workspaces that the caller may act in."""

    def __init__(self, connecting: Connecting, updating: Updating, *, public_url: str) -> None:
        self._connecting = connecting
        self._updating = updating
        self._public_url = public_url

    async def GetRevenueSource(  # noqa: N802
        self,
        request: revenue_source_service_pb2.GetRevenueSourceRequest,
        context: _Context,
    ) -> revenue_source_pb2.RevenueSource:
        """Get a source."""
        key = read_source_name(request.name, wildcard=("workspace",))
        require_workspace(key.workspace)
        return write_source(await self._connecting.get(key), public_url=self._public_url)

    async def ListRevenueSources(  # noqa: N802
        self,
        request: revenue_source_service_pb2.ListRevenueSourcesRequest,
        context: _Context,
    ) -> revenue_source_service_pb2.ListRevenueSourcesResponse:
        """List sources, newest first."""
        workspace = WORKSPACE.parse(request.parent, field="parent")["workspace"]
        require_workspace(workspace)
        states = read_states(request.states, field="states")
        query = f"{SERVICE}/List {workspace} {','.join(states)}"
        page = read_page(request.page_size, request.page_token, query=query)
        # One more than the page holds, to know whether another page follows.
        sources = await self._connecting.list_sources(
            workspace, states=states, after=read_place(page.cursor), limit=page.size + 1
        )
        shown, more = sources[: page.size], len(sources) > page.size
        return revenue_source_service_pb2.ListRevenueSourcesResponse(
            revenue_sources=[write_source(each, public_url=self._public_url) for each in shown],
            next_page_token=next_token(query, write_place(shown[-1])) if more else "",
        )

    async def CreateRevenueSource(  # noqa: N802
        self,
        request: revenue_source_service_pb2.CreateRevenueSourceRequest,
        context: _Context,
    ) -> revenue_source_pb2.RevenueSource:
        """Create a source that waits to be connected."""
        workspace = WORKSPACE.parse(request.parent, field="parent")["workspace"]
        require_workspace(workspace)
        wanted = request.revenue_source
        source = await self._connecting.create(
            workspace,
            provider=read_provider(wanted.provider, field="revenue_source.provider"),
            fields=read_new_fields(wanted),
            request_id=request.request_id,
        )
        return write_source(source, public_url=self._public_url)

    async def UpdateRevenueSource(  # noqa: N802
        self,
        request: revenue_source_service_pb2.UpdateRevenueSourceRequest,
        context: _Context,
    ) -> revenue_source_pb2.RevenueSource:
        """Change a source."""
        sent = request.revenue_source
        key = read_source_name(sent.name, field="revenue_source.name")
        require_workspace(key.workspace)
        fields = read_changed_fields(sent, request.update_mask)
        provider = read_stated_provider(sent, request.update_mask)
        source = await self._updating.update(key, fields, provider=provider, etag=sent.etag)
        return write_source(source, public_url=self._public_url)

    async def GetSnippet(  # noqa: N802
        self,
        request: revenue_source_service_pb2.GetSnippetRequest,
        context: _Context,
    ) -> revenue_source_pb2.Snippet:
        """Get the snippet of a source."""
        key = read_snippet_name(request.name)
        require_workspace(key.workspace)
        source = await self._connecting.get(key)
        return write_snippet(snippet_of(source, public_url=self._public_url))

    async def ConnectRevenueSource(  # noqa: N802
        self,
        request: revenue_source_service_pb2.ConnectRevenueSourceRequest,
        context: _Context,
    ) -> revenue_source_pb2.RevenueSource:
        """Connect a source with an API key and a signing secret."""
        key = read_source_name(request.name)
        require_workspace(key.workspace)
        source = await self._connecting.connect(
            key,
            api_key=Secret(request.api_key),
            signing_secret=Secret(request.webhook_signing_secret),
            etag=request.etag,
        )
        return write_source(source, public_url=self._public_url)

    async def DisconnectRevenueSource(  # noqa: N802
        self,
        request: revenue_source_service_pb2.DisconnectRevenueSourceRequest,
        context: _Context,
    ) -> revenue_source_pb2.RevenueSource:
        """Disconnect a source and destroy its secrets."""
        key = read_source_name(request.name)
        require_workspace(key.workspace)
        source = await self._connecting.disconnect(key, etag=request.etag)
        return write_source(source, public_url=self._public_url)
