"""How Alembic runs the migrations, called by the flask db commands."""

from alembic import context
{% if cookiecutter.database == 'mysql' %}
from alembic.operations.ops import DropTableOp
{% endif %}
from flask import current_app

from {{ cookiecutter.package_name }}.database import IN_MEMORY

db = current_app.extensions["migrate"].db


def drop_empty_migration(_context, _revision, directives):
    """Let flask db migrate write nothing where the models and the tables agree."""
    wanted = getattr(context.config.cmd_opts, "autogenerate", False)
    if wanted and directives[0].upgrade_ops.is_empty():
        current_app.logger.warning("No model has changed, or nothing imports its module.")
        directives.clear()
{% if cookiecutter.database == 'mysql' %}
    for directive in directives:
        drop_indexes_with_their_tables(directive.downgrade_ops)


def drop_indexes_with_their_tables(operations):
    """Leave their indexes to tables that go, because MySQL drops none that a foreign key needs."""
    tables = [operation for operation in operations.ops if isinstance(operation, DropTableOp)]
    names = {table.table_name for table in tables}
    others = [op for op in operations.ops if getattr(op, "table_name", None) not in names]
    operations.ops = others + tables
{% endif %}


def import_own_type(kind, item, autogen_context):
    """Let a migration import the column types of this project, which it names in full."""
    module = type(item).__module__
    if kind == "type" and module.split(".")[0] == current_app.import_name:
        autogen_context.imports.add(f"import {module}")
    return False  # Alembic renders the rest.


def set_foreign_keys(connection, state):
    """Switch SQLite's checks: a copied table's old one is dropped, and what refers to it stays."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA foreign_keys = {state}")
        connection.commit()


OPTIONS = {
    "target_metadata": db.metadata,
    # SQLite cannot alter most of a table, so Alembic makes a new one and copies.
    "render_as_batch": True,
    "process_revision_directives": drop_empty_migration,
    "render_item": import_own_type,
}

if context.is_offline_mode():
    url = db.engine.url.render_as_string(hide_password=False)
    context.configure(url=url, literal_binds=True, **OPTIONS)
    with context.begin_transaction():
        context.run_migrations()
else:
    if str(db.engine.url) == IN_MEMORY:
        current_app.logger.warning("DATABASE_URL is not set: this database is gone at the end.")
    with db.engine.connect() as connection:
        set_foreign_keys(connection, "OFF")
        context.configure(connection=connection, **OPTIONS)
        with context.begin_transaction():
            context.run_migrations()
        set_foreign_keys(connection, "ON")
