"""Run transactions on PostgreSQL.

    database = await Database.open(settings.database, application_name="attribution")
    async with database.write() as transaction:
        await clicks.record(transaction, click)            # stores never commit
    await database.close()

`write` commits when its block ends and rolls back when it raises; `read` is READ ONLY. Stores
say by the type of their argument which of the two they need. A transaction has two faces, in
any order and mixture: `connection` for SQLAlchemy Core, and `driver()` for asyncpg's own
statements where speed counts. To make both run in the same transaction, SQLAlchemy is set to
autocommit and never begins or ends anything; BEGIN and COMMIT are sent by asyncpg, one round
trip each, around the block. (`connection.commit()` does nothing, and `connection.begin_nested()`
and asyncpg's `transaction()` are savepoints.)

JSON goes through orjson on both faces: the driver takes text and gives objects.

Whatever says that the database cannot serve now becomes `DependencyUnavailable("database")`:
refused, lost or timed-out connections, shut-downs, an exhausted pool or server, lock and
statement time-outs. What the caller can act on passes unchanged: integrity and data errors,
deadlocks, serialization failures (from asyncpg as they are, from SQLAlchemy wrapped as its
`DBAPIError`). So a block holds no other I/O than the database's: its `OSError` or
`TimeoutError` would be taken for one of the database. A commit whose answer is lost may
have happened: callers repeat, and statements are idempotent by key.

The pool does not ask a connection whether it lives (a round trip a transaction). asyncpg knows
at once when the server closes one, so closed ones are replaced when they are taken out, and
one that has timed out is thrown away.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Self, TypeAlias, cast

import asyncpg
import orjson
import sqlalchemy.exc
from asyncpg.transaction import Transaction
from sqlalchemy import event
from sqlalchemy.engine import AdaptedConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from services.chassis import logs
from services.chassis.errors import DependencyUnavailable
from services.chassis.secret import Secret
from services.chassis.settings import DatabaseSettings

_log = logs.logger(__name__)

Driver: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

CONNECT_TIMEOUT: Final = timedelta(seconds=5)
# The server gives up first and says so; the client's limit is for a server that says nothing.
STATEMENT_TIMEOUT: Final = timedelta(seconds=10)
COMMAND_TIMEOUT: Final = timedelta(seconds=12)
IDLE_IN_TRANSACTION_TIMEOUT: Final = timedelta(seconds=30)
_ROLLBACK_SECONDS: Final = 2.0
_PING_SECONDS: Final = 2.0

_DRIVER_ERRORS: Final = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
_OUTAGE_CLASSES: Final = ("08", "53")
_OUTAGE_STATES: Final = frozenset(
    {
        "25P03",  # idle in a transaction for too long: this process was stalled
        "55P03",  # lock time-out
        "57014",  # statement time-out, or cancelled by an operator
        "57P01",  # shut down by an operator
        "57P02",  # another backend crashed
        "57P03",  # starting up or shutting down
        "57P05",  # idle for too long
        "58030",  # the server's disk fails
    }
)


@dataclass(frozen=True)
class ReadTransaction:
    """A transaction that can change nothing."""

    connection: AsyncConnection
    _driver: Driver

    async def driver(self) -> Driver:
        """Give asyncpg's connection, in the same transaction."""
        return self._driver


@dataclass(frozen=True)
class WriteTransaction:
    """A transaction that commits when its block ends without an error."""

    connection: AsyncConnection
    _driver: Driver

    async def driver(self) -> Driver:
        """Give asyncpg's connection, in the same transaction."""
        return self._driver


