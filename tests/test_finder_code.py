"""finder/code.py tells from an application's files how it is served and what it needs."""

import re
from pathlib import Path

import pytest

from hooks.finder import code

TEXTS = {"BOM": "\ufeff", "NUL": "\0", "FLASK": "from flask import Flask\n"}
TEXTS["APP"] = TEXTS["FLASK"] + "app = Flask(__name__)\n"
TEXTS["FACTORY"] = """from flask import Flask
def create_app():
    app = Flask(__name__)
    return app
"""
TEXTS["FACTORY_WITH_DEFAULTS"] = TEXTS["FACTORY"].replace("()", "(config=None, *, a=1, **more)", 1)
TEXTS["FACTORY_WITH_ARGUMENT"] = TEXTS["FACTORY"].replace("()", "(config)", 1)


def cases(table: str) -> list:
    """Return the cases of a table: EXPECTED | FILE: TEXT | FILE: TEXT, continued where indented.

    In a text, {NAME} is one of TEXTS.
    """
    parameters = []
    table = re.sub(r"(?<=\\n)\n +", "", table.strip())
    for line in re.sub(r"\n +", " ", table).splitlines():
        expected, *files = line.split(" | ")
        texts = {}
        for file in files:
            name, _, text = file.partition(":")
            for key, value in TEXTS.items():
                text = text.replace(f"{{{key}}}", value)
            texts[name] = text.strip(" ").replace(r"\n", "\n") + "\n"
        parameters.append(pytest.param(expected, texts, id=line))
    return parameters


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


