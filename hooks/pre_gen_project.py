"""Refuse answers and target folders that would not work, before a file is written.

Runs in the project's folder, under cookiecutter and cruft alike. Each problem is one line on
stderr; with any problem the exit status is 1 and nothing has been written.
"""

import os
import sys

# Hooks run from a copy in the temporary folder: a stray json.py there must not be imported.
sys.path[:] = [path for path in sys.path if path != os.path.dirname(os.path.abspath(__file__))]

import json
import keyword
import re

# tojson leaves no quote that could end this string, and a raw string keeps its backslashes.
ANSWERS = json.loads(r"""{{ cookiecutter | tojson }}""")
PACKAGE = ANSWERS["package_name"]

# cookiecutter checks choices when it asks, not when it replays.
CHOICES = {
    "python_version": ["3.14", "3.13", "3.12"],
    "database": ["postgres", "mysql"],
    "gateway_server": ["gunicorn", "uwsgi"],
    "media_storage": ["s3", "local"],
    "reverse_proxy": ["none", "nginx"],
    "ci": ["github", "gitlab", "none"],
}

# A slug is a label of the application's domain (63 characters at most, RFC 1035), and Divio
# appends "-stage" to it for the test environment.
SLUG = re.compile(r"[a-z](-?[a-z0-9])*")
SLUG_LENGTH = 63 - len("-stage")

# What a package of the same name would hide: the project's folders and what it installs.
TAKEN_NAMES = set(
    """
    data migrations test tests
    _pytest alembic ast_serialize blinker boto3 botocore brotli certifi cffi cfgv
    charset_normalizer click coverage cryptography dateutil dist distlib dotenv filelock flask
    flask_cors flask_migrate flask_sqlalchemy flask_wtf greenlet gunicorn identify idna
    iniconfig itsdangerous jinja2 jmespath librt mako markupsafe moto mypy mypy_boto3_s3
    mypy_extensions mypyc nodeenv packaging pathspec platformdirs pluggy pre_commit
    pre_commit_hooks psycopg psycopg_binary py py_partiql_parser pycparser pygments pytest
    pytest_cov python_discovery pythonjsonlogger pyuwsgi requests responses ruamel ruff
    s3transfer secure six sqlalchemy typing_extensions urllib3 uv uwsgi uwsgidecorators
    virtualenv werkzeug whitenoise wtforms xmltodict yaml
    """.split()
)

# The folders that the template writes into.
FOLDERS = [
    ".github",
    ".github/workflows",
    "data",
    "data/media",
    "migrations",
    "migrations/versions",
    "tests",
    PACKAGE,
    f"{PACKAGE}/media",
    f"{PACKAGE}/static",
    f"{PACKAGE}/templates",
]
# The files that the template writes.
FILES = """
    .dockerignore .editorconfig .env-local .github/workflows/ci.yml .gitignore .gitlab-ci.yml
    .pre-commit-config.yaml Dockerfile Makefile PACKAGE/__init__.py PACKAGE/checks.py
    PACKAGE/cli.py PACKAGE/config.py PACKAGE/database.py PACKAGE/errors.py PACKAGE/health.py
    PACKAGE/logs.py PACKAGE/media/__init__.py PACKAGE/media/local.py PACKAGE/media/names.py
    PACKAGE/media/s3.py PACKAGE/pages.py PACKAGE/security.py PACKAGE/static/favicon.svg
    PACKAGE/static/style.css PACKAGE/static_files.py PACKAGE/templates/base.html
    PACKAGE/templates/error.html PACKAGE/templates/welcome.html README.md data/media/.gitkeep
    docker-compose.production.yml docker-compose.yml gunicorn.conf.py migrations/env.py
    migrations/script.py.mako migrations/versions/.gitkeep nginx.conf pyproject.toml
    requirements-dev.txt requirements.txt tests/conftest.py tests/test_cli.py
    tests/test_config.py tests/test_database.py tests/test_errors.py tests/test_health.py
    tests/test_logs.py tests/test_media.py tests/test_media_s3.py tests/test_pages.py
    tests/test_security.py tests/test_static_files.py uwsgi.ini
    """.replace("PACKAGE", PACKAGE).split()


def problems_of_answers():
    for name in "project_name", "description":
        text = ANSWERS[name]
        if not text.strip():
            yield f"{name} is empty."
        if not text.isprintable():
            yield f"{name} {text!a} has a line break or another control character."
        # cruft renders stored answers again at each update.
        if any(mark in text for mark in ("{" + "{", "{" + "%", "{" + "#")):
            yield f"{name} {text!a} has a Jinja delimiter, an opening brace before another, % or #."

    for name in "project_slug", "divio_slug":
        slug = ANSWERS[name]
        if not SLUG.fullmatch(slug) or len(slug) > SLUG_LENGTH:
            yield (
                f"{name} {slug!a} must be lower-case letters, digits and single hyphens, start "
                "with a letter, end with a letter or digit, and have at most "
                f"{SLUG_LENGTH} characters."
            )

    if not re.fullmatch(r"[a-z][a-z0-9_]*", PACKAGE) or keyword.iskeyword(PACKAGE):
        yield (
            f"package_name {PACKAGE!a} must be a Python name: lower-case letters, digits and "
            "underscores, first a letter, and no keyword."
        )
    elif PACKAGE in TAKEN_NAMES or PACKAGE in sys.stdlib_module_names:
        yield (
            f"package_name {PACKAGE!a} is the name of a module that the project needs or of one of "
            "its folders; choose another, such as "
            f"{PACKAGE + '_app'!a}."
        )

    for name, values in CHOICES.items():
        if ANSWERS[name] not in values:
            yield f"{name} {ANSWERS[name]!a} is not one of {', '.join(values)}."


def problems_of_folder():
    """Look at a folder that has files already: whatever is overwritten must be recoverable."""
    if "_output_dir" not in ANSWERS:  # set by cookiecutter, never by cruft
        yield (
            "The folder is not empty, and cruft create would overwrite its files. Run "
            "'cookiecutter -f -s' with the same answers instead, then 'cruft link'."
        )
        return

    import subprocess  # costs more than all the rest, and a fresh bake does not need it

    # Set where git itself runs this hook, for another repository than this folder's.
    redirections = "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX"
    environment = {key: value for key, value in os.environ.items() if key not in redirections}
    options = {"env": environment, "capture_output": True, "text": True, "errors": "replace"}
    status = ["git", "status", "--porcelain", "--untracked-files=all", "--", "."]
    try:
        git = subprocess.run(status, **options)
        clean = git.returncode == 0 and not git.stdout
        tracked = subprocess.run(["git", "ls-files", "-z"], **options).stdout
    except FileNotFoundError:
        clean, tracked = False, ""
    if not clean:
        yield (
            "The folder is not empty and not a clean git work tree, so a lost file could not be "
            "restored. Commit or stash all of it (also what an earlier bake left), then bake again."
        )
        return

    for folder in FOLDERS:
        if os.path.islink(folder) or (os.path.exists(folder) and not os.path.isdir(folder)):
            yield f"{folder} must be a folder, not a file or a link. Rename it, then bake again."
    for path in FILES:
        # What git does not track, it does not restore: an ignored file, the target of a link.
        target = os.path.relpath(os.path.realpath(path))
        if os.path.lexists(path) and target not in tracked.split("\0"):
            yield f"{path} is not tracked by git and might be lost. Move it away, then bake again."


problems = list(problems_of_answers())
if os.listdir():
    problems += problems_of_folder()
for problem in problems:
    print("ERROR:", problem, file=sys.stderr)
sys.exit(1 if problems else 0)
