"""Samples of the blog: a module of the project, whose `flask samples` writes them."""

from datetime import UTC, datetime, timedelta
from math import sin
from random import Random

import click
from flask import Blueprint
from PIL import Image, ImageDraw, ImageOps

from . import pictures
from .accounts import Account
from .database import db
from .posts import FOLDER, Post

blueprint = Blueprint("samples", __name__, cli_group=None)

PEOPLE = ("ann@example.com", "bob@example.com")
PASSWORD = "three small words"

# The sky above and below, the ground, the sun or the moon and how high it stands.
HOURS = {
    "Dawn": ("#35477d", "#f6b093", "#3a3554", "#ffd9a0", 0.5),
    "Noon": ("#3f8ed0", "#cfe8f7", "#2f5d3a", "#fff6d0", 0.2),
    "Dusk": ("#4b2e63", "#f0775a", "#2b2038", "#ffc46b", 0.55),
    "Night": ("#0b1030", "#33406b", "#0c1120", "#eef0e0", 0.25),
}
# How high the hills are, and how rough.
PLACES = {
    "by the lake": (0.02, 1, "The water was as still as a mirror."),
    "in the hills": (0.08, 2, "From the last bend one sees the whole valley."),
    "on the coast": (0.01, 6, "The wind came from the sea, and brought the gulls."),
    "in the desert": (0.05, 1, "There was sand as far as one could see."),
    "below the peaks": (0.16, 4, "The snow of last winter still lay in the shade."),
}
WIDTH, HEIGHT = 1200, 800


@blueprint.cli.command("samples")
def write() -> None:
    """Write two accounts, and twenty posts with pictures that are drawn."""
    accounts = [Account(email=email) for email in PEOPLE]
    for account in accounts:
        account.set_password(PASSWORD)
    db.session.add_all(accounts)
    db.session.flush()
    titles = [(hour, place) for place in PLACES for hour in HOURS]
    for number, (hour, place) in enumerate(titles):
        what = f"{hour} {place}"
        db.session.add(
            Post(
                author_id=accounts[number % 2].id,
                title=what,
                text=f"{PLACES[place][2]}\n\nWe stayed until it was too cold, and walked home.",
                picture=pictures.save(draw(hour, place), FOLDER),
                alt=f"A drawing: {what.lower()}",
                created=datetime.now(UTC) - timedelta(days=len(titles) - number),
            )
        )
        db.session.flush()  # in this order
    db.session.commit()
    click.echo(f"Log in as {' or '.join(PEOPLE)}, with the password: {PASSWORD}")


def draw(hour: str, place: str) -> Image.Image:
    above, below, ground, light, depth = HOURS[hour]
    height, roughness, _ = PLACES[place]
    chance = Random(hour + place)
    sky = Image.linear_gradient("L").resize((WIDTH, HEIGHT))
    image = ImageOps.colorize(sky, above, below)
    pen = ImageDraw.Draw(image)
    pen.circle((chance.randint(350, 850), HEIGHT * depth), 60, light)
    for layer in range(1, 5):
        shift = chance.uniform(0, 100)
        line = [
            (x, edge(x / WIDTH, layer, height, roughness, shift)) for x in range(0, WIDTH + 4, 4)
        ]
        shade = Image.blend(
            Image.new("RGB", (1, 1), below), Image.new("RGB", (1, 1), ground), layer / 4
        )
        pen.polygon([(0, HEIGHT), *line, (WIDTH, HEIGHT)], shade.getpixel((0, 0)))
    return image


def edge(x: float, layer: int, height: float, roughness: float, shift: float) -> float:
    """Return the upper edge of a row of hills, of which the fourth is the nearest."""
    waves = sum(sin((x + shift) * roughness * 3 * 2**n) / 2**n for n in range(3))
    return HEIGHT * (0.5 + 0.1 * layer - height * waves)
