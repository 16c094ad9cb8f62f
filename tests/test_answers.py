"""pre_gen_project.py refuses answers that would not work, all at once, and writes nothing."""

import ast
import json
from functools import partial
from pathlib import Path

import pytest
from cookiecutter.exceptions import FailedHookException, UndefinedVariableInTemplate
from cookiecutter.main import cookiecutter
from pytest_cookies.plugin import Cookies

from tests.harness.baked import bake
from tests.harness.choices import CHOICES, TEMPLATE, Answers, constant_of_hook
from tests.harness.processes import run


def problems(answers: Answers, folder: Path, capfd: pytest.CaptureFixture[str]) -> list[str]:
    """Bake with answers that have to be refused; return the lines that tell why."""
    with pytest.raises(FailedHookException):
        bake(folder, **answers)
    assert list(folder.iterdir()) == [], "something was left behind"
    errors = capfd.readouterr().err
    assert "Traceback" not in errors.partition("ERROR cookiecutter")[0]
    return [line for line in errors.splitlines() if line.startswith("ERROR: ")]


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("project_name", " ", "is empty"),
        ("project_name", "two\nlines", "control character"),
        ("project_name", "bell\x07", "control character"),
        ("project_name", "right\u202eleft", "control character"),
        ("description", "", "is empty"),
        ("description", "tab\there", "control character"),
        *[
            (name, "{" + "{ '{" + mark + "' }}", "Jinja delimiter")
            for name in ("project_name", "description")
            for mark in "{%#"
        ],
        *[
            (name, value, "must be lower-case letters")
            for name in ("project_slug", "divio_slug")
            for value in [
                "UPPER",
                "1app",
                "a b",
                "a_b",
                "a--b",
                "-a",
                "a-",
                "a.b",
                "\u00fcber",
                "a$(id)",
                "a" * 64,
            ]
        ],
        ("divio_slug", "a" * 58, "at most 57 characters"),
        ("wsgi_app", "app:app", "in a new application"),
        *[
            ("found", value, "must be words with single spaces")
            for value in ["", " ", "two  spaces", "a;b", "$(id)", "../up/", "-option", "a\nb"]
        ],
        ("package_name", "1app", "Python name"),
        ("package_name", "my-app", "Python name"),
        ("package_name", "MyApp", "Python name"),
        ("package_name", "_app", "Python name"),
        ("package_name", "class", "keyword"),
        ("package_name", "h\u00e9", "Python name"),
        *[
            ("package_name", name, "is the name of a module")
            for name in ["flask", "test", "tests", "email", "sqlalchemy", "migrations", "data"]
        ],
    ],
)
def test_bad_answer_is_refused(
    name: str, value: str, says: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    answers = {"project_slug": "app", "package_name": "app", "divio_slug": "app", name: value}

    (line,) = problems(answers, tmp_path, capfd)

    assert line.startswith(f"ERROR: {name} ")
    assert says in line


@pytest.mark.parametrize("slug", ["..", "../evil", "a/b"])
def test_slug_cannot_leave_the_folder(
    slug: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "target"
    (target / "inner").mkdir(parents=True)

    with pytest.raises(FailedHookException):
        cookiecutter(
            str(TEMPLATE),
            no_input=True,
            extra_context={"project_slug": slug, "package_name": "app", "divio_slug": "app"},
            output_dir=target / "inner",
            overwrite_if_exists=True,
        )

    assert "ERROR: project_slug" in capfd.readouterr().err
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize("slug", ["a/../b", "a/..", "a/b", "../b", "/b"])
@pytest.mark.parametrize("there", ["file", "a", "b/file"])
def test_slug_with_a_slash_changes_nothing(slug: str, there: str, tmp_path: Path) -> None:
    # cookiecutter would make the folders of a/../b before it runs a hook, and delete what is at b
    # when the hook refuses it, though it be a folder of the owner's.
    (tmp_path / "out" / there).mkdir(parents=True)
    before = sorted(tmp_path.rglob("*"))

    answers = {"project_slug": slug}
    bake_here = partial(cookiecutter, str(TEMPLATE), no_input=True, output_dir=tmp_path / "out")
    with pytest.raises(UndefinedVariableInTemplate) as caught:
        bake_here(extra_context=answers)

    assert "project_slug: must name one folder, without a slash" in str(caught.value.error)
    assert sorted(tmp_path.rglob("*")) == before


def test_all_problems_are_told_at_once(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    answers = {
        "project_name": "\x07",
        "description": " ",
        "project_slug": "B",
        "divio_slug": "C",
        "package_name": "flask",
    }

    found = problems(answers, tmp_path, capfd)

    assert len(found) == len(answers)


@pytest.mark.parametrize("name", CHOICES)
def test_replayed_value_that_is_no_choice_is_refused(
    name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    replay = tmp_path / "replay.json"
    answers = {key: values[0] for key, values in CHOICES.items()} | {
        "project_name": "App",
        "project_slug": "app",
        "package_name": "app",
        "wsgi_app": "app:create_app()",
        "description": "An app.",
        "divio_slug": "app",
        "found": "auto",
    }
    replay.write_text(json.dumps({"cookiecutter": answers | {name: "other"}}))

    with pytest.raises(FailedHookException):
        cookiecutter(str(TEMPLATE), replay=str(replay), output_dir=tmp_path / "out")

    assert f"ERROR: {name} 'other' is not one of" in capfd.readouterr().err
    assert not list((tmp_path / "out").iterdir())


def test_replay_of_answers_alone_bakes_the_same(tmp_path: Path) -> None:
    """Files of earlier releases have none of the private variables that came later."""
    answers = {"project_name": "The App", "project_slug": "own-slug", "database": "mysql"}
    config = {"replay_dir": str(tmp_path)}
    bake = partial(cookiecutter, str(TEMPLATE), default_config=config)
    baked = Path(bake(no_input=True, extra_context=answers, output_dir=tmp_path / "baked"))
    replay = tmp_path / f"{TEMPLATE.name}.json"
    given = json.loads(replay.read_text())["cookiecutter"]
    public = {name: value for name, value in given.items() if not name.startswith("_")}
    replay.write_text(json.dumps({"cookiecutter": public | {"_version": given["_version"]}}))

    again = Path(bake(replay=str(replay), output_dir=tmp_path / "again"))

    run("diff", "--recursive", "--exclude=.git", baked, again)


@pytest.mark.parametrize(
    "answers",
    [
        {"project_name": "It's \"quoted\" \\ '''''' <b>&amp;"},
        {"project_name": "Zo\u00eb's caf\u00e9 \U0001f600", "project_slug": "cafe"},
        {"description": 'He said "hi" \\n $(id) `id` {x} %s'},
        {"description": '"""'},
        {"project_slug": "a"},
        {"project_slug": "a" * 57},
        {"project_slug": "a" * 63, "divio_slug": "a"},
        {"project_slug": "a1-b2"},
    ],
    ids=lambda answers: "".join(answers),
)
def test_odd_but_good_answer_is_taken(answers: Answers, cookies: Cookies) -> None:
    result = cookies.bake(answers, template=str(TEMPLATE))

    assert result.exception is None
    for path in result.project_path.rglob("*.py"):
        ast.parse(path.read_text(), path)


def test_hook_knows_the_choices() -> None:
    assert constant_of_hook("pre_gen_project", "CHOICES") == CHOICES


def test_hooks_agree_on_what_they_both_have() -> None:
    one, other = (path.read_text() for path in sorted((TEMPLATE / "hooks").glob("*.py")))
    for first, last in [
        ("# Hooks run from a copy", "]\n"),
        ("# cruft renders into", "\n)\n"),
    ]:
        part = first + one.partition(first)[2].partition(last)[0] + last
        assert part.count("\n") > 1
        assert part in other
