"""Who may read which secret in which workspace, and what the audit trail says of it."""

import itertools
from collections.abc import Awaitable

import pytest
from synaptyx.sources.v1 import revenue_source_service_pb2

from services.chassis.errors import CallerNotAllowed, ResourceNotFound, SecretUnreadable
from tests.integration.credentials.service import SIGNING_SECRET, STRIPE_KEY, TIMEOUT, Service
from tests.postgres import PostgresServer

KINDS = ("api-key", "webhook-signing-secret")
CALLERS = ("ingress", "attribution", "scheduler", "operator")
ALLOWED = {
    ("ingress", "webhook-signing-secret"),
    ("attribution", "api-key"),
    ("scheduler", "api-key"),
}


@pytest.fixture
def trail(postgres: PostgresServer, database_name: str):
    """Give the audit trail, oldest first."""

    def read(*columns: str) -> list[str]:
        table = "credentials.audit_records"
        sql = f"SELECT concat_ws(' ', {', '.join(columns)}) FROM {table} ORDER BY record_id"
        return postgres.execute(sql, database=database_name).splitlines()

    return read


class TestReaders:
    @pytest.mark.parametrize(("caller", "kind"), list(itertools.product(CALLERS, KINDS)))
    async def test_each_kind_is_given_to_those_who_need_it_alone(
        self, service: Service, trail, caller: str, kind: str
    ) -> None:
        source = (await service.connected()).name
        if (caller, kind) in ALLOWED:
            assert len(await service.access(source, kind=kind, caller=caller)) == 1
            outcome = "{1} OK"
        else:
            with pytest.raises(CallerNotAllowed):
                await service.access(source, kind=kind, caller=caller)
            outcome = "{} CALLER_NOT_ALLOWED"
        last = trail("caller", "action", "kind", "versions", "outcome")[-1]
        assert last == f"attribution/{caller} access {kind} {outcome}"


class TestWorkspaces:
    async def test_nothing_of_another_workspace_is_found_under_ones_own_name(
        self, service: Service
    ) -> None:
        theirs = (await service.connected(workspace="other")).name
        mine = theirs.replace("workspaces/other/", "workspaces/acme/")
        for kind in KINDS:
            name = f"{mine}/credentials/{kind}"
            calls: list[Awaitable[object]] = [
                service.get_credential(name),
                service.destroy(name),
                service.rotate(mine, "whsec_the_new_one", kind="webhook-signing-secret"),
            ]
            for call in calls:
                with pytest.raises(ResourceNotFound):
                    await call
        for attempt in (service.get, service.connect, service.disconnect):
            with pytest.raises(ResourceNotFound):
                await attempt(mine)
        with pytest.raises(ResourceNotFound):
            await service.access(mine)
        assert await service.access(theirs) == [SIGNING_SECRET]

    async def test_a_caller_of_one_workspace_may_do_nothing_in_another(
        self, service: Service, trail
    ) -> None:
        theirs = (await service.connected(workspace="other")).name
        name = f"{theirs}/credentials/webhook-signing-secret"
        bound = "acme/ingress"
        request = revenue_source_service_pb2.ListRevenueSourcesRequest(parent="workspaces/other")
        anywhere = "workspaces/-/sources/" + theirs.rpartition("/")[2]
        calls: list[Awaitable[object]] = [
            service.create(workspace="other", caller=bound),
            service.get(theirs, caller=bound),
            service.get(anywhere, caller=bound),
            (await service.sources(bound)).ListRevenueSources(request, timeout=TIMEOUT),
            service.connect(theirs, caller=bound),
            service.disconnect(theirs, caller=bound),
            service.get_credential(name, caller=bound),
            service.rotate(theirs, "whsec_the_new_one", caller=bound),
            service.destroy(name, caller=bound),
            service.access(theirs, caller=bound),
            service.access(anywhere, caller=bound),
        ]
        for call in calls:
            with pytest.raises(CallerNotAllowed):
                await call
        assert trail("workspace_id", "caller", "outcome")[-2:] == [
            "other acme/ingress CALLER_NOT_ALLOWED",
            "- acme/ingress CALLER_NOT_ALLOWED",
        ]

    async def test_a_caller_of_one_workspace_reads_its_own(self, service: Service) -> None:
        source = (await service.connected()).name
        assert await service.access(source, caller="acme/ingress") == [SIGNING_SECRET]


