"""Recipes of docs/recipes: their code, taken from the page and put into a project.

A block of code belongs to the file that the line above it names, in backticks at its start, with a
colon at its end. It has "with Postgres" or "with MySQL" in it where the block is for one only.
Where its language is `diff` it changes a file that is there, by lines that are kept (" "), deleted
("-") and added ("+"), with "@@" between places; otherwise it is a whole new file.

Where `upgrade` stands for the file, the block goes to the end of that function of the migration.
One of `sh` that belongs to no file is typed in the project's folder.
"""

import re
from dataclasses import dataclass

from tests.harness.baked import Baked
from tests.harness.choices import TEMPLATE
from tests.harness.processes import run

PAGES = TEMPLATE / "docs" / "recipes"
NAMES = sorted(page.stem for page in PAGES.glob("[!R]*.md"))

BLOCK = re.compile(r"^`([^`\n]+)`([^\n]*):\n\n```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMANDS = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NEEDS = re.compile(r"^Needs .*\.$", re.MULTILINE)
END_OF_UPGRADE = "    # ### end Alembic commands ###\n"  # and of downgrade, which comes later


@dataclass(frozen=True)
class Recipe:
    """A page of docs/recipes, by the name of its file."""

    name: str

    @property
    def text(self) -> str:
        return (PAGES / f"{self.name}.md").read_text()

    @property
    def needed(self) -> list["Recipe"]:
        """What the line "Needs [mail](mail.md)." names."""
        lines = " ".join(NEEDS.findall(self.text))
        return [Recipe(name) for name in re.findall(r"\]\(([\w-]+)\.md\)", lines)]

    @property
    def files(self) -> dict[str, str]:
        """The texts of the files that it adds, with MySQL where they differ."""
        return self.files_with("mysql")

    def files_with(self, database: str) -> dict[str, str]:
        blocks = self.blocks(database)
        return {path: text for path, kind, text in blocks if kind != "diff" and path != "upgrade"}

    def changes(self, database: str) -> list[tuple[str, str]]:
        """The files that it changes, and the lines."""
        return [(path, text) for path, kind, text in self.blocks(database) if kind == "diff"]

    def blocks(self, database: str) -> list[tuple[str, str, str]]:
        """The files, the languages of what is said of them, and that."""
        other = {"postgres": "with MySQL", "mysql": "with Postgres"}[database]
        blocks = BLOCK.findall(self.text)
        return [(path, kind, text) for path, note, kind, text in blocks if other not in note]

    def put_into(self, project: Baked) -> None:
        """Do what the page says, with what it needs first, but for `make` and the migration."""
        if all((project.folder / path).exists() for path in self.files):
            return
        for recipe in self.needed:
            recipe.put_into(project)
        database = project.answers.get("database", "postgres")
        for path, text in self.files_with(database).items():
            file = project.folder / path
            assert not file.exists(), f"{self.name} would write over {path}"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        for path, change in self.changes(database):
            file = project.folder / path
            file.write_text(changed(file.read_text(), change, f"{self.name}: {path}"))
        for commands in COMMANDS.findall(self.text):
            run("bash", "-ec", commands, folder=project.folder)

    def add_to_migration(self, project: Baked) -> None:
        """Add its lines to the one migration of a project."""
        blocks = self.blocks(project.answers.get("database", "postgres"))
        for lines in [text for path, _, text in blocks if path == "upgrade"]:
            [migration] = project.folder.glob("migrations/versions/*.py")
            upgrade, downgrade = migration.read_text().split(END_OF_UPGRADE, 1)
            migration.write_text(upgrade + END_OF_UPGRADE + lines + downgrade)


def changed(text: str, change: str, what: str) -> str:
    """Return a text with the lines changed, each place of which has to be there once."""
    for place in re.split(r"^@@\n", change, flags=re.MULTILINE):
        lines = place.splitlines(keepends=True)
        assert all(line[0] in " +-\n" for line in lines), f"{what} is no diff:\n{place}"
        before = "".join(line[1:] or line for line in lines if line[0] != "+")
        after = "".join(line[1:] or line for line in lines if line[0] != "-")
        count = len(re.findall("^" + re.escape(before), text, re.MULTILINE))
        assert count == 1, f"{what} has not one but {count} of:\n{before}"
        text = re.sub("^" + re.escape(before), lambda _: after, text, flags=re.MULTILINE)  # noqa: B023
    return text


def gate(project: Baked, *recipes: str, mypy_cache: str, **settings: str) -> str:
    """Run the project's linters and mypy, and the tests of recipes, which must cover their code.

    Returns what the tests said.
    """
    project.run("make", "--old-file=install", "lint", "types", MYPY_CACHE_DIR=mypy_cache)
    paths = [path for name in recipes for path in Recipe(name).files]
    tests = [path for path in paths if re.fullmatch(r"tests/test_\w+\.py", path)]
    code = [path for path in paths if path.startswith(project.package) and path.endswith(".py")]
    assert tests, f"no tests in {recipes}"
    said = project.run("pytest", "-q", "--cov", "--cov-fail-under=0", *tests, **settings)
    if code:
        project.run("coverage", "report", f"--include={','.join(code)}", "--fail-under=95")
    return said
