"""Has {{ 'workers' if cookiecutter.gateway_server == 'gunicorn' else 'containers' }} load the application one after another, because it migrates its database then."""

import contextlib
{% if cookiecutter.gateway_server == 'uwsgi' %}
import gc
{% endif %}
import os
import time
from collections.abc import Iterator

from sqlalchemy import create_engine, text
{% if cookiecutter.gateway_server == 'uwsgi' %}
from sqlalchemy.engine import Engine
{% endif %}
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

{% if cookiecutter.database == 'postgres' %}
# Not the variant that waits: CREATE INDEX CONCURRENTLY would wait for it in turn.
TRY = text("SELECT pg_try_advisory_lock(7)")
{% else %}
TRY = text("SELECT GET_LOCK(CONCAT(DATABASE(), '.migration'), 1)")
{% endif %}


@contextlib.contextmanager
def hold() -> Iterator[None]:
    """Hold a lock in the database, which all containers share, for as long.

    Without a database there is no lock, and the application tells what it misses.
    """
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(SQLAlchemyError, ImportError):
            engine = create_engine(
                os.environ.get("DATABASE_URL", ""), poolclass=NullPool, isolation_level="AUTOCOMMIT"
            )
            connection = stack.enter_context(engine.connect())
            while not connection.scalar(TRY):
                time.sleep(0.2)
        yield
{% if cookiecutter.gateway_server == 'uwsgi' %}
    # The workers, forked from this process, must not share what the application has opened.
    for each in gc.get_objects():
        if issubclass(type(each), Engine):
            each.dispose()
{% endif %}
