"""How Alembic runs the migrations, called by the flask db commands."""

from alembic import context
from flask import current_app

db = current_app.extensions["migrate"].db


def include_changes(_context, _revision, directives):
    """Write no migration where the models and the tables agree."""
    if directives[0].upgrade_ops.is_empty():
        directives.clear()


OPTIONS = {
    "target_metadata": db.metadata,
    # SQLite cannot alter most of a table, so Alembic makes a new one and copies.
    "render_as_batch": True,
    "process_revision_directives": include_changes,
}

if context.is_offline_mode():
    url = db.engine.url.render_as_string(hide_password=False)
    context.configure(url=url, literal_binds=True, **OPTIONS)
    with context.begin_transaction():
        context.run_migrations()
else:
    with db.engine.connect() as connection:
        context.configure(connection=connection, **OPTIONS)
        with context.begin_transaction():
            context.run_migrations()
