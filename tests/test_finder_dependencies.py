"""What the hooks find out about requirements, locks and the Python of an existing application."""

import re
from pathlib import Path

import pytest

from hooks.finder import dependencies, pythons
from hooks.finder.dependencies import Dependencies
from hooks.finder.versions import exact, holds, is_below, satisfies

Files = dict[str, str]

PROJECT = '[project]\nname = "shop"\nversion = "1"\ndependencies = ["flask"]\n'
POETRY = '[tool.poetry]\nname = "shop"\n[tool.poetry.dependencies]\npython = "^3.9"\nFlask = "^2"\n'
BUILD = '[build-system]\nrequires = ["poetry-core"]\n'
UV_LOCK = """version = 1
requires-python = ">=3.12"
[[package]]
name = "shop"
source = { editable = "." }
dependencies = [{ name = "flask" }, { name = "psycopg", extra = ["binary"] }]
[package.dev-dependencies]
dev = [{ name = "pymysql" }]
[[package]]
name = "flask"
version = "3.1.0"
dependencies = [{ name = "pywin32", marker = "sys_platform == 'win32'" }]
[[package]]
name = "psycopg"
version = "3.2.3"
[package.optional-dependencies]
binary = [{ name = "psycopg-binary", marker = "implementation_name != 'pypy'" }]
[[package]]
name = "psycopg-binary"
version = "3.2.3"
[[package]]
name = "pymysql"
version = "1.1.1"
[[package]]
name = "pywin32"
version = "306"
"""
POETRY_LOCK = """[[package]]
name = "Flask"
version = "2.3.3"
[[package]]
name = "flask-sqlalchemy"
version = "3.0.5"
[package.dependencies]
sqlalchemy = ">=1.4.18"
[[package]]
name = "sqlalchemy"
version = "1.4.54"
[[package]]
name = "gunicorn"
version = "21.2.0"
[metadata]
python-versions = "^3.9"
"""
PIPFILE_LOCK = """{"_meta": {"requires": {"python_version": "3.12"}}, "default": {
"flask": {"version": "==3.0.0"}, "celery": {"version": "==5.3.6", "extras": ["redis"]},
"mysqlclient": {"git": "https://example.com/mysqlclient.git", "ref": "abc"}},
"develop": {"psycopg2": {"version": "==2.9.10"}}}"""
PYLOCK = """lock-version = "1.0"
default-groups = ["main"]
[[packages]]
name = "flask"
version = "3.1.0"
[[packages]]
name = "psycopg2-binary"
version = "2.9.11"
marker = "'main' in dependency_groups"
[[packages]]
name = "pymysql"
version = "1.1.1"
marker = "'dev' in dependency_groups"
"""

