"""Commands: `flask check`. `flask db` comes from Flask-Migrate."""

import click
from flask.cli import with_appcontext

from . import checks


@click.command()
@with_appcontext
def check() -> None:
    """Tell what works, with exit status 1 if anything does not.

    The settings are known to be good when this runs: with others no command does.
    """
    found = [
        checks.Check("settings", ok=True, detail="usable"),
        checks.check("database", checks.database),
        checks.check("migrations", checks.migrations),
        checks.check("media", checks.media_round_trip),
        checks.check("static files", checks.static_files),
    ]
    for outcome in found:
        click.echo(f"{'ok' if outcome.ok else 'FAILED':8}{outcome.name:14}{outcome.detail}")
    if not all(outcome.ok for outcome in found):
        raise SystemExit(1)
