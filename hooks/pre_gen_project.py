"""Refuse answers and target folders that would not work, before a file is written.

Runs in the project's folder, under cookiecutter and cruft alike. Each problem is one line on
stderr, and the last line is the command that gives the other answers again; with any problem the
exit status is 1 and nothing has been written. An old Python has to understand this file too.
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

# cruft renders into a throw-away folder when it updates or compares. Only its name gives that
# away: cookiecutter sets _output_dir and cruft does not, and tempfile names a folder like this.
IN_SCRATCH_RENDER = "_output_dir" not in ANSWERS and re.fullmatch(
    r"tmp[a-z0-9_]{8}", os.path.basename(os.path.dirname(os.getcwd()))
)

# What post_gen_project.py reads, and deletes with all that is not for the application.
FOUND = ".found.json"

# cookiecutter checks choices when it asks, not when it replays.
CHOICES = {
    "application": ["new", "existing"],
    "python_version": ["3.14", "3.13", "3.12"],
    "database": ["postgres", "mysql"],
    "gateway_server": ["gunicorn", "uwsgi"],
    "media_storage": ["s3", "azure", "local"],
    "reverse_proxy": ["none", "nginx"],
    "ci": ["github", "gitlab", "none"],
}

# A distribution, a path, or a name; what the hooks find consists of such words. Part of shell
# commands in the Dockerfile.
WORD = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9._:/-]*")
SLUG = re.compile(r"[a-z](-?[a-z0-9])*")
WSGI_APP = re.compile(r"(auto|([A-Za-z_]\w*)(\.\w+)*:[A-Za-z_]\w*(\(\))?)", re.ASCII)
# Divio's is a label of the application's domain (63 characters at most, RFC 1035), to which it
# appends "-stage" for the test environment.
SLUG_LENGTHS = {"project_slug": 63, "divio_slug": 63 - len("-stage")}

# What a package of the same name would hide: the project's folders and what it installs.
TAKEN_NAMES = set(
    """
    data gunicorn_worker migration_lock migrations request_limits sitecustomize socketio_threads
    test tests uwsgi_app
    _pytest alembic ast_serialize azure blinker boto3 botocore brotli certifi cffi cfgv
    charset_normalizer click coverage cryptography dateutil dist distlib dotenv filelock flask
    flask_cors flask_migrate flask_sqlalchemy flask_wtf greenlet gunicorn identify idna
    iniconfig isodate itsdangerous jinja2 jmespath librt mako markupsafe moto mypy mypy_boto3_s3
    mypy_extensions mypyc nodeenv packaging pathspec platformdirs pluggy pre_commit
    pre_commit_hooks psycopg psycopg_binary py py_partiql_parser pycparser pygments pytest
    pytest_cov python_discovery pythonjsonlogger pyuwsgi requests responses ruamel ruff
    s3transfer secure six sqlalchemy typing_extensions urllib3 uv uwsgi uwsgidecorators
    virtualenv werkzeug whitenoise wtforms xmltodict yaml
    """.split()
)


def problem_of_tools():
    """Return what is wrong with Python or cookiecutter, with which no answer could be judged."""
    if sys.version_info < (3, 11):  # noqa: UP036 - cookiecutter runs on older ones
        return (
            f"cookiecutter runs on Python {sys.version.split()[0]}, and this needs 3.11 or newer: "
            "'pipx run --python python3.12 cookiecutter' or 'uvx --python 3.12 cookiecutter'."
        )
    # cookiecutter renders private variables since 2.1, and sets _checkout since 2.3.1.
    rendered = "{" not in ANSWERS.get("__name", "")
    if not rendered or ("_output_dir" in ANSWERS and "_checkout" not in ANSWERS):
        return (
            "This cookiecutter is too old, 2.3.1 or newer is needed: 'pipx run cookiecutter' and "
            "'uvx cookiecutter' take the newest."
        )
    return None


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

    for name, longest in SLUG_LENGTHS.items():
        slug = ANSWERS[name]
        if not SLUG.fullmatch(slug) or len(slug) > longest:
            yield (
                f"{name} {slug!a} must be lower-case letters, digits and single hyphens, start "
                "with a letter, end with a letter or digit, and have at most "
                f"{longest} characters."
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

    factory = f"{PACKAGE}:create_app()"
    if ANSWERS["application"] == "new" and ANSWERS["wsgi_app"] != factory:
        yield f"wsgi_app {ANSWERS['wsgi_app']!a} must be {factory!a} in a new application."

    # At an update. Before, the finder tells more.
    if IN_SCRATCH_RENDER and not WSGI_APP.fullmatch(ANSWERS["wsgi_app"]):
        yield f"wsgi_app {ANSWERS['wsgi_app']!a} must be one like 'app:app' or 'app:create_app()'."

    words = ANSWERS["found"].split(" ")
    if not all(map(WORD.fullmatch, words)) or any(".." in word for word in words):
        yield (
            f"found {ANSWERS['found']!a} must be words with single spaces, such as "
            "'requirements.txt psycopg2 app/uploads/', or 'auto'."
        )

    for name, values in CHOICES.items():
        if ANSWERS[name] not in values:
            yield f"{name} {ANSWERS[name]!a} is not one of {', '.join(values)}."


def problems_of_folder():
    # A fresh clone of an empty repository has nothing that could be lost.
    if set(os.listdir()) - ({".git"} if ANSWERS["application"] == "new" else set()):
        yield (
            f"The folder {ANSWERS['project_slug']!a} is not empty, and a bake would write over "
            "what is in it. Delete it if an earlier bake left it, or answer another project_slug. "
            "For an application that exists already, run cookiecutter in its folder, with "
            "application=existing and without -f."
        )


def problems_of_added_package():
    """Make sure that what is baked gets into no package of the application's own."""
    path = os.path.join(ANSWERS.get("_output_dir", ""), PACKAGE)
    from_earlier_bake = os.path.lexists(os.path.join(path, "environment.py"))
    is_package = os.path.isfile(os.path.join(path, "__init__.py")) and not from_earlier_bake
    if is_package or os.path.isfile(f"{path}.py"):
        yield (
            f"package_name {PACKAGE!a} is the name of a module of the application: answer another "
            "for the package that is added to it, such as 'on_divio'."
        )