# Files, and then the source that is found with its words.
SOURCES: dict[str, tuple[Files, str]] = {
    "uv.lock": ({"uv.lock": UV_LOCK, "pyproject.toml": PROJECT}, "uv.lock psycopg-binary"),
    "uv.lock before all others": (
        {
            "uv.lock": UV_LOCK,
            "pyproject.toml": PROJECT,
            "poetry.lock": POETRY_LOCK,
            "pylock.toml": PYLOCK,
            "Pipfile.lock": PIPFILE_LOCK,
            "requirements.txt": "flask",
        },
        "uv.lock psycopg-binary",
    ),
    "uv.lock of no project": (
        {"uv.lock": UV_LOCK, "pyproject.toml": "[tool.uv.workspace]", "requirements.txt": "flask"},
        "requirements.txt",
    ),
    "uv.lock of tools alone": (
        {
            "uv.lock": UV_LOCK.replace('{ name = "flask" }, ', ""),
            "pyproject.toml": PROJECT,
            "requirements.txt": "flask\npymysql",
        },
        "requirements.txt pymysql",
    ),
    "poetry.lock without groups": (
        {
            "poetry.lock": POETRY_LOCK,
            "pyproject.toml": POETRY + 'Flask-SQLAlchemy = { version = "3.0.5" }\n',
        },
        "poetry.lock sqlalchemy",
    ),
    "poetry.lock with groups": (
        {
            "poetry.lock": POETRY_LOCK.replace('.3"\n', '.3"\ngroups = ["main"]\n', 1).replace(
                '21.2.0"\n', '21.2.0"\ngroups = ["dev"]\n'
            ),
            "pyproject.toml": PROJECT,
        },
        "poetry.lock",
    ),
    "poetry.lock with categories": (
        {
            "poetry.lock": POETRY_LOCK.replace('3"\n', '3"\ncategory = "main"\n', 1).replace(
                '21.2.0"\n', '21.2.0"\ncategory = "main"\noptional = false\n'
            ),
            "pyproject.toml": POETRY,
        },
        "poetry.lock gunicorn",
    ),
    "pylock.toml": ({"pylock.toml": PYLOCK}, "pylock.toml psycopg2-binary"),
    "pylock with a name": ({"pylock.web.toml": PYLOCK}, "pylock.web.toml psycopg2-binary"),
    "Pipfile.lock": (
        {"Pipfile": "[packages]", "Pipfile.lock": PIPFILE_LOCK},
        "Pipfile.lock mysqlclient celery redis",
    ),
    "requirements.txt before pyproject.toml": (
        {"requirements.txt": "Flask==3.0\nFlask-SQLAlchemy", "pyproject.toml": PROJECT},
        "requirements.txt sqlalchemy",
    ),
    "requirements.txt that leads to another": (
        {"requirements.txt": "-r requirements/prod.txt", "requirements/prod.txt": "flask\nboto3"},
        "requirements.txt boto3",
    ),
    "requirements.txt that installs the project": (
        {"requirements.txt": "-e .", "setup.py": "setup(install_requires=['flask', 'pg8000'])"},
        "requirements.txt pg8000",
    ),
    "requirements.txt that installs an extra": (
        {
            "requirements.txt": ".[db]",
            "pyproject.toml": PROJECT + '[project.optional-dependencies]\ndb = ["asyncpg"]\n',
        },
        "requirements.txt asyncpg",
    ),
    "requirements of docs": (
        {"requirements.txt": "sphinx", "pyproject.toml": PROJECT},
        "pyproject.toml",
    ),
    "folder of requirements": (
        {
            "requirements/base.txt": "flask",
            "requirements/prod.txt": "-r base.txt\ngevent",
            "requirements/dev.txt": "-r base.txt\npytest",
        },
        "requirements/prod.txt gevent",
    ),
    "requirements named for servers": (
        {"requirements-dev.txt": "flask", "requirements_production.txt": "flask\nuWSGI"},
        "requirements_production.txt uwsgi",
    ),
    "one of several, because of Flask": (
        {"requirements-web.txt": "flask", "requirements-worker.txt": "celery"},
        "requirements-web.txt",
    ),
    "pyproject.toml": (
        {"pyproject.toml": PROJECT.replace('"flask"', '"flask", "SQLAlchemy>=1.4,<2.0"')},
        "pyproject.toml sqlalchemy",
    ),
    "pyproject.toml that names files": (
        {
            "pyproject.toml": '[project]\nname = "a"\ndynamic = ["dependencies"]\n'
            '[tool.setuptools.dynamic]\ndependencies = { file = ["needs.txt"] }\n',
            "needs.txt": "flask\nweasyprint",
        },
        "pyproject.toml weasyprint",
    ),
    "pyproject.toml of Poetry": (
        {"pyproject.toml": POETRY + 'psycopg = { version = "*", extras = ["binary"] }\n' + BUILD},
        "pyproject.toml psycopg-binary",
    ),
    "pyproject.toml of tools alone": (
        {"pyproject.toml": "[tool.ruff]", "setup.py": "setup(install_requires=['flask'])"},
        "setup.py",
    ),
    "setup.py with a name": (
        {"setup.py": "needs = ['flask', 'psycopg[c]']\nsetuptools.setup(install_requires=needs)"},
        "setup.py psycopg-c",
    ),
    "setup.py that reads a file": (
        {
            "setup.py": "setup(install_requires=open('needs.txt').readlines())",
            "needs.txt": "flask\neventlet",
        },
        "setup.py eventlet",
    ),
    "setup.py with all in a name": (
        {
            "setup.py": "needs = ['flask', 'pg8000']\n"
            "meta = {'version': shop.version, 'install_requires': needs}\nsetup(**meta)"
        },
        "setup.py pg8000",
    ),
    "setup.py with all from code": ({"setup.py": "setup(**read_all())"}, "setup.py"),
    "setup.py of which only the code knows": (
        {"setup.py": "setup(install_requires=find_them())"},
        "setup.py",
    ),
    "setup.py with setup.cfg": (
        {"setup.py": "setup()", "setup.cfg": "[options]\ninstall_requires =\n  flask\n  pymysql\n"},
        "setup.py pymysql",
    ),
    "setup.cfg": (
        {"setup.cfg": "[options]\ninstall_requires =\n    flask # so\n    python-magic\n"},
        "setup.cfg python-magic",
    ),
}