class Database:
    """A pool of connections to one database."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @classmethod
    async def open(cls, settings: DatabaseSettings, *, application_name: str) -> Self:
        """Prepare the pool; the first transaction connects.

        A process can so start before its database does. `application_name` is what the
        database's administrator sees.
        """
        engine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=_connecting(settings.url, application_name),
            isolation_level="AUTOCOMMIT",
            skip_autocommit_rollback=True,
            pool_size=settings.pool_size,
            max_overflow=0,
            pool_timeout=CONNECT_TIMEOUT.total_seconds(),
            # The connection used last is used next, so that a quiet service keeps few awake.
            pool_use_lifo=True,
            pool_pre_ping=False,
            json_serializer=_dump,
            json_deserializer=orjson.loads,
            hide_parameters=True,
        )
        event.listen(engine.sync_engine, "checkout", _refuse_closed)
        return cls(engine)

    async def close(self) -> None:
        """Close every connection; transactions that still run fail."""
        await self._engine.dispose()

    async def ping(self) -> None:
        """Ask the database whether it serves.

        Raises:
            DependencyUnavailable: it does not, or not within 2 s.
        """
        try:
            async with asyncio.timeout(_PING_SECONDS), self.read() as transaction:
                await (await transaction.driver()).fetchval("SELECT 1")
        except TimeoutError as error:
            raise DependencyUnavailable("database") from error

    @asynccontextmanager
    async def read(self) -> AsyncIterator[ReadTransaction]:
        """Run the block in a READ ONLY transaction.

        Raises:
            DependencyUnavailable: the database cannot serve now.
        """
        async with self._transaction(readonly=True) as (connection, driver):
            yield ReadTransaction(connection, driver)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[WriteTransaction]:
        """Run the block in a transaction: committed at its end, rolled back if it raises.

        Raises:
            DependencyUnavailable: the database cannot serve now. If it is raised at the end
                of the block, whether the commit happened is not known.
        """
        async with self._transaction(readonly=False) as (connection, driver):
            yield WriteTransaction(connection, driver)

    @asynccontextmanager
    async def statements(self) -> AsyncIterator[Driver]:
        """Lend a connection on which every statement commits by itself.

        For a path where the round trips of BEGIN and COMMIT count. `write_on` makes a
        transaction of a part of the block.

        Raises:
            DependencyUnavailable: the database cannot serve now. Whether the last statement was
                committed is not known.
        """
        async with self._driver() as (_, driver):
            try:
                yield driver
            except TimeoutError:
                # The server said nothing for the whole limit: nobody knows what it is at.
                driver.terminate()
                raise

    @asynccontextmanager
    async def _transaction(
        self, *, readonly: bool
    ) -> AsyncIterator[tuple[AsyncConnection, Driver]]:
        async with (
            self._driver() as (connection, driver),
            _transaction_on(driver, readonly=readonly),
        ):
            yield connection, driver

    @asynccontextmanager
    async def _driver(self) -> AsyncIterator[tuple[AsyncConnection, Driver]]:
        driver: Driver | None = None
        try:
            async with self._engine.connect() as connection:
                pooled = await connection.get_raw_connection()
                driver = cast("Driver", pooled.driver_connection)
                yield connection, driver
        except (*_DRIVER_ERRORS, sqlalchemy.exc.SQLAlchemyError, OSError) as error:
            if _is_outage(error, driver):
                raise DependencyUnavailable("database") from error
            raise


@asynccontextmanager
async def write_on(driver: Driver) -> AsyncIterator[None]:
    """Run the block in a transaction on a connection that `Database.statements` lent."""
    async with _transaction_on(driver, readonly=False):
        yield


@asynccontextmanager
async def _transaction_on(driver: Driver, *, readonly: bool) -> AsyncIterator[None]:
    transaction = driver.transaction(readonly=readonly)
    try:
        await transaction.start()
        yield
        await transaction.commit()
    except BaseException as error:
        await _abandon(driver, transaction, error=error)
        raise


class TransactionLost(Exception):
    """Says that a block ended well although one of its statements had failed.

    PostgreSQL answers COMMIT with a rollback then, and with no error. The block has swallowed an
    error outside of a savepoint: a bug.
    """

    def __init__(self) -> None:
        super().__init__("nothing was committed: the block has swallowed a failed statement")


class _Connection(asyncpg.Connection):
    """A connection that does not take a rollback for a commit."""

    async def execute(
        self,
        query: str,
        *args: object,
        timeout: float | None = None,  # noqa: ASYNC109  (the signature of asyncpg)
    ) -> str:
        status: str = await super().execute(query, *args, timeout=timeout)
        if status == "ROLLBACK" and query.startswith("COMMIT"):
            raise TransactionLost
        return status


def _connecting(url: Secret, application_name: str) -> Callable[[], Awaitable[Driver]]:
    async def connect() -> Driver:
        # By asyncpg itself, since only so the URL means what it means to libpq (sslmode,
        # several hosts), and it never lies about in the engine.
        try:
            return await asyncpg.connect(
                url.reveal(),
                timeout=CONNECT_TIMEOUT.total_seconds(),
                command_timeout=COMMAND_TIMEOUT.total_seconds(),
                connection_class=_Connection,
                server_settings=_server_settings(application_name),
            )
        except _DRIVER_ERRORS as error:
            # The caller reads "does not answer"; a wrong password is something else to us.
            _log.error("database_refused", error=type(error).__name__)
            raise

    return connect


def _server_settings(application_name: str) -> dict[str, str]:
    # Behind PgBouncer: list those that it does not know in its ignore_startup_parameters and set
    # them for the role instead (ALTER ROLE ... SET).
    return {
        "application_name": application_name,
        "timezone": "UTC",
        "statement_timeout": _milliseconds(STATEMENT_TIMEOUT),
        "idle_in_transaction_session_timeout": _milliseconds(IDLE_IN_TRANSACTION_TIMEOUT),
        # The server then notices a client that vanished, and gives back its locks, in a minute.
        "tcp_keepalives_idle": "30",
        "tcp_keepalives_interval": "10",
        "tcp_keepalives_count": "3",
    }


def _milliseconds(duration: timedelta) -> str:
    return str(int(duration.total_seconds() * 1000))


def _dump(value: object) -> str:
    return orjson.dumps(value).decode()


def _refuse_closed(connection: AdaptedConnection, record: object, proxy: object) -> None:
    """Make the pool replace a connection that has been closed while it lay there."""
    if connection.driver_connection.is_closed():
        raise sqlalchemy.exc.DisconnectionError


async def _abandon(driver: Driver, transaction: Transaction, *, error: BaseException) -> None:
    """Roll back; throw the connection away where that is not possible or not safe."""
    if driver.is_closed():
        return
    if isinstance(error, TimeoutError):
        # The server said nothing for the whole limit: it would not answer a rollback either.
        driver.terminate()
        return
    try:
        async with asyncio.timeout(_ROLLBACK_SECONDS):
            await transaction.rollback()
    except (*_DRIVER_ERRORS, OSError, asyncio.CancelledError):
        # The first error is the one that the caller has to see.
        driver.terminate()


def _is_outage(error: BaseException | None, driver: "Driver | None") -> bool:
    """Tell whether an error says that the database cannot serve now; no driver: no connection."""
    if driver is None or isinstance(error, OSError | sqlalchemy.exc.TimeoutError):
        return True
    match error:
        case sqlalchemy.exc.DBAPIError():
            # SQLAlchemy's error has the dialect's, which has asyncpg's.
            cause = None if error.orig is None else error.orig.__cause__
            return error.connection_invalidated or _is_outage(cause, driver)
        case asyncpg.PostgresError():
            state = error.sqlstate or ""
            return state[:2] in _OUTAGE_CLASSES or state in _OUTAGE_STATES
        case asyncpg.InterfaceError() | asyncpg.InternalClientError():
            # Also what asyncpg says of wrong arguments; those leave the connection open.
            return driver.is_closed()
        case _:
            return False
