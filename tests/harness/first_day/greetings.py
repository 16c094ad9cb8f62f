"""A setting, a probe and a command."""

import click
from flask import Blueprint, current_app

from . import probes
from .environment import Environment

blueprint = Blueprint("greetings", __name__)


def settings(env: Environment) -> dict[str, object]:
    return {"GREETING": env.text("GREETING") or "Hello"}


@blueprint.cli.command()
@click.argument("name")
def send(name: str) -> None:
    """Greet somebody."""
    click.echo(f"{current_app.config['GREETING']}, {name}")


def mail() -> str:
    message = "there is no server"
    raise ConnectionError(message)


probes.PROBES["mail"] = mail