# Files, and then what refuses the bake.
PROBLEMS: dict[str, tuple[Files, str]] = {
    "nothing": ({"app.py": ""}, "has no requirements: .* `pip freeze > requirements.txt`"),
    "only for development": ({"requirements-dev.txt": "flask"}, "has no requirements"),
    "further down": ({"web/requirements.txt": "flask"}, "answer found='auto web/requirements.txt'"),
    "two": (
        {"requirements-a.txt": "flask", "requirements-b.txt": "flask"},
        "requirements-a.txt, requirements-b.txt. .* such as found='auto requirements-a.txt'",
    ),
    "two pylocks": ({"pylock.a.toml": PYLOCK, "pylock.b.toml": PYLOCK}, "pylock.a.toml, pylock.b"),
    "Pipfile": ({"Pipfile": "[packages]\nflask = '*'"}, "not locked.* `pipenv lock`"),
    "Poetry that is no package": ({"pyproject.toml": POETRY}, "without a lock.* `poetry lock`"),
    "Poetry with package-mode off": (
        {"pyproject.toml": POETRY.replace("[tool.poetry.", "package-mode = false\n[tool.poetry.")},
        "without a lock: run `poetry lock`",
    ),
    "root of a workspace": (
        {"uv.lock": UV_LOCK, "pyproject.toml": "[tool.uv.workspace]"},
        "uv.lock belongs to no project.* `uv export --package NAME",
    ),
    "broken uv.lock": (
        {"uv.lock": "version = 1\n<<<<<<< HEAD", "pyproject.toml": PROJECT},
        "^uv.lock:2 is not valid TOML .* lock again",
    ),
    "broken Pipfile.lock": ({"Pipfile.lock": '{\n"a"'}, "^Pipfile.lock:2 is not valid JSON"),
    "broken pyproject.toml": ({"pyproject.toml": "[project\n"}, "^pyproject.toml:1 is not valid"),
    "broken setup.cfg": ({"setup.cfg": "flask\n"}, "^setup.cfg cannot be read"),
    "too many digits in Pipfile.lock": (
        {"Pipfile.lock": f'{{"default": {"9" * 5000}}}'},
        "^Pipfile.lock is not valid JSON",
    ),
    "Pipfile.lock that is too deep": (
        {"Pipfile.lock": "[" * 100_000},
        "^Pipfile.lock is not valid",
    ),
    "too many digits in pyproject.toml": (
        {"pyproject.toml": f"a = {'9' * 5000}"},
        "^pyproject.toml is not valid TOML",
    ),
    "too large": ({"requirements.txt": "flask\n" * 2_000_000}, "^requirements.txt is larger than"),
    "no text": ({"requirements.txt": "f\0l\0a\0s\0k\0"}, "^requirements.txt has NUL characters"),
    "circle too large": (
        {
            f"requirements{number or ''}.txt": f"-r requirements{number + 1}.txt"
            for number in range(999)
        }
        | {"requirements999.txt": "flask"},
        "include each other too deeply",
    ),
    "include from outside": (
        {"requirements.txt": "flask\n-r /etc/passwd"},
        "^/etc/passwd is not in the folder of the application",
    ),
    "name that is shell": ({"requirements-$(id).txt": "flask"}, "has no requirements"),
    "name of two lines": ({"requirements\nRUN id\n.txt": "flask"}, "has no requirements"),
    "name with a space": ({"pylock.a b.toml": PYLOCK}, "has no requirements"),
    "shell further down": ({"a'$(id)'/requirements.txt": "flask"}, "has no requirements: no"),
    "missing include": (
        {"requirements.txt": "flask\n-r requirements/base.txt"},
        "^requirements.txt:2 includes requirements/base.txt, which is not there",
    ),
}

