"""Commands: `flask check`. `flask db` comes from Flask-Migrate."""

import click
from flask.cli import with_appcontext

from . import probes


@click.command()
@with_appcontext
def check() -> None:
    """Tell what works, with exit status 1 if anything does not."""
    outcomes = probes.run(*probes.PROBES)
    for outcome in outcomes:
        click.echo(f"{'ok' if outcome.ok else 'FAILED':8}{outcome.name:14}{outcome.detail}")
    if not all(outcome.ok for outcome in outcomes):
        raise SystemExit(1)
