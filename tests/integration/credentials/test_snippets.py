"""The snippets of sources, over gRPC."""

import base64
import hashlib

import pytest
from google.protobuf.duration_pb2 import Duration
from synaptyx.sources.v1.revenue_source_pb2 import RevenueSource, SnippetSettings
from synaptyx.type.v1 import provider_pb2

from services.chassis.errors import CallerNotAllowed, InvalidFields, ResourceNotFound
from tests.integration.credentials.service import Service


def opaque_id(source: RevenueSource) -> str:
    return source.name.rpartition("/")[2]


class TestGetSnippet:
    async def test_a_source_has_one_from_the_start(self, service: Service) -> None:
        source = await service.create()
        snippet = await service.snippet(source.name)
        uri = f"https://in.example.com/sources/{opaque_id(source)}/snippet.js"
        script = snippet.content.encode()
        digest = base64.b64encode(hashlib.sha384(script).digest()).decode()
        version = hashlib.sha256(script).hexdigest()[:16]
        assert snippet.name == f"{source.name}/snippet"
        assert snippet.script_uri == uri
        assert snippet.integrity == f"sha384-{digest}"
        assert snippet.script_tag == (
            f'<script src="{uri}?v={version}" integrity="sha384-{digest}"'
            ' crossorigin="anonymous" defer></script>'
        )
        assert snippet.floating_script_tag == f'<script src="{uri}" defer></script>'

    async def test_it_knows_its_provider(self, service: Service) -> None:
        stripe = await service.create()
        polar = await service.create(provider=provider_pb2.PROVIDER_POLAR)
        contents = [(await service.snippet(it.name)).content for it in (stripe, polar)]
        assert ["polar.sh" not in it.replace("\\", "") for it in contents] == [True, False]
        assert ["stripe.com" not in it.replace("\\", "") for it in contents] == [False, True]

    async def test_settings_take_effect_at_once(self, service: Service) -> None:
        source = await service.create()
        before = await service.snippet(source.name)
        settings = SnippetSettings(
            cookie_lifetime=Duration(seconds=86_400),
            touch=SnippetSettings.TOUCH_FIRST,
            consent_required=True,
            link_hosts=["pay.example.com"],
        )
        await service.update(RevenueSource(name=source.name, snippet_settings=settings))
        after = await service.snippet(source.name)
        assert '"age":7776000,"first":false,"consent":false,"hosts":[]' in before.content
        told = '"age":86400,"first":true,"consent":true,"hosts":["pay.example.com"]'
        assert told in after.content
        assert after.integrity != before.integrity
        assert after.etag != before.etag
        assert after.script_uri == before.script_uri
        assert after.floating_script_tag == before.floating_script_tag

    async def test_a_new_name_of_the_source_changes_nothing(self, service: Service) -> None:
        source = await service.create()
        before = await service.snippet(source.name)
        await service.update(RevenueSource(name=source.name, display_name="New"))
        assert await service.snippet(source.name) == before

    async def test_a_source_keeps_it_whatever_becomes_of_its_connection(
        self, service: Service
    ) -> None:
        source = await service.connected()
        before = await service.snippet(source.name)
        await service.disconnect(source.name)
        assert await service.snippet(source.name) == before


class TestNames:
    async def test_it_is_found_without_its_workspace(self, service: Service) -> None:
        source = await service.create()
        anywhere = await service.snippet(
            f"workspaces/-/sources/{opaque_id(source)}", caller="ingress"
        )
        assert anywhere == await service.snippet(source.name)

    @pytest.mark.parametrize("workspace", ["acme", "-"])
    async def test_that_of_an_unknown_source_is_not_found(
        self, service: Service, workspace: str
    ) -> None:
        with pytest.raises(ResourceNotFound):
            await service.snippet(f"workspaces/{workspace}/sources/nobody")

    @pytest.mark.parametrize("name", ["", "workspaces/acme/sources/-", "workspaces/acme/sources"])
    async def test_a_name_that_is_none_is_refused(self, service: Service, name: str) -> None:
        with pytest.raises(InvalidFields) as raised:
            await service.snippet(name)
        assert [violation.field for violation in raised.value.violations] == ["name"]

    async def test_that_of_another_workspace_is_neither_found_nor_allowed(
        self, service: Service
    ) -> None:
        theirs = await service.create(workspace="other")
        for name in (theirs.name, f"workspaces/-/sources/{opaque_id(theirs)}"):
            with pytest.raises(CallerNotAllowed):
                await service.snippet(name, caller="acme/ingress")
        with pytest.raises(ResourceNotFound):
            await service.snippet(theirs.name.replace("/other/", "/acme/"), caller="acme/ingress")