# Lines of requirements.txt, and then what gets installed.
LINES: dict[str, tuple[str, dict[str, str | None]]] = {
    "pinned": ("Flask_Login==0.6.3", {"flask-login": "0.6.3"}),
    "open": ("flask\nclick>=8,<9\nboto3==1.*", {"flask": None, "click": None, "boto3": None}),
    "spaces and comments": ("  flask == 3.0  # so\n# all\n\n", {"flask": "3.0"}),
    "extras": ("celery[redis, sqs] == 5.4.0", {"celery": "5.4.0", "redis": None}),
    "parentheses": ("flask (==3.0)", {"flask": "3.0"}),
    "hashes": ("flask==3.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\nclick", {
        "flask": "3.0",
        "click": None,
    }),
    "markers": ("a; sys_platform == 'win32'\nb; python_version < \"3.9\"\nc==1; os_name=='posix'", {
        "c": "1"
    }),
    "versions by Python": ("a==1; python_version<'3.14'\na==2;python_version>='3.14'", {"a": "2"}),
    "repositories": (
        "git+https://example.com/x/flask-thing.git@v1\n-e git+https://example.com/y#egg=Why\n"
        "zed @ git+https://example.com/z@main\nhttps://example.com/w_w-1.0-py3-none-any.whl",
        {"flask-thing": None, "why": None, "zed": None, "w-w": None},
    ),
    "options": (
        "--extra-index-url https://example.com\n-i https://example.com\n--no-binary :all:\na",
        {"a": None},
    ),
    "Windows": ("\ufeffflask==3.0\r\nclick==8.1\r\n", {"flask": "3.0", "click": "8.1"}),
    "odd markers": (f"a==1; {'not ' * 9999}True\nb==1; {'(' * 300}True{')' * 300}", {
        "a": "1",
        "b": "1",
    }),
    "no requirement at all": ("<<<<<<< HEAD\nflask", {"flask": None}),
}  # fmt: skip

# Lines of requirements.txt, answers, and then a hint; None where there must be none.
HINTS: dict[str, tuple[str, str | None]] = {
    "all is well": ("flask==3.1.0\nwerkzeug==3.1.0\ngunicorn==20.0\npsycopg2==2.9.11", None),
    "no Flask": ("django==5.0", "^requirements.txt does not name Flask"),
    "no versions": ("flask\nclick", r"^requirements.txt:1 and the like .*flask, click.*pip freeze"),
    "driver of another database": (
        "flask==3.1.0\nPyMySQL==1.1",
        "^requirements.txt:2 .* no driver for postgres: bake again with database=mysql",
    ),
    "private repository": (
        "flask==3.1.0\n-e git+ssh://git@example.com/a.git#egg=a",
        "^requirements.txt:2 takes a from git.ssh.* no key for SSH",
    ),
    "file of another machine": (
        "flask==3.1.0\ncffi @ file:///C:/ci/cffi_1/work",
        "^requirements.txt:2 takes cffi .* write `cffi`",
    ),
    "folder outside": ("flask==3.1.0\n-e ../shared", "^requirements.txt:2 installs ../shared"),
    "variable": (
        "flask==3.1.0\na @ git+https://${TOKEN}@example.com/a.git",
        "^requirements.txt:2 takes something from an environment variable",
    ),
    "Windows": (
        "flask==3.1.0\npywin32==306",
        '^requirements.txt:2 .* `pywin32==306; sys_platform == "win32"`',
    ),
    "Debian's pip freeze": ("flask==3.1.0\npkg-resources==0.0.0", ":2 .* delete the line"),
    "Python 2": ("flask==3.1.0\nMySQL-python==1.2.5\nPyMySQL", ":2 .* write `mysqlclient`"),
    "Debian package": ("flask==3.1.0\npdf2image==1.17", ":2 .* poppler-utils .* second FROM"),
    "Flask without its partners": (
        "Flask==2.0.3\nFlask-Login==0.5.0",
        "^requirements.txt:1 pins flask 2.0.3, .* add `werkzeug<3`.$",
    ),
    "Flask with its partner": ("Flask==2.2.5\nWerkzeug>=2.2,<3\ngunicorn==20.0", None),
    "Flask of old": (
        "Flask==1.1.4\nWerkzeug==1.0.1\nMarkupSafe==2.0.1",
        "^requirements.txt:1 .* add `jinja2<3.1`, `itsdangerous<2.1`.$",
    ),
    "packages that import distutils": ("flask==3.1.0\nredis==3.5.3", ":2 .* add `setuptools`.$"),
    "distutils is there": ("flask==3.1.0\nredis==3.5.3\nsetuptools==75.0", None),
    "Flask-SQLAlchemy without its partner": (
        "flask==3.1.0\nFlask-SQLAlchemy==2.5.1",
        ":2 .* add `sqlalchemy<2`.$",
    ),
}


