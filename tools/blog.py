"""Make a blog of a baked project, by the recipes, with samples: python -m tools.blog FOLDER."""

import shutil
import sys
from pathlib import Path

from tests.harness.baked import Baked
from tests.harness.choices import TEMPLATE
from tests.harness.processes import run
from tests.harness.recipes import Recipe

RECIPES = ["accounts", "posts", "api"]  # and mail, which accounts need


def main(folder: str) -> None:
    project = Baked({}, Path(folder))
    print(f"Adding recipes: {', '.join(RECIPES)}", flush=True)
    add_recipes(project)
    print("Installing the dependencies, and drawing pictures", flush=True)
    install(project)
    make(project, "flask", "ARGS=db upgrade")
    print(make(project, "flask", "ARGS=samples").strip())
    token = make(project, "flask", "ARGS=tokens add demo").strip()
    print(f"The API, told of in /api/openapi.json, wants 'Authorization: Bearer {token}'.")
    print("The posts are at /posts/. Mails are not sent, but shown here: open the link of one.")


def add_recipes(project: Baked) -> None:
    for name in RECIPES:
        Recipe(name).put_into(project)
    shutil.copy(TEMPLATE / "tools" / "samples.py", project.folder / project.package)


def install(project: Baked) -> None:
    make(project, "--old-file=install", "lock")  # by our uv
    project.install()
    make(project, "migration", "MESSAGE=add the blog")


def make(project: Baked, *arguments: str) -> str:
    return run("make", "--silent", *arguments, folder=project.folder)


if __name__ == "__main__":
    main(*sys.argv[1:])