APPLICATIONS = r"""
app:app | app.py: {APP}
app:app | src/app.py: {APP}
app:application | app.py: {FLASK}application = Flask(__name__)
app:shop | app.py: {FLASK}shop: Flask = Flask(__name__)
app:app | app.py: import flask\nclass Shop(flask.Flask): pass\napp = Shop(__name__)
app:application | app.py: {APP}from x import ProxyFix\napplication = ProxyFix(app)
app:app | app.py: {APP}from x import ProxyFix\napp = ProxyFix(app)
app:app | app.py: {APP}from flask_socketio import SocketIO\nsocketio = SocketIO(app)
app:app | app.py: {FLASK}import os\nif os.sep:\n    app = Flask('x')\nelse:\n    app = None
app:app | app.py: {FLASK}def make():\n    global app\n    app = Flask('x') |
    .env: FLASK_APP=app:app
app:app | app.py: {APP}if __name__ == '__main__':\n    app.run()
app:app | app.py: {FACTORY}app, other = create_app(), 1
app:app |
    app.py: {FLASK}def create_app():\n    app = Flask(__name__)\n    return app, 1\n
        app, one = create_app()
shop:app | shop.py: {APP}
app:create_app() | app.py: {FACTORY}
app:create_app() | app.py: {FACTORY_WITH_DEFAULTS}
shop:create_app() | shop/__init__.py: {FACTORY}
shop:create_app() | src/shop/__init__.py: {FACTORY}
shop.factory:create_app() | shop/__init__.py:: | shop/factory.py: {FACTORY}
shop.web:create_app() | shop/__init__.py:: | shop/web/__init__.py: {FACTORY}
shop:make_app() |
    shop/__init__.py: {FLASK}def make_app():\n    app = Flask(__name__)\n    return app
shop:create_app() |
    shop/__init__.py: from .core import new_app\ndef create_app():\n    return new_app(1)
shop:create_app() |
    shop/__init__.py: {FLASK}application = Flask(__name__)\n
        def create_app():\n    application.debug = False\n    return application
wsgi:app | wsgi.py: from shop import create_app\napp = create_app('x') |
    shop/__init__.py: {FACTORY_WITH_ARGUMENT}
wsgi:app | wsgi.py: from shop import app | shop/__init__.py: {APP}
autoapp:app | autoapp.py: from shop import create_app\napp = create_app() |
    shop/__init__.py: {FACTORY}
shop.wsgi:application | shop/__init__.py:: | shop/app.py: {FACTORY} |
    shop/wsgi.py: from shop.app import create_app\napplication = create_app()
shop:app | run.py: from shop import app\napp.run() | shop/__init__.py: {APP}
main:app | run.py: from shop import app | main.py: from shop import app |
    shop/__init__.py: {APP}
run:app | run.py: from shop import app | shop/__init__.py: from .core import * |
    shop/core.py: {APP}
shop:create_app() | worker.py: from shop import create_app\napp = create_app() |
    shop/__init__.py: {FACTORY}
shop:app | shop.py: from app import create_app\napp = create_app('x') |
    app/__init__.py: {FACTORY_WITH_ARGUMENT}
app:app | app.py: {APP} | tests/app.py: {APP} | docs/app.py: {APP} | .x/app.py: {APP} |
    test_app.py: {APP}
app:app | app.py: {APP} | v/pyvenv.cfg:: | v/wsgi.py: {APP} | v/__init__.py::
b:app | Procfile: worker: celery -A b worker\nweb: A=1 gunicorn b:app --workers 3 # x |
    a.py: {APP} | b.py: {APP}
b:create_app() | Procfile: web: gunicorn --bind=0.0.0.0:$PORT -k gevent 'b:create_app()' |
    a.py: {APP} | b.py: {FACTORY}
b:create_app() | Procfile: web: gunicorn b:create_app | b.py: {FACTORY}
wsgi:application | Procfile: web: gunicorn wsgi | wsgi.py: {APP}application = Flask('x')
b:app | Procfile: web: gunicorn --chdir src b:app | a.py: {APP} | src/b.py: {APP}
b:create_app() | Procfile: web: waitress-serve --port=$PORT --call b:create_app |
    b.py: {FACTORY}
b:app | Procfile: web: uwsgi --http :$PORT --module b:app | a.py: {APP} | b.py: {APP}
b:app | Procfile: web: uwsgi --wsgi-file b.py --callable app | a.py: {APP} | b.py: {APP}
b:app | Procfile: web: uwsgi u.ini | u.ini: [uwsgi]\nmodule = b:app | a.py: {APP} | b.py: {APP}
b:app | Procfile: web: python b.py | a.py: {APP} | b.py: {APP}
app:app | Procfile: web: gunicorn gone:app | app.py: {APP}
app:app | Procfile: web: gunicorn app:gone | app.py: {APP}
b:app | Procfile: web: gunicorn b:app | .flaskenv: FLASK_APP=a | a.py: {APP} | b.py: {APP}
b:app | uwsgi.ini: [uwsgi]\nwsgi-file = /app/b.py\ncallable = app | a.py: {APP} | b.py: {APP}
a:app | uwsgi.ini: [uwsgi]\nmodule = uwsgi_app | uwsgi_app.py: from a import app as application |
    a.py: {APP}
b:app | gunicorn.conf.py: wsgi_app = 'b:app' | a.py: {APP} | b.py: {APP}
b:app | Dockerfile: CMD ["gunicorn", "--bind", "0.0.0.0:80", "b:app"] | a.py: {APP} |
    b.py: {APP}
b:app | Dockerfile: CMD gunicorn \\n  -w 4 \\n  b:app | a.py: {APP} | b.py: {APP}
b:app | compose.yml: services:\n  web:\n    command:\n      - gunicorn\n      - b:app |
    a.py: {APP} | b.py: {APP}
b:app | docker-compose.yml:     command: flask --app b run | a.py: {APP} | b.py: {APP}
b:app | boot.sh: #!/bin/sh\nexec gunicorn -b :5000 --access-logfile - b:app | a.py: {APP} |
    b.py: {APP}
b:app | .flaskenv: FLASK_APP=b | a.py: {APP} | b.py: {APP}
b:app | .flaskenv: FLASK_APP="b.py" | a.py: {APP} | b.py: {APP}
b:app | .env.example: export FLASK_APP=src/b.py | a.py: {APP} | src/b.py: {APP}
b:app | Dockerfile: ENV FLASK_APP /app/b.py | a.py: {APP} | b.py: {APP}
b:app2 | .flaskenv: FLASK_APP=b:app2 | b.py: {APP}app2 = Flask('x')
shop:create_app() | .flaskenv: FLASK_APP=shop | a.py: {APP} | shop/__init__.py: {FACTORY}
shop:create_app() | .flaskenv: FLASK_APP=shop/__init__.py | a.py: {APP} |
    shop/__init__.py: {FACTORY}
b:app | app.json: {"env": {"FLASK_APP": "b"}} | a.py: {APP} | b.py: {APP}
app:app | .flaskenv: FLASK_APP=gone.py | app.py: {APP}
wsgi:app | .flaskenv: FLASK_APP=a:create_app('x') | a.py: {FACTORY_WITH_DEFAULTS} |
    wsgi.py: from a import create_app\napp = create_app('x')
wsgi:app | Procfile: web: gunicorn --chdir inner a:app | inner/a.py: {APP} |
    wsgi.py: import sys\nsys.path.insert(0, "inner")\nfrom a import app
app:app | app.py: {APP} | old.py: print 'Flask(app' | binary.py: {NUL}Flask(app
app:app | app.py: {BOM}{APP}
"""


@pytest.mark.parametrize(("expected", "files"), cases(APPLICATIONS))
def test_application_is_found(expected: str, files: dict[str, str], tmp_path: Path) -> None:
    found = code.applications(write(tmp_path, files))
    assert found, "nothing"
    assert found[0].wsgi_app == expected, found
    assert code.problem_of(tmp_path, "auto") is None
    assert code.problem_of(tmp_path, expected) is None


