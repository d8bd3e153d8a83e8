"""Planted secrets, searched for in everything that the service leaves behind."""

import base64
import contextlib
import gc
import io
from collections.abc import Iterator
from pathlib import Path

import prometheus_client
import pytest
from synaptyx.sources.v1.revenue_source_pb2 import RevenueSource

from services.chassis import logs
from services.chassis.errors import SynaptyxError
from tests.fakes.provider_apis import Behaviour, ProviderApis
from tests.integration.credentials.service import Service, VaultAccess, running_service
from tests.openbao import running_openbao
from tests.postgres import PostgresServer

TABLES = ("sources", "credential_versions", "audit_records")
KEY = "sk_test_CanaryKeyOne"
NEW_KEY = "sk_test_CanaryKeyTwo"
UNKNOWN_KEY = "rk_test_CanaryKeyThree"
WEAK_KEY = "rk_test_CanaryKeyFour"
MALFORMED = "CanaryMalformed Secret"
SECRET = "whsec_CanarySecretOne"
NEW_SECRET = "whsec_CanarySecretTwo"
PLANTED = (KEY, NEW_KEY, UNKNOWN_KEY, WEAK_KEY, MALFORMED, SECRET, NEW_SECRET)


def traces_of(secret: str) -> Iterator[str]:
    """Give the forms in which a secret could show: itself, a good part, and base64."""
    yield secret
    yield secret[-10:]
    # Wherever it stands in what is encoded, one of these stands in the result.
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + secret.encode()).decode()
        yield encoded[4:-4]


class Leavings:
    """Everything that was said by anybody."""

    def __init__(self) -> None:
        self.errors: list[SynaptyxError] = []

    @contextlib.contextmanager
    def fails(self) -> Iterator[None]:
        with pytest.raises(SynaptyxError) as raised:
            yield
        self.errors.append(raised.value)

    def text(self) -> str:
        said = []
        for error in self.errors:
            said += [str(error), repr(error), repr(dict(error.metadata))]
            details = error.__cause__
            said.append(repr(details))
        return "\n".join(said)


async def live_through_everything(
    service: Service, leavings: Leavings, apis: ProviderApis
) -> RevenueSource:
    """Create, connect, fail in every way, rotate, read."""
    apis.add_key(KEY)
    apis.add_key(NEW_KEY)
    apis.add_key(WEAK_KEY, permitted=False)
    source = await service.create()
    for key, secret in (
        (UNKNOWN_KEY, SECRET),
        (WEAK_KEY, SECRET),
        (MALFORMED, MALFORMED),
        (SECRET, KEY),
    ):
        with leavings.fails():
            await service.connect(source.name, api_key=key, signing_secret=secret)
    for behaviour in (Behaviour.BAD_GATEWAY, Behaviour.SERVER_ERROR, Behaviour.CUT_OFF):
        apis.behave(behaviour)
        with leavings.fails():
            await service.connect(source.name, api_key=KEY, signing_secret=SECRET)
    apis.behave(Behaviour.NORMAL)
    source = await service.connect(source.name, api_key=KEY, signing_secret=SECRET)
    await service.rotate(source.name, NEW_SECRET, request_id="wish-1")
    await service.rotate(source.name, NEW_KEY, kind="api-key")
    with leavings.fails():
        await service.rotate(source.name, SECRET, request_id="wish-1")
    with leavings.fails():
        await service.rotate(source.name, MALFORMED)
    assert await service.access(source.name) == [NEW_SECRET, SECRET]
    with leavings.fails():
        await service.access(source.name, caller="operator")
    return source


@pytest.fixture
def output() -> Iterator[io.BytesIO]:
    """Give what is logged, at the level that tells most."""
    output = io.BytesIO()
    logs.configure("credentials", "debug", output=output)
    yield output
    logs.configure("credentials", "error", output=io.BytesIO())


# The SDK of Stripe forgets the connection of a body that it cannot read to its end.
@pytest.mark.filterwarnings("ignore:Unclosed connection:ResourceWarning")
async def test_no_secret_is_left_anywhere(
    postgres: PostgresServer,
    database_name: str,
    apis: ProviderApis,
    certificates,
    tmp_path: Path,
    output: io.BytesIO,
) -> None:
    leavings = Leavings()
    with running_openbao() as bao:
        async with running_service(
            postgres.url(database_name, user="credentials"),
            VaultAccess.by_jwt(bao, tmp_path),
            apis=apis,
            certificates=certificates,
            directory=tmp_path,
        ) as service:
            source = await live_through_everything(service, leavings, apis)
            # One good and one moved row: OpenBao's answer holds the plaintext of the good one.
            postgres.execute(
                "UPDATE credentials.credential_versions SET ciphertext = (SELECT ciphertext FROM"
                " credentials.credential_versions WHERE kind = 'api-key' AND version = 1)"
                " WHERE kind = 'webhook-signing-secret' AND version = 1",
                database=database_name,
            )
            with leavings.fails():
                await service.access(source.name)
            bao.seal()
            with leavings.fails():
                await service.rotate(source.name, NEW_SECRET)
            bao.stop()
            with leavings.fails():
                await service.access(source.name, kind="api-key", caller="attribution")
            bao_log = bao.log()
    gc.collect()
    rows = "\n".join(
        postgres.execute(f"SELECT t::text FROM credentials.{table} t", database=database_name)
        for table in TABLES
    )
    places = {
        "log": output.getvalue().decode(),
        "errors": leavings.text(),
        "tables": rows,
        "metrics": prometheus_client.generate_latest().decode(),
        "log of OpenBao": bao_log,
    }
    reasons = {error.reason for error in leavings.errors}
    assert {"SECRET_UNREADABLE", "DEPENDENCY_UNAVAILABLE", "CREDENTIAL_REFUSED"} <= reasons
    for name, text in places.items():
        assert text, f"nothing was gathered: {name}"
        for secret in PLANTED:
            for trace in traces_of(secret):
                assert trace not in text, f"{secret} is in: {name}"
    assert "secret_unreadable" in places["log"]
    # Nor the sentence of Stripe that quotes the ends of a key.
    assert "Invalid API Key" not in places["log"]
