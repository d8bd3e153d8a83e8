import asyncio
import time
from collections.abc import AsyncIterator

import asyncpg
import pytest
import sqlalchemy
from sqlalchemy.dialects.postgresql import JSONB

from services.chassis.database import Database, ReadTransaction, TransactionLost, WriteTransaction
from services.chassis.errors import DependencyUnavailable
from services.chassis.secret import Secret
from services.chassis.settings import DatabaseSettings
from tests.postgres import PostgresServer, running_postgres

METADATA = sqlalchemy.MetaData()
THINGS = sqlalchemy.Table(
    "things",
    METADATA,
    sqlalchemy.Column("id", sqlalchemy.Integer, primary_key=True),
    sqlalchemy.Column("note", JSONB),
)


async def add(transaction: WriteTransaction, number: int) -> None:
    await transaction.connection.execute(THINGS.insert().values(id=number))


async def add_raw(transaction: WriteTransaction, number: int) -> None:
    await (await transaction.driver()).execute("INSERT INTO things (id) VALUES ($1)", number)


async def numbers(database: Database) -> list[int]:
    async with database.read() as transaction:
        rows = await (await transaction.driver()).fetch("SELECT id FROM things ORDER BY id")
        return [row["id"] for row in rows]


async def backend(transaction: ReadTransaction | WriteTransaction) -> int:
    pid: int = await (await transaction.driver()).fetchval("SELECT pg_backend_pid()")
    return pid


async def until_asleep(database: Database) -> None:
    """Wait until the server runs `pg_sleep`: it overlooks a cancellation that comes earlier."""
    asleep = """
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event = 'PgSleep'
    """
    async with asyncio.timeout(5):
        while True:
            async with database.read() as transaction:
                if await (await transaction.driver()).fetchval(asleep):
                    return


class TestWrite:
    async def test_what_the_driver_writes_is_committed(self, database: Database) -> None:
        async with database.write() as transaction:
            await add_raw(transaction, 1)
        assert await numbers(database) == [1]

    async def test_what_sqlalchemy_writes_is_committed(self, database: Database) -> None:
        async with database.write() as transaction:
            await add(transaction, 1)
        assert await numbers(database) == [1]

    @pytest.mark.parametrize("order", [(add, add_raw), (add_raw, add)])
    async def test_both_write_in_one_transaction(self, database: Database, order) -> None:
        async with database.write() as transaction:
            for number, write in enumerate(order):
                await write(transaction, number)
            assert await numbers(database) == []
        assert await numbers(database) == [0, 1]

    @pytest.mark.parametrize("order", [(add, add_raw), (add_raw, add), (add_raw,), (add,)])
    async def test_an_error_rolls_both_back(self, database: Database, order) -> None:
        with pytest.raises(LookupError):
            async with database.write() as transaction:
                for number, write in enumerate(order):
                    await write(transaction, number)
                raise LookupError
        assert await numbers(database) == []

    async def test_both_see_the_same_transaction(self, database: Database) -> None:
        async with database.write() as transaction:
            current = "SELECT pg_current_xact_id()::text"
            raw = await (await transaction.driver()).fetchval(current)
            core = await transaction.connection.scalar(sqlalchemy.text(current))
            assert raw == core

    async def test_a_commit_in_a_store_does_nothing(self, database: Database) -> None:
        with pytest.raises(LookupError):
            async with database.write() as transaction:
                await add(transaction, 1)
                await transaction.connection.commit()
                raise LookupError
        assert await numbers(database) == []

    async def test_savepoints_of_both_kinds_isolate_a_failure(self, database: Database) -> None:
        async with database.write() as transaction:
            await add(transaction, 1)
            driver = await transaction.driver()
            with pytest.raises(asyncpg.UniqueViolationError):
                async with driver.transaction():
                    await add_raw(transaction, 2)
                    await add_raw(transaction, 1)
            with pytest.raises(sqlalchemy.exc.IntegrityError):
                async with transaction.connection.begin_nested():
                    await add(transaction, 3)
                    await add(transaction, 1)
            async with transaction.connection.begin_nested():
                await add(transaction, 4)
        assert await numbers(database) == [1, 4]

    async def test_a_swallowed_failure_is_no_commit(self, database: Database) -> None:
        with pytest.raises(TransactionLost):
            async with database.write() as transaction:
                await add_raw(transaction, 1)
                with pytest.raises(asyncpg.UniqueViolationError):
                    await add_raw(transaction, 1)
        assert await numbers(database) == []

    async def test_a_cancelled_block_is_rolled_back_and_the_pool_stays_whole(
        self, database: Database
    ) -> None:
        async def work(number: int) -> None:
            async with database.write() as transaction:
                await add_raw(transaction, number)
                await (await transaction.driver()).execute("SELECT pg_sleep(60)")

        for number in range(6):
            task = asyncio.create_task(work(number))
            await until_asleep(database)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert await numbers(database) == []

    async def test_it_takes_one_round_trip_each_to_begin_and_to_commit(
        self, database: Database
    ) -> None:
        seen: list[str] = []
        async with database.write() as transaction:
            driver = await transaction.driver()
            with driver.query_logger(lambda record: seen.append(record.query)):
                await add_raw(transaction, 1)
        async with database.write() as transaction:
            assert await transaction.driver() is driver, "the connection is used again"
            driver.add_query_logger(lambda record: seen.append(record.query))
            await add_raw(transaction, 2)
        assert [query.split()[0] for query in seen] == ["INSERT", "INSERT", "COMMIT;"]


