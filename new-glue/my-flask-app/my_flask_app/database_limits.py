"""Limits to how long a statement of a request may take, so that the database holds up no site.

The database's server ends what takes too long. Where it cannot, because it is frozen or out of
reach, the client gives up a little later.
"""

from typing import Any

import psycopg
from flask import Flask
from psycopg.abc import RV, PQGen
from psycopg.pq import TransactionStatus
from sqlalchemy import Dialect, event, exc
from sqlalchemy.pool import ConnectionPoolEntry

from .database import db

# A transaction in which nothing happens for longer ends, and so do its locks.
IDLE_TRANSACTION_SECONDS = 60

# How much longer than the server the client waits.
GRACE_SECONDS = 2

# https://www.postgresql.org/docs/current/errcodes-appendix.html
BUSY = {
    "40001",  # serialization_failure
    "40P01",  # deadlock_detected
    "53100",  # disk_full
    "53200",  # out_of_memory
    "55P03",  # lock_not_available
    "57014",  # query_canceled, after statement_timeout
}


class LimitedConnection(psycopg.Connection[Any]):
    """A connection that closes itself where an answer takes longer than this many seconds."""

    seconds: int

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        try:
            return super().wait(gen, interval, self.seconds if timeout is None else timeout)
        except psycopg.OperationalError as error:
            if self.info.transaction_status != TransactionStatus.ACTIVE:
                raise
            # The answer is still due. Whoever waited for another, as to a ROLLBACK, would wait too.
            self.close()
            message = f"no answer within {self.seconds} seconds"
            raise psycopg.OperationalError(message) from error


def init_app(app: Flask) -> None:
    """Limit what is done on the application's connections."""
    seconds: int = app.config["DATABASE_TIMEOUT"]
    with app.app_context():
        engine = db.engine
    if engine.dialect.name == "sqlite":
        return

    @event.listens_for(engine, "do_connect")
    def connect(
        _dialect: Dialect,
        _record: ConnectionPoolEntry,
        _arguments: list[Any],
        parameters: dict[str, Any],
    ) -> LimitedConnection:
        parameters["options"] = (
            f"-c statement_timeout={seconds}s"  # which includes the wait for a lock
            f" -c idle_in_transaction_session_timeout={IDLE_TRANSACTION_SECONDS}s"
            f" {parameters.get('options', '')}"
        )
        connection = LimitedConnection.connect(**parameters)
        connection.seconds = seconds + GRACE_SECONDS
        return connection


def is_unavailable(error: Exception) -> bool:
    """Return whether the database is absent, frozen, busy or slow, so that no code is to blame."""
    if isinstance(error, exc.TimeoutError):  # No connection became free.
        return True
    if not isinstance(error, exc.OperationalError):
        return isinstance(error, exc.DBAPIError) and error.connection_invalidated
    # Without a statement, the database cannot be connected to.
    code = getattr(error.orig, "sqlstate", None)
    return error.connection_invalidated or error.statement is None or code in BUSY