class TestTrail:
    async def test_every_deed_is_written_with_its_versions(self, service: Service, trail) -> None:
        source = (await service.connected()).name
        await service.rotate(source, "whsec_the_new_one")
        await service.access(f"workspaces/-/sources/{source.rpartition('/')[2]}")
        await service.destroy(f"{source}/credentials/webhook-signing-secret", version=1)
        await service.disconnect(source)
        assert trail("workspace_id", "action", "kind", "versions", "outcome") == [
            "acme create_source {} OK",
            "acme connect_source api-key {1} OK",
            "acme connect_source webhook-signing-secret {1} OK",
            "acme add_version webhook-signing-secret {2} OK",
            "acme access webhook-signing-secret {2,1} OK",
            "acme destroy_versions webhook-signing-secret {1} OK",
            "acme destroy_versions api-key {1} OK",
            "acme destroy_versions webhook-signing-secret {2} OK",
            "acme disconnect_source {} OK",
        ]
        assert set(trail("source_id")) == {source.rpartition("/")[2]}

    async def test_what_was_asked_in_vain_is_written_too(self, service: Service, trail) -> None:
        with pytest.raises(ResourceNotFound):
            await service.access("workspaces/-/sources/nobody")
        assert trail("workspace_id", "source_id", "outcome") == ["- nobody RESOURCE_NOT_FOUND"]

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE credentials.audit_records SET outcome = 'OK'",
            "DELETE FROM credentials.audit_records",
            "TRUNCATE credentials.audit_records",
            "DROP TABLE credentials.audit_records",
            "DELETE FROM credentials.credential_versions",
            "DELETE FROM credentials.sources",
        ],
    )
    def test_the_service_cannot_rub_anything_out(
        self, postgres: PostgresServer, database_name: str, statement: str
    ) -> None:
        as_service = f"SET ROLE credentials; {statement}"
        with pytest.raises(RuntimeError, match=r"permission denied|must be owner"):
            postgres.execute(as_service, database=database_name)


class TestMovedRows:
    @pytest.mark.parametrize(
        ("kind", "change"),
        [
            ("webhook-signing-secret", "ciphertext of another source"),
            ("webhook-signing-secret", "ciphertext of another kind"),
            ("webhook-signing-secret", "row renamed into another workspace"),
            ("webhook-signing-secret", "another version number"),
            ("webhook-signing-secret", "altered ciphertext"),
        ],
    )
    async def test_a_secret_is_read_only_where_it_was_written(
        self,
        service: Service,
        postgres: PostgresServer,
        database_name: str,
        trail,
        kind: str,
        change: str,
    ) -> None:
        victim = await service.connected()
        other = await service.connected(workspace="other")
        victim_id, other_id = (each.name.rpartition("/")[2] for each in (victim, other))
        versions = "credentials.credential_versions"
        mine = f"workspace_id = 'acme' AND source_id = '{victim_id}' AND kind = '{kind}'"
        stolen = f"SELECT ciphertext FROM {versions} WHERE"
        statement = {
            "ciphertext of another source": f"UPDATE {versions} SET ciphertext = ({stolen}"
            f" source_id = '{other_id}' AND kind = '{kind}') WHERE {mine}",
            "ciphertext of another kind": f"UPDATE {versions} SET ciphertext = ({stolen}"
            f" source_id = '{victim_id}' AND kind = 'api-key') WHERE {mine}",
            "row renamed into another workspace": "INSERT INTO credentials.sources SELECT"
            " 'thief', source_id, provider, display_name, connection_mode, state,"
            " provider_account, test, revision, create_time, update_time, connect_time,"
            " disconnect_time FROM credentials.sources WHERE workspace_id = 'acme';"
            f" UPDATE {versions} SET workspace_id = 'thief' WHERE {mine}",
            "another version number": f"UPDATE {versions} SET version = 2 WHERE {mine}",
            "altered ciphertext": f"UPDATE {versions} SET ciphertext ="
            f" left(ciphertext, -6) || 'AAAAA=' WHERE {mine}",
        }[change]
        postgres.execute(statement, database=database_name)
        name = victim.name
        if "workspace" in change:
            name = name.replace("/acme/", "/thief/")
        with pytest.raises(SecretUnreadable):
            await service.access(name)
        assert trail("outcome")[-1] == "SECRET_UNREADABLE"
        # What was not touched is read as before.
        assert await service.access(other.name) == [SIGNING_SECRET]
        assert await service.access(victim.name, kind="api-key", caller="attribution") == [
            STRIPE_KEY
        ]