class TestRead:
    async def test_it_sees_what_was_committed(self, database: Database) -> None:
        async with database.write() as transaction:
            await add(transaction, 7)
        async with database.read() as transaction:
            assert await transaction.connection.scalar(sqlalchemy.select(THINGS.c.id)) == 7

    async def test_the_driver_can_not_write(self, database: Database) -> None:
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            async with database.read() as transaction:
                await add_raw(transaction, 1)  # type: ignore[arg-type]

    async def test_sqlalchemy_can_not_write(self, database: Database) -> None:
        with pytest.raises(sqlalchemy.exc.DBAPIError, match="read-only"):
            async with database.read() as transaction:
                await add(transaction, 1)  # type: ignore[arg-type]

    async def test_the_next_transaction_can_write_again(self, database: Database) -> None:
        await numbers(database)
        async with database.write() as transaction:
            await add(transaction, 1)


class TestErrors:
    async def test_integrity_and_data_errors_pass_unchanged(self, database: Database) -> None:
        with pytest.raises(asyncpg.UniqueViolationError):
            async with database.write() as transaction:
                await add_raw(transaction, 1)
                await add_raw(transaction, 1)
        with pytest.raises(asyncpg.NumericValueOutOfRangeError):
            async with database.read() as transaction:
                await (await transaction.driver()).fetch("SELECT 3000000000::int")
        with pytest.raises(asyncpg.DataError):
            async with database.write() as transaction:
                await add_raw(transaction, "one")  # type: ignore[arg-type]
        with pytest.raises(sqlalchemy.exc.IntegrityError):
            async with database.write() as transaction:
                await add(transaction, 1)
                await add(transaction, 1)

    async def test_a_deadlock_passes_unchanged(self, database: Database) -> None:
        async with database.write() as transaction:
            await add_raw(transaction, 1)
            await add_raw(transaction, 2)
        both = asyncio.Barrier(2)

        async def lock(first: int, second: int) -> None:
            async with database.write() as transaction:
                driver = await transaction.driver()
                await driver.execute("UPDATE things SET note = '1' WHERE id = $1", first)
                await both.wait()
                await driver.execute("UPDATE things SET note = '1' WHERE id = $1", second)

        results = await asyncio.gather(lock(1, 2), lock(2, 1), return_exceptions=True)
        failures = [result for result in results if result is not None]
        assert [type(failure) for failure in failures] == [asyncpg.DeadlockDetectedError]

    @pytest.mark.parametrize("face", ["driver", "sqlalchemy"])
    @pytest.mark.parametrize(
        "statements",
        [
            ("SET LOCAL statement_timeout = 20", "SELECT pg_sleep(5)"),
            ("SELECT pg_terminate_backend(pg_backend_pid())",),
        ],
    )
    async def test_outages_become_unavailable(
        self, database: Database, face: str, statements: tuple[str, ...]
    ) -> None:
        with pytest.raises(DependencyUnavailable) as caught:
            async with database.write() as transaction:
                for statement in statements:
                    if face == "driver":
                        await (await transaction.driver()).execute(statement)
                    else:
                        await transaction.connection.execute(sqlalchemy.text(statement))
        assert caught.value.dependency == "database"
        assert await numbers(database) == []

    async def test_a_lock_timeout_becomes_unavailable(self, database: Database) -> None:
        async with database.write() as holder:
            await (await holder.driver()).execute("LOCK TABLE things")
            with pytest.raises(DependencyUnavailable):
                async with database.write() as transaction:
                    driver = await transaction.driver()
                    await driver.execute("SET LOCAL lock_timeout = 20")
                    await driver.execute("LOCK TABLE things")

    async def test_a_time_out_of_the_client_throws_the_connection_away(
        self, database: Database
    ) -> None:
        async with database.write() as transaction:
            before = await backend(transaction)
        with pytest.raises(DependencyUnavailable):
            async with database.write() as transaction:
                assert await backend(transaction) == before
                await (await transaction.driver()).execute("SELECT pg_sleep(9)", timeout=0.05)
        async with database.read() as reader:
            assert await backend(reader) != before

    async def test_an_exhausted_pool_becomes_unavailable(
        self, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings = DatabaseSettings(url=Secret(postgres.url()), pool_size=1)
        database = await Database.open(settings, application_name="tests")
        monkeypatch.setattr(database._engine.pool, "_timeout", 0.05)
        async with database.read():
            with pytest.raises(DependencyUnavailable):
                async with database.read():
                    pass
        await database.close()

    async def test_a_refused_login_becomes_unavailable(self, postgres: PostgresServer) -> None:
        settings = DatabaseSettings(url=Secret(postgres.url("nowhere")), pool_size=1)
        database = await Database.open(settings, application_name="tests")
        with pytest.raises(DependencyUnavailable):
            await database.ping()
        await database.close()

    async def test_too_many_connections_become_unavailable(self) -> None:
        with running_postgres(
            options={"max_connections": "2", "superuser_reserved_connections": "0"}
        ) as server:
            settings = DatabaseSettings(url=Secret(server.url()), pool_size=10)
            database = await Database.open(settings, application_name="tests")
            async with database.read(), database.read():
                with pytest.raises(DependencyUnavailable):
                    await database.ping()
            await database.close()


class TestLostDatabase:
    @pytest.fixture
    async def own(self) -> AsyncIterator[tuple[PostgresServer, Database]]:
        with running_postgres() as server:
            settings = DatabaseSettings(url=Secret(server.url()), pool_size=3)
            database = await Database.open(settings, application_name="tests")
            yield server, database
            await database.close()

    async def test_idle_connections_are_replaced_after_a_restart_without_a_failure(
        self, own: tuple[PostgresServer, Database]
    ) -> None:
        server, database = own
        async with database.read(), database.read(), database.read():
            pass
        # On a thread: the loop must see, as it would in life, that the server hangs up.
        await asyncio.to_thread(server.stop)
        await asyncio.to_thread(server.start)
        for _ in range(3):
            await database.ping()

    async def test_a_killed_database_is_unavailable_and_works_again_after_its_restart(
        self, own: tuple[PostgresServer, Database]
    ) -> None:
        server, database = own
        with pytest.raises(DependencyUnavailable):
            async with database.write() as transaction:
                driver = await transaction.driver()
                await driver.execute("CREATE TABLE lost (id int)")
                server.kill()
                await driver.execute("INSERT INTO lost VALUES (1)")
        begin = time.monotonic()
        with pytest.raises(DependencyUnavailable):
            await database.ping()
        assert time.monotonic() - begin < 5
        server.start()
        await database.ping()
        async with database.read() as reader:
            assert await (await reader.driver()).fetchval("SELECT to_regclass('lost')") is None

    async def test_a_commit_that_fails_is_not_reported_as_done(
        self, own: tuple[PostgresServer, Database]
    ) -> None:
        server, database = own
        with pytest.raises(DependencyUnavailable):
            async with database.write() as transaction:
                await (await transaction.driver()).execute("CREATE TABLE lost (id int)")
                server.kill()
        server.start()
        await database.ping()


class TestConnections:
    async def test_they_are_set_up_for_the_service(self, database: Database) -> None:
        async with database.read() as transaction:
            driver = await transaction.driver()
            shown = {
                name: await driver.fetchval(f"SHOW {name}")
                for name in (
                    "application_name",
                    "statement_timeout",
                    "idle_in_transaction_session_timeout",
                    "TimeZone",
                )
            }
        assert shown == {
            "application_name": "tests",
            "statement_timeout": "10s",
            "idle_in_transaction_session_timeout": "30s",
            "TimeZone": "UTC",
        }

    async def test_json_goes_through_both_faces(self, database: Database) -> None:
        async with database.write() as transaction:
            note = {"id": 1}
            await transaction.connection.execute(THINGS.insert().values(id=1, note=note))
            driver = await transaction.driver()
            await driver.execute("INSERT INTO things VALUES (2, $1)", '{"id": 2}')
        async with database.read() as transaction:
            driver = await transaction.driver()
            assert await driver.fetchval("SELECT note FROM things WHERE id = 1") == note
            query = sqlalchemy.select(THINGS.c.note).where(THINGS.c.id == 2)
            assert await transaction.connection.scalar(query) == {"id": 2}

    async def test_the_password_is_in_no_error(self, postgres: PostgresServer) -> None:
        url = f"postgresql://postgres:canary-word@127.0.0.1:{postgres.port}/nowhere"
        database = await Database.open(
            DatabaseSettings(url=Secret(url), pool_size=1), application_name="tests"
        )
        with pytest.raises(DependencyUnavailable) as caught:
            await database.ping()
        error: BaseException | None = caught.value
        while error is not None:
            assert "canary-word" not in repr(error)
            error = error.__cause__ or error.__context__
        assert "canary-word" not in repr(database._engine.url)
        await database.close()
