"""What a release is: the rules, and the commands that keep them, for which plain Python is enough.

A release is a tag MAJOR.MINOR on main, at a commit whose `_version` in cookiecutter.json is the
same, and on top of CHANGELOG.md too. The branch `release` is at the newest one.
"""

import argparse
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parents[1]
CONTEXT = ROOT / "cookiecutter.json"
CHANGELOG = ROOT / "CHANGELOG.md"

# What a bake is made of; all else in the repository reaches no project.
PARTS = [CONTEXT.name, "hooks", "templates", "{{cookiecutter.project_slug}}"]
VALUE_OF_VERSION = re.compile(r'(?<="_version": ")[^"]*')
VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)")
# Such as v1.1, 1.1.0, release-1.1 and 1.1rc1.
LIKE_A_VERSION = re.compile(r"(v|version|release)?[-_./]?\d+(\.|$)", re.IGNORECASE)
IN_A_FORK = " (in a clone of a fork, put the original's URL for origin)"

Sections = list[tuple[str, str]]


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.release", description=__doc__)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("release", help="tag the version here, on main, and push the tag")
    command.set_defaults(run=release)
    command = commands.add_parser("next", help="begin the next version, if the last is released")
    command.add_argument("kind", nargs="?", choices=["minor", "major"], default="minor")
    command.add_argument("--text", help="what CHANGELOG.md says of it")
    command.set_defaults(run=begin_next)
    command = commands.add_parser("check", help="tell what is wrong with a tag that is checked out")
    command.add_argument("tag")
    command.set_defaults(run=check)
    command = commands.add_parser("notes", help="print what CHANGELOG.md says of the version here")
    command.set_defaults(run=print_notes)
    given = vars(parser.parse_args(arguments))
    given.pop("run")(**given)


def release() -> None:
    git("fetch", "--tags", "origin", "+refs/heads/main:refs/remotes/origin/main")
    version = version_of(CONTEXT.read_text())
    refuse([*problems_of_checkout(version), *problems()])
    git("tag", "--annotate", "--message", version, version)
    try:
        git("push", "origin", f"refs/tags/{version}")
    except BaseException:
        git("tag", "--delete", version)  # or the next try would take it for released
        raise
    print(
        f"{version} is tagged and pushed. The workflow Release, under Actions on GitHub, runs CI\n"
        "on it, which takes up to an hour, moves the branch release to it and publishes its notes."
    )


def begin_next(kind: str, text: str | None) -> None:
    if branch_here() == "release":
        sys.exit("This is release, which only releases move: git switch main")
    context, changelog = CONTEXT.read_text(), CHANGELOG.read_text()
    version, sections = version_of(context), sections_of(changelog)
    refuse([*problems_of_texts(version, sections)])
    if version not in tags():
        print(f"{version} has begun, and is not released: nothing is changed.")
        print("If it is released: git fetch --tags")
        return
    following = followers(version)[kind]
    paragraphs = [f"## {following}", text, "To update: follow the recipe.\n\n"]
    section = "\n\n".join(filter(None, paragraphs))
    CONTEXT.write_text(VALUE_OF_VERSION.sub(following, context, count=1))
    CHANGELOG.write_text(
        re.sub("^(?=## )", lambda _: section, changelog, count=1, flags=re.MULTILINE)
    )
    print(f"{following} has begun. Say in CHANGELOG.md what it changes", end="")
    print(", and what owners have to do." if kind == "major" else ".")


def check(tag: str) -> None:
    found = [] if VERSION.fullmatch(tag) else [no_version(tag)]
    tagged, here = commit_of(f"refs/tags/{tag}"), commit_of("HEAD")
    if tagged != here:
        found.append(f"Tag {tag}: it is at {tagged}, and {here} was tested. It has its own run.")
    refuse([*found, *problems()])


def print_notes() -> None:
    print(sections_of(CHANGELOG.read_text())[0][1].strip())


def refuse(found: list[str]) -> None:
    if found:
        sys.exit("\n".join(dict.fromkeys(found)))


# The rules


def problems() -> list[str]:
    """Return what is wrong with the versions of this clone: a line for each, with what to do."""
    if git("rev-parse", "--is-shallow-repository") == "true":
        return ["The history is not here, which tells what is released: git fetch --unshallow"]
    version, sections = version_of(CONTEXT.read_text()), sections_of(CHANGELOG.read_text())
    return [*problems_of_texts(version, sections), *problems_of_tags(version, sections)]


def problems_of_texts(version: str, sections: Sections) -> Iterator[str]:
    names = [name for name, _ in sections]
    if not VERSION.fullmatch(version):
        yield f"cookiecutter.json: _version is {version!r}, and not MAJOR.MINOR, such as 1.1."
    if names[:1] != [version]:
        top = f"{names[0]} is on top" if names else "there is no version"
        yield f"CHANGELOG.md: {top}, but {version} is _version in cookiecutter.json. Correct one."
    for newer, older in pairwise(names):
        if not VERSION.fullmatch(older):
            yield f"CHANGELOG.md: {older} is not MAJOR.MINOR, such as 1.1."
        elif newer not in (after := followers(older).values()):
            yield f"CHANGELOG.md: {newer} does not follow {older}. {' or '.join(after)} would."
    for name, text in sections:
        if "\nTo update: " not in text:
            yield f"CHANGELOG.md: {name} does not tell owners what to do: 'To update: ...'."