@pytest.fixture
def tree(tmp_path: Path):
    def write(files: Files) -> Path:
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content.encode())
        return tmp_path

    return write


def look(folder: Path, **answers: str) -> Dependencies:
    return dependencies.look(folder, {"found": "auto", "database": "postgres"} | answers)


def choose(folder: Path, answered: str = "3.14") -> pythons.Choice:
    return pythons.choose(folder, look(folder), answered)


@pytest.mark.parametrize("case", SOURCES)
def test_source_and_what_it_brings(case: str, tree) -> None:
    files, expected = SOURCES[case]
    found = look(tree(files))
    assert (" ".join([found.source, *found.words]), found.problems) == (expected, [])


@pytest.mark.parametrize("case", PROBLEMS)
def test_problem_is_told_in_one_sentence(case: str, tree) -> None:
    files, expected = PROBLEMS[case]
    found = look(tree(files))
    assert not found.source
    [problem] = found.problems
    assert re.search(expected, problem), problem


@pytest.mark.parametrize("case", LINES)
def test_lines_of_requirements(case: str, tree) -> None:
    lines, expected = LINES[case]
    assert look(tree({"requirements.txt": lines})).packages == expected


@pytest.mark.parametrize("case", HINTS)
def test_hint_names_line_and_remedy(case: str, tree) -> None:
    lines, expected = HINTS[case]
    hints = look(tree({"requirements.txt": lines})).hints
    if expected is None:
        assert hints == []
    else:
        assert [hint for hint in hints if re.search(expected, hint)], hints


def test_requirements_not_in_utf8_are_read_and_told(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_bytes(b"# caf\xe9\nflask==3.0")
    found = look(tmp_path)
    assert found.packages == {"flask": "3.0"}
    assert "requirements.txt is not in UTF-8" in found.hints[0]


def test_requirements_of_powershell_are_read(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("flask==3.0\n", encoding="utf-16")
    assert (look(tmp_path).packages, look(tmp_path).hints) == ({"flask": "3.0"}, [])


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ('{ git = "ssh://git@example.com/f.git?rev=1" }', "^uv.lock takes flask .* no key for SSH"),
        ('{ editable = "../flask" }', "^uv.lock installs flask from ../flask, .* not in the image"),
    ],
)
def test_lock_with_what_the_build_cannot_reach(source: str, hint: str, tree) -> None:
    lock = UV_LOCK.replace('version = "3.1.0"', f'version = "3.1.0"\nsource = {source}')
    [told] = look(tree({"uv.lock": lock, "pyproject.toml": PROJECT})).hints
    assert re.search(hint, told), told


def test_constraints_pin_only_what_is_required(tree) -> None:
    found = look(
        tree(
            {
                "requirements.txt": "-c pins.txt\nflask\nSQLAlchemy",
                "pins.txt": "sqlalchemy==1.4.54\npymysql==1.1",
            }
        )
    )
    assert found.packages == {"flask": None, "sqlalchemy": "1.4.54"}
    assert found.words == ["sqlalchemy"]


def test_circles_of_includes_end(tree) -> None:
    files = {
        "requirements.txt": "-r requirements/a.txt",
        "requirements/a.txt": "-r ../requirements.txt\nflask",
    }
    assert look(tree(files)).packages == {"flask": None}


