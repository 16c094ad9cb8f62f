"""How Alembic runs the migrations, called by the flask db commands."""

from alembic import context
from flask import current_app

db = current_app.extensions["migrate"].db


def drop_empty_migration(_context, _revision, directives):
    """Let flask db migrate write nothing where the models and the tables agree."""
    if getattr(context.config.cmd_opts, "autogenerate", False):
        directives[:] = [script for script in directives if not script.upgrade_ops.is_empty()]


OPTIONS = {
    "target_metadata": db.metadata,
    # SQLite cannot alter most of a table, so Alembic makes a new one and copies.
    "render_as_batch": True,
    "process_revision_directives": drop_empty_migration,
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