PROBLEMS = r"""
No Flask application was found
No Flask application was found | app.py: print(1)
No Flask application was found | app.py: {FLASK}if __name__ == '__main__':\n    app = Flask('x')
Several applications were found: main:app (main.py:2), server:app (server.py:2). Answer which
    one is served, such as wsgi_app=main:app |
    main.py: {APP} | server.py: {APP}
a:create_app() (a/__init__.py:2), b:create_app() (b/__init__.py:2) | a/__init__.py: {FACTORY} |
    b/__init__.py: {FACTORY}
shop/__init__.py:2 has the factory create_app, which needs arguments. Write a module that calls
    it with its arguments for the dots, and bake again: printf '%s\n' 'from shop import create_app'
    'app = create_app(...)' >wsgi.py |
    shop/__init__.py: {FACTORY_WITH_ARGUMENT}
'app = create_app("production")' >wsgi.py | shop/__init__.py: {FACTORY_WITH_ARGUMENT} |
    config.py: config = {'production': 1}
Procfile:1 has the factory create_app of shop called with arguments. Write a module that calls
    it, and bake again: printf '%s\n' 'from shop import create_app' 'app = create_app("live")'
    >wsgi.py |
    Procfile: web: gunicorn "shop:create_app('live')" | shop.py: {FACTORY_WITH_DEFAULTS} |
    app.py: {APP}
'app = create_app("a.ProdConfig")' | .flaskenv: FLASK_APP=a:create_app('a.DevConfig') |
    a.py: {FACTORY_WITH_ARGUMENT}class ProdConfig: pass
app.py:3 starts a server as soon as app is imported. Put the line below a condition: if __name__
    == "__main__": app.run(debug=True) |
    app.py: {APP}app.run(debug=True)
The application is in backend/. Run cookiecutter there: cd backend | backend/app.py: {APP} |
    backend/requirements.txt::
Run cookiecutter there: cd services/web | services/web/app.py: {APP} |
    services/web/requirements.txt:
Procfile:1: The application is in inner/, where Python does not look for modules. Write one that
    has it, and bake again: printf '%s\n' 'import sys' 'sys.path.insert(0, "inner")' 'from a import
    app' >wsgi.py |
    Procfile: web: gunicorn --chdir inner a:app | inner/a.py: {APP} | requirements.txt::
"""


@pytest.mark.parametrize(("says", "files"), cases(PROBLEMS))
def test_problem_is_told_when_there_is_no_best_application(
    says: str, files: dict[str, str], tmp_path: Path
) -> None:
    assert says in (code.problem_of(write(tmp_path, files), "auto") or "")


ANSWERS = r"""
app:app |
app:imported |
app:plain |
app:wrapped |
shop:create_app() |
shop.core:made |
shop.star:anything |
shop.lazy:anything |
shop.run:anything |
shop.old:anything |
app:db | 'db' is a SQLAlchemy (app.py:4), not an application. Found were: app:app (app.py:2)
app:gone | the module 'app' (app.py) has no 'gone'. Found were: app:app
gone:app | has no module 'gone'. Run cookiecutter in the application's folder. Found were: app:app
app.gone:app | has no module 'app.gone'
folder:app | 'folder' is a folder without an __init__.py
app:app() | 'app' is the application itself (app.py:2): answer app:app
app:NUMBER | 'NUMBER' is 42 (app.py:5), not an application
app:Class | 'Class' is a class
app:shop | 'shop' is a module
shop:create_app | is a function (shop/__init__.py:2): answer shop:create_app() with parentheses
shop.core:create_app() | create_app() needs config (shop/core.py:2). Write a module
shop.core:create_app | 'create_app' is a function (shop/core.py:2). Write a module
shop.core:create_app('x') | has arguments. Write a module that calls it, and bake again: printf
app | must be a module and the application in it, such as 'app:app'
app.py:app | has no module 'app.py'
"""


@pytest.mark.parametrize(
    ("answer", "says"), [line.split(" |") for line in ANSWERS.strip().splitlines()]
)
def test_answer_is_verified(answer: str, says: str, tmp_path: Path) -> None:
    app = "from flask_sqlalchemy import SQLAlchemy\ndb = SQLAlchemy(app)\nNUMBER = 42\n"
    app += "class Class: pass\nfrom elsewhere import imported\nimport shop\n"
    app += "def plain(environ, start_response): pass\n@imported\ndef wrapped(request): pass\n"
    made = "def make():\n    global made\n    made = 1\n"
    write(
        tmp_path,
        {
            "app.py": TEXTS["APP"] + app,
            "folder/x.py": "",
            "shop/__init__.py": TEXTS["FACTORY"],
            "shop/core.py": TEXTS["FACTORY_WITH_ARGUMENT"] + made,
            "shop/star.py": "from elsewhere import *\n",
            "shop/lazy.py": "def __getattr__(name): pass\n",
            "shop/run.py": "exec('x = 1')\n",
            "shop/old.py": "print 1\n",
        },
    )
    problem = code.problem_of(tmp_path, answer)
    assert says.strip() in (problem or "") if says else problem is None, problem