def test_answer_names_the_source(tree) -> None:
    folder = tree({"requirements-a.txt": "flask", "requirements-b.txt": "flask\npymysql"})
    found = look(folder, found="auto requirements-b.txt")
    assert (found.source, found.words, found.problems) == ("requirements-b.txt", ["pymysql"], [])


def test_answer_names_a_file_that_is_not_there(tree) -> None:
    found = look(tree({"requirements.txt": "flask"}), found="auto web.txt")
    assert found.problems == ["web.txt cannot be read: No such file or directory."]


@pytest.mark.parametrize(
    ("package", "python", "words"),
    [
        ("psycopg2-binary==2.9.9", "3.12", ["psycopg2-binary"]),
        ("psycopg2-binary==2.9.10", "3.13", ["psycopg2-binary"]),
        ("psycopg2-binary==2.9.10", "3.14", ["psycopg2"]),
        ("psycopg2-binary==2.9.11", "3.14", ["psycopg2-binary"]),
        ("psycopg2-binary", "3.14", ["psycopg2-binary"]),
        ("psycopg[binary]\npsycopg-binary", "3.14", ["psycopg-binary"]),
        ("psycopg", "3.14", ["psycopg"]),
        ("SQLAlchemy==2.0.41", "3.14", ["sqlalchemy"]),
        ("Flask-SQLAlchemy==2.5.1", "3.14", ["sqlalchemy"]),
        ("Flask-Migrate", "3.14", ["sqlalchemy", "flask-migrate"]),
    ],
)
def test_words_for_a_python(package: str, python: str, words: list[str], tree) -> None:
    found = look(tree({"requirements.txt": f"flask\n{package}"}))
    assert dependencies.words_of(found, python) == words