def look_at_existing_application():
    """Return what stands in its folder, for post_gen_project.py, and the problems with that.

    That takes long for a large application, so it is done once.
    """
    if "_output_dir" not in ANSWERS:  # set by cookiecutter, never by cruft
        problem = (
            "cruft create cannot add files to an existing application. Run cookiecutter with the "
            "same answers."
        )
        return {"problems": [problem]}
    template = template_folder()
    if not template:
        problem = f"The template's path {ANSWERS['_template']!a} is relative: give an absolute one."
        return {"problems": [problem]}
    from pathlib import Path

    from finder import look

    return vars(look(Path(ANSWERS["_output_dir"]), ANSWERS)) | {"template": template}


def template_folder():
    """Return where the template is, with the module `finder` among its hooks; "" if out of sight.

    cookiecutter tells that as it was given, perhaps relative to where it was started, which it
    does not tell.
    """
    for start in ANSWERS["_output_dir"], os.environ.get("PWD", ""):
        folder = os.path.join(start, ANSWERS["_repo_dir"])
        if os.path.isdir(os.path.join(folder, "hooks", "finder")):
            sys.path.append(os.path.join(folder, "hooks"))
            return folder
    return ""


def command_again(problems):
    """Return the command that gives the good answers again and leaves the others to be filled in.

    Nothing takes an empty answer, so none is forgotten.
    """
    from shlex import quote
    from shutil import which

    answers = {name: value for name, value in ANSWERS.items() if not name.startswith("_")}
    if ANSWERS["application"] == "new":
        del answers["wsgi_app"]  # follows from package_name
    for name in [problem.partition(" ")[0] for problem in problems]:
        if name in answers:
            del answers[name]
            answers[name] = ""  # at the end, where the cursor is
    template = quote(ANSWERS["_template"])
    if "_output_dir" not in ANSWERS and ANSWERS["application"] == "new":
        context = quote(json.dumps(answers))
        command = f"cruft create {template} --no-input --extra-context {context}"
    else:
        if ANSWERS.get("_checkout"):
            template += f" --checkout {quote(ANSWERS['_checkout'])}"
        given = " ".join(f"{name}={quote(value)}" for name, value in answers.items())
        command = f"cookiecutter {template} --no-input {given}"
    return command if which(command.split()[0]) else f"pipx run {command}"


def main():
    outdated = problem_of_tools()
    if outdated:
        sys.exit(f"ERROR: {outdated}")
    problems = [*problems_of_answers(), *problems_of_folder()]
    found = {}
    if ANSWERS["application"] == "existing" and not IN_SCRATCH_RENDER:
        found = look_at_existing_application()
        problems += [*problems_of_added_package(), *found["problems"]]
    for problem in problems:
        print("ERROR:", problem, file=sys.stderr)
    if problems and not IN_SCRATCH_RENDER:
        print("To give the answers again, with what is still '' filled in:", file=sys.stderr)
        print(command_again(problems), file=sys.stderr)
    if problems:
        sys.exit(1)
    if found:
        try:
            with open(FOUND, "w") as file:
                json.dump(found, file)
        except OSError as error:  # such as a full disk
            sys.exit(f"ERROR: {error}")


main()
