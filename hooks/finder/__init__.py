"""What stands in the folder of an existing application, as answers to render with.

Parses files, and never imports or runs them. Only Python's standard library is there.
"""

from dataclasses import dataclass, field
from pathlib import Path

from . import code, dependencies, pythons


@dataclass
class Found:
    """The answers with what was found in them, and sentences for the owner.

    says: what was found, a line
    hints: what is left to do, with file and line
    problems: what makes a bake useless
    """

    answers: dict[str, str]
    says: str = ""
    hints: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def look(folder: Path, answers: dict[str, str]) -> Found:
    """Look for what is `auto`, and check the other answers.

    With `found` at `auto`, or at `auto FILE` for one of several files with requirements, what the
    application says of its Python counts, whatever was answered.
    """
    found = Found(dict(answers))
    parts = [find_application(folder, found)]
    if answers["found"].split()[0] == "auto":
        parts += find_words(folder, found)
    found.says = "; ".join(filter(None, parts))
    if "flask-socketio" in found.answers["found"].split() and answers["gateway_server"] == "uwsgi":
        found.problems.append(
            "gateway_server 'uwsgi' does not serve Flask-SocketIO's WebSockets, which need threads "
            "that may wait for as long as a connection lives: answer 'gunicorn'."
        )
    found.says = printable(found.says)
    found.hints, found.problems = (
        [printable(text) for text in texts] for texts in (found.hints, found.problems)
    )
    return found


def printable(text: str) -> str:
    """Replace what ends lines or speaks to terminals, in names and values of an application."""
    return "".join(each if each.isprintable() else "?" for each in text)


def find_application(folder: Path, found: Found) -> str:
    """Find the application; return what is to be said about it."""
    answer = found.answers["wsgi_app"]
    if problem := code.problem_of(folder, answer):
        found.problems.append(problem)
    elif answer == "auto":
        best = code.applications(folder)[0]
        found.answers["wsgi_app"] = best.wsgi_app
        return f"{best.wsgi_app} ({best.where})"
    return answer


def find_words(folder: Path, found: Found) -> list[str]:
    """Find what else the application brings; return what is to be said about it."""
    if found.answers["wsgi_app"] == "auto" and not code.applications(folder):
        # Its requirements are elsewhere, too.
        return []
    needs = dependencies.look(folder, found.answers)
    found.problems += needs.problems
    if not needs.source:
        return []
    python = pythons.choose(folder, needs, found.answers["python_version"])
    source = code.look(folder, found.answers["wsgi_app"])
    found.problems += [python.problem] if python.problem else []
    found.hints += [*needs.hints, *python.hints, *source.hints]
    words = [*python.words, *source.words]
    if "celery" not in words:  # It is an extra that is not installed.
        words = [word for word in words if not word.startswith("celery:")]
    if source.imports & {"sqlalchemy", "flask_sqlalchemy"} and "sqlalchemy" not in words:
        words.insert(0, "sqlalchemy")
    drivers = {"psycopg2", "psycopg2-binary"}
    if "psycopg2" in source.imports and not drivers & needs.packages.keys():
        found.hints.append(f"The code imports psycopg2: add psycopg2-binary to {needs.source}.")
    if source.connects and found.answers["gateway_server"] == "uwsgi":
        found.hints.append(
            f"{source.connects} connects to the database while the application is made, and the "
            "workers of uWSGI, forked from there, would share the connection. Connect in requests "
            "and commands alone, or bake again with gateway_server=gunicorn."
        )
    found.answers["python_version"] = python.version
    found.answers["found"] = " ".join([needs.source, *words])
    because = f" ({python.because})" if python.because else ""
    return [needs.says, f"Python {python.version}{because}", ", ".join(words)]