# What an application says of its Python; and then what is chosen with 3.14 as the answer, why, and
# what hint is given, if any.
PYTHONS: dict[str, tuple[Files, str] | tuple[Files, str, str]] = {
    "nothing": ({}, "3.14"),
    "requires-python that fits": (
        {"pyproject.toml": PROJECT + 'requires-python = ">=3.9"'},
        "3.14",
    ),
    "requires-python": (
        {"pyproject.toml": PROJECT + 'requires-python = ">=3.12,<3.14"'},
        "3.13 (pyproject.toml:5 asks for Python >=3.12,<3.14)",
    ),
    "Poetry": (
        {"pyproject.toml": POETRY.replace("^3.9", "~3.12") + BUILD},
        "3.12 (pyproject.toml:4 asks for Python ~3.12)",
    ),
    "Pipfile.lock": (
        {"Pipfile.lock": PIPFILE_LOCK},
        "3.12 (Pipfile.lock:1 asks for Python ==3.12.*)",
    ),
    "setup.cfg": (
        {"setup.cfg": "[options]\npython_requires = <3.13\ninstall_requires = flask"},
        "3.12 (setup.cfg:2 asks for Python <3.13)",
    ),
    "setup.py": (
        {"setup.py": "setup(\n    install_requires=['flask'],\n    python_requires='==3.13.*')"},
        "3.13 (setup.py:3 asks for Python ==3.13.*)",
    ),
    ".python-version": (
        {".python-version": "3.13.2\n"},
        "3.13 (.python-version:1 names Python 3.13)",
    ),
    ".python-version with several": (
        {".python-version": "# all\npypy3.10-7.3\n3.9.1\n3.12.4\n"},
        "3.12 (.python-version:4 names Python 3.12)",
    ),
    ".tool-versions": (
        {".tool-versions": "nodejs 20\npython 3.12.4\n"},
        "3.12 (.tool-versions:2 names Python 3.12)",
    ),
    "Dockerfile": (
        {"Dockerfile": "FROM node:20\nFROM python:3.13-slim AS build\n"},
        "3.13 (Dockerfile:2 names Python 3.13)",
    ),
    "classifiers": (
        {"pyproject.toml": PROJECT + 'classifiers = ["Programming Language :: Python :: 3.12"]'},
        "3.12 (pyproject.toml names Python 3.12)",
    ),
    "older than ours": (
        {"runtime.txt": "python-3.6.9"},
        "3.12 (runtime.txt:1 names Python 3.6, and 3.12 comes nearest)",
        "runtime.txt:1 names Python 3.6, .* run the tests of the application on 3.12",
    ),
    "older, but classifiers name one of ours": (
        {
            "requirements.txt": "flask",
            "Dockerfile": "FROM python:3.11",
            "setup.cfg": "[metadata]\nclassifiers =\n  Programming Language :: Python :: 3.13\n",
        },
        "3.13 (setup.cfg names Python 3.13)",
    ),
    "newer than ours": (
        {".python-version": "3.15"},
        "3.14 (.python-version:1 names Python 3.15, and 3.14 comes nearest)",
        "3.15",
    ),
    "nearest of what is allowed": (
        {".python-version": "3.11", "pyproject.toml": PROJECT + 'requires-python = ">=3.13"'},
        "3.13 (.python-version:1 names Python 3.11, and 3.13 comes nearest)",
        "3.11",
    ),
    "versions that cannot run on the answer": (
        {"requirements.txt": "flask==2.2.5\nwerkzeug==2.3.8"},
        "3.13 (flask 2.2.5 is too old for Python 3.14)",
    ),
    "versions of packages that others bring": (
        {"requirements.txt": "flask==3.0.0\nmultidict==6.0.4\ntyping_extensions==4.8.0"},
        "3.12 (locked versions are older than every Python of ours)",
        "too old for Python 3.12: raise multidict 6.0.4 .requirements.txt:2. to 6.0.5 or newer.$",
    ),
    "versions that can run nowhere": (
        {"requirements.txt": "flask==1.1.4\nsix==1.15.0\nmarkupsafe==2.0.1"},
        "3.12 (locked versions are older than every Python of ours)",
        "too old for Python 3.12: raise six 1.15.0 .requirements.txt:2. to 1.16.0 or newer.$",
    ),
    "old versions in a lock": (
        {"poetry.lock": POETRY_LOCK.replace("2.3.3", "2.2.5"), "pyproject.toml": POETRY},
        "3.13 (flask 2.2.5 is too old for Python 3.14)",
    ),
    "old versions, against what the owner names": (
        {"requirements.txt": "flask==2.2.5\nwerkzeug==2.3.8", ".python-version": "3.14"},
        "3.14 (.python-version:1 names Python 3.14)",
        "too old for Python 3.14: raise flask 2.2.5 .requirements.txt:1. to 2.3.3 or newer.$",
    ),
}


@pytest.mark.parametrize("case", PYTHONS)
def test_python(case: str, tree) -> None:
    files, expected, *hints = PYTHONS[case]
    named = {"requirements.txt", "pyproject.toml", "setup.py", "setup.cfg", "Pipfile.lock"}
    choice = choose(tree(files if named & files.keys() else files | {"requirements.txt": "flask"}))
    because = f" ({choice.because})" if choice.because else ""
    assert (f"{choice.version}{because}", choice.problem) == (expected, None)
    assert len(choice.hints) == len(hints), choice.hints
    assert all(map(re.search, hints, choice.hints)), choice.hints


@pytest.mark.parametrize(
    ("answered", "files", "version"),
    [
        ("3.13", {"requirements.txt": "flask"}, "3.13"),
        # The default may be no answer, another one is.
        ("3.13", {"requirements.txt": "flask", ".python-version": "3.12"}, "3.13"),
        ("3.14", {"requirements.txt": "flask", ".python-version": "3.12"}, "3.12"),
        ("3.13", {"pyproject.toml": PROJECT + 'requires-python = "==3.12.*"'}, "3.12"),
    ],
)
def test_what_counts_of_an_answer(answered: str, files: Files, version: str, tree) -> None:
    assert choose(tree(files), answered).version == version


def test_other_file_is_offered_where_a_lock_is_for_another_python(tree) -> None:
    lock = PIPFILE_LOCK.replace("3.12", "3.7")
    problem = choose(tree({"Pipfile.lock": lock, "requirements.txt": "flask"})).problem
    assert problem.endswith("found='auto requirements.txt'.")