def problems_of_tags(version: str, sections: Sections) -> Iterator[str]:
    names = [name for name, _ in sections]
    all_tags, before = tags(), tags("--merged", "HEAD")
    released = [tag for tag in all_tags if VERSION.fullmatch(tag)]
    for tag in all_tags:
        if tag not in released and LIKE_A_VERSION.match(tag):
            yield no_version(tag)
    for tag in released:
        found = [*problems_of_tag(tag)]
        # A branch may be older than a tag, and then knows nothing of it.
        if tag in before and tag not in names:
            found.append(f"CHANGELOG.md: {tag} is released and has no section. Put it back.")
        if tag == version and tag in before and not found and has_changed_since(f"refs/tags/{tag}"):
            found.append(f"{tag} is released, and the template has changed since. Run: make next")
        yield from found
    for name in names[1:]:
        if name not in all_tags:
            yield (
                f"CHANGELOG.md: {name} is below {names[0]}, and was never released. Release it "
                f"first, or make one section of both. If it is: git fetch --tags origin{IN_A_FORK}"
            )
    commits = [commit_of(f"refs/tags/{tag}") for tag in released]
    for branch in refs("refs/remotes/*/release") if released else []:
        if (commit := commit_of(branch)) not in commits:
            yield (
                f"Branch release: it is at {commit}, which is no release. Bring to main what it "
                f"has, then: git push --force origin refs/tags/{released[-1]}^{{commit}}:"
                "refs/heads/release"
            )


def problems_of_tag(tag: str) -> Iterator[str]:
    commit = commit_of(f"refs/tags/{tag}")
    main = ("refs/heads/main", "refs/remotes/*/main")
    if not refs(*main):
        yield f"main is not here: git fetch origin main:refs/remotes/origin/main{IN_A_FORK}"
    elif not refs("--contains", commit, *main):
        yield f"Tag {tag}: it is at {commit}, which is not on main. {undo(tag)}"
    sections = sections_of(text_at(commit, CHANGELOG.name))
    for what, version in (
        ("_version of cookiecutter.json", version_of(text_at(commit, CONTEXT.name))),
        ("the top of CHANGELOG.md", sections[0][0] if sections else ""),
    ):
        if version != tag:
            yield f"Tag {tag}: it is at {commit}, where {what} is {version!r}. {undo(tag)}"


def problems_of_checkout(version: str) -> Iterator[str]:
    if git("status", "--porcelain"):
        yield "There is work that is not committed: see git status."
    if (branch := branch_here()) != "main":
        yield f"This is {branch}, and releases are made on main: git switch main"
        return
    if commit_of("HEAD") != commit_of("refs/remotes/origin/main"):
        yield "This is not what main is at origin: git pull, or git push and wait for CI."
    if version in tags() and not [*problems_of_tag(version)]:
        if git("ls-remote", "origin", f"refs/tags/{version}"):
            yield f"{version} is released already. What comes next begins with: make next"
        else:
            yield f"Tag {version}: it is not at origin. Delete it: git tag --delete {version}"
    if f"## {version}\n\nTo update: " in CHANGELOG.read_text():
        yield f"CHANGELOG.md: {version} does not tell people what it changes."


def no_version(tag: str) -> str:
    return f"Tag {tag}: it is no version, which is MAJOR.MINOR and no more. {undo(tag)}"


def undo(tag: str) -> str:
    return f"Delete it: git tag --delete {tag}; git push --delete origin refs/tags/{tag}"


def followers(version: str) -> dict[str, str]:
    major, minor = map(int, version.split("."))
    return {"minor": f"{major}.{minor + 1}", "major": f"{major + 1}.0"}


def version_of(context: str) -> str:
    found = VALUE_OF_VERSION.search(context)
    return found[0] if found else ""


def sections_of(changelog: str) -> Sections:
    """Return the version and the text of each section, the newest first."""
    _, *parts = re.split(r"^## (.+)\n", changelog, flags=re.MULTILINE)
    return list(zip(parts[::2], parts[1::2], strict=True))


# The repository


def git(*arguments: str) -> str:
    """Run git here, whoever owns the folder, and end with what it says if it fails."""
    command = ["git", "-C", str(ROOT), "-c", "safe.directory=*", *arguments]
    done = subprocess.run(command, capture_output=True, encoding="utf-8")
    if done.returncode:
        sys.exit(f"git {' '.join(arguments)} failed:\n{done.stderr.strip()}")
    return done.stdout.strip()


def refs(*arguments: str) -> list[str]:
    return git("for-each-ref", "--format=%(refname)", *arguments).splitlines()


def tags(*arguments: str) -> list[str]:
    ordered = refs("--sort=version:refname", *arguments, "refs/tags")
    return [name.removeprefix("refs/tags/") for name in ordered]


def branch_here() -> str:
    return git("rev-parse", "--abbrev-ref", "HEAD")


def commit_of(name: str) -> str:
    return git("rev-parse", "--short", f"{name}^{{commit}}")


def text_at(commit: str, name: str) -> str:
    """Return a file of a commit, or nothing where it has none."""
    return git("show", f"{commit}:{name}") if git("ls-tree", commit, "--", name) else ""


def has_changed_since(commit: str) -> bool:
    """Return whether the working tree would bake other projects than that commit."""
    changed = git("diff", "--name-only", commit, "--", *PARTS)
    return bool(changed or git("ls-files", "--others", "--exclude-standard", "--", *PARTS))


if __name__ == "__main__":
    main(sys.argv[1:])