@pytest.mark.parametrize(
    ("files", "where"),
    [
        ({"pyproject.toml": PROJECT + 'requires-python = "==3.11.*"'}, "pyproject.toml:5 .*==3.11"),
        ({"pyproject.toml": PROJECT + 'requires-python = "==3.12.4"'}, "the newest of each"),
        (
            {
                "pyproject.toml": PROJECT + 'requires-python = ">=3.9"',
                "uv.lock": UV_LOCK.replace(">=3.12", "<3.12"),
            },
            "uv.lock:2 asks for Python <3.12",
        ),
        ({"pylock.toml": 'requires-python = "<3.10"\n' + PYLOCK}, "pylock.toml:1 .* <3.10"),
        (
            {"Pipfile.lock": PIPFILE_LOCK.replace("3.12", "3.7")},
            "Pipfile.lock:1 .* ==3.7.* let Pipfile allow",
        ),
        (
            {"poetry.lock": POETRY_LOCK.replace("^3.9", ">=3.8,<3.11"), "pyproject.toml": PROJECT},
            "poetry.lock:16 asks for Python >=3.8,<3.11",
        ),
        (
            {"setup.py": "setup(install_requires='flask', python_requires='<3')"},
            "setup.py:1 asks for Python <3,",
        ),
    ],
)
def test_python_that_the_image_cannot_have_is_a_problem(files: Files, where: str, tree) -> None:
    problem = choose(tree(files)).problem
    assert problem
    assert re.search(where, problem), problem


def test_words_are_those_of_the_chosen_python(tree) -> None:
    files = {"requirements.txt": "flask\npsycopg2-binary==2.9.10", ".python-version": "3.13"}
    assert choose(tree(files)).words == ["psycopg2-binary"]


@pytest.mark.parametrize(
    ("specifiers", "fitting", "others"),
    [
        (">=3.9,<4", "3.9 3.14.99", "3.8 4.0"),
        (">=3.8, !=3.9.*", "3.8 3.10", "3.9 3.9.1"),
        ("~=3.12.0", "3.12.0 3.12.9", "3.13 3.11"),
        ("~=3.9", "3.9 3.14", "3.8 4.0"),
        ("^3.9", "3.9 3.14", "3.8 4.0"),
        ("^0.2.3", "0.2.9", "0.3"),
        ("~3.12", "3.12.9", "3.13"),
        ("3.12.*", "3.12.9", "3.13"),
        ("==3.12", "3.12.0", "3.12.1"),
        (">=2.7 <3 || >=3.13", "2.7 3.13", "3.12"),
        ("*", "1 4", ""),
        ("", "1 4", ""),
    ],
)
def test_specifiers(specifiers: str, fitting: str, others: str) -> None:
    assert [each for each in fitting.split() if not satisfies(each, specifiers)] == []
    assert [each for each in others.split() if satisfies(each, specifiers)] == []


@pytest.mark.parametrize(
    ("marker", "expected"),
    [
        ("", True),
        ("sys_platform == 'win32'", False),
        ('sys_platform != "win32" and python_version >= "3.10"', True),
        ("'linux' in sys_platform", True),
        ("platform_machine not in 'x86_64 aarch64'", False),
        ("(python_version < '3.9' or os_name == 'posix') and implementation_name != 'pypy'", True),
        ("'3.9' <= python_version", True),
        ("python_full_version < '3.11.3'", False),
        ("extra == 'async'", False),
        ("what is this?", True),
        ("and and", True),
    ],
)
def test_markers(marker: str, expected: bool) -> None:
    assert holds(marker, "3.13") is expected


def test_versions_below_a_limit() -> None:
    below = ["<2", "<2.0", "==1.4.54", "~=1.4", "^1.4", ">=1.3,<1.5", "<=1.9", "1.4.*"]
    above = ["", "*", ">=1.4", "==2.0.1", "~=2.0", "^2", "<3", "<=2", "!=1.4"]
    assert [each for each in below if not is_below(each, "2")] == []
    assert [each for each in above if is_below(each, "2")] == []


def test_version_that_is_locked() -> None:
    exact_ones = {"==1.2": "1.2", "===1.2": "1.2", "==1.*": None, ">=1.2": None, "==1,<2": None}
    assert {each: exact(each) for each in exact_ones} == exact_ones
