"""finder/code.py tells from an application's files how it is served and what it needs."""

import os
import re
from pathlib import Path
from time import process_time

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
    table = re.sub(r"(?<=\\n)\n {8}", "", table.strip())
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
shop.app:create_app() | shop/__init__.py:: | shop/app.py: {FACTORY} | scripts/models.py: {APP}
shop.b:app | shop/__init__.py:: | shop/a.py: {APP} | shop/b.py: {APP} |
    Makefile: run: ; FLASK_APP=shop/b.py flask run
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
b:app | Dockerfile: CMD gunicorn b:app | compose.yml: command: gunicorn a:app | a.py: {APP} |
    b.py: {APP}
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
app:app | app.py: {APP} | old_app.py: print 'Flask'
shop:app | shop/__init__.py: {APP} | main.py: import flask, app\nprint app
b:app | Procfile: web: gunicorn b:app | b.py: {APP} | app.py: import flask\nprint 'x'
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
wsgi_app 'auto' finds several applications: main:app (main.py:2), server:app (server.py:2).
    Answer which
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
The application is in $(id)/. Run cookiecutter there: cd '$(id)' | $(id)/app.py: {APP} |
    $(id)/requirements.txt:
'sys.path.insert(0, "a\"); f(); (\"")' | a"); f(); ("/app.py: {APP} | requirements.txt::
No Flask application was found | café.py: {APP}
app.py:3 cannot be parsed by Python 3. | app.py: {APP}print 'Flask'
(Missing parentheses in call to 'print'. Did you mean print(...)?). Mend it, and bake again, or
    answer what it serves, such as wsgi_app=app:app |
    app.py: {APP}print 'Flask'
wsgi.py:1 cannot be parsed by Python 3. | wsgi.py: from shop import app,\n |
    shop/__init__.py: {APP}
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


WORDS = r"""
- | app.py: {APP}
migrations-in-factory | app.py: {APP}db.create_all()
migrations-in-factory | app.py: {APP}with app.app_context():\n    db.create_all()
migrations-in-factory | app.py: {APP}from models import Base\nBase.metadata.create_all(engine)
migrations-in-factory | app.py: {FACTORY}from flask_migrate import upgrade\ndef create_app():\n
            app = Flask('x')\n    with app.app_context():\n        upgrade()\n    return app
migrations-in-factory | shop/__init__.py: from flask import Flask\nfrom .db import prepare\n
        def create_app():\n    app = Flask('x')\n    prepare(app)\n    return app |
    shop/db.py: from alembic import command\ndef prepare(app):\n    command.upgrade(config, 'head')
migrations-in-factory | app.py: {APP}import models | models.py: db.create_all()
migrations-in-factory | app.py: {APP}db.execute('CREATE TABLE IF NOT EXISTS x (y int)')
- | app.py: {APP}@app.cli.command()\ndef make():\n    db.create_all()
- | app.py: {APP}if __name__ == '__main__':\n    db.create_all()
- | app.py: {APP}if app.config['TESTING']:\n    db.create_all()
- | app.py: {APP} | init.py: db.create_all()
- | app.py: {APP} | tests/conftest.py: db.create_all()
uploads/ | app.py: {APP}app.config['UPLOAD_FOLDER'] = 'uploads'
uploads/ | app.py: {APP}app.config.from_mapping(UPLOAD_FOLDER='./uploads/')
uploads/ | app.py: {APP}app.config.update({'UPLOADED_PHOTOS_DEST': 'uploads'})
shop/static/uploads/ | shop/__init__.py: {APP}import os\n
        app.config['UPLOAD_FOLDER'] = os.path.join(app.root_path, 'static', 'uploads')
shop/static/avatars/ | shop/__init__.py: {APP}import os\n
        AVATAR_DIR = os.path.join(app.static_folder, 'avatars')
media/ | shop/__init__.py: {APP}app.config.from_object('config') |
    config.py: import os\nbasedir = os.path.abspath(os.path.dirname(__file__))\n
        class Config:\n    MEDIA_ROOT = basedir + '/media'
media/ | app.py: {APP}from pathlib import Path\nHERE = Path(__file__).resolve().parent\n
        app.config['MEDIA_ROOT'] = HERE / 'media'
media/ | shop/__init__.py: {APP}from pathlib import Path\n
        MEDIA_ROOT = str(Path(__file__).parents[1].joinpath('media'))
files/ | app.py: {APP}import os\nUPLOAD_FOLDER = os.environ.get('UPLOAD_FOLDER', f'files')
made/ | app.py: {APP}import os\nos.makedirs('made', exist_ok=True)
made/ | app.py: {APP}import pathlib\npathlib.Path('made').mkdir()
uploads/ | app.py: {APP}import os\napp.config['UPLOAD_FOLDER'] = 'uploads'\n
        @app.post('/')\ndef save(file):\n
            file.save(os.path.join(app.config['UPLOAD_FOLDER'], file.filename))
static/pictures/ | app.py: {APP}import os\ndef save(picture, name):\n
            path = os.path.join(app.root_path, 'static/pictures', name)\n    picture.save(path)
exports/ | app.py: {APP}def export(name):\n    open(f'exports/{name}.csv', 'w')
logs/ | app.py: {APP}from logging.handlers import RotatingFileHandler\n
        RotatingFileHandler('logs/shop.log', maxBytes=1)
logs/ | app.py: {APP}LOG_FILE_PATH = 'logs/shop.log'
shop/static/.webassets-cache/ shop/static/css/ shop/static/made/ |
    shop/__init__.py: from flask import Blueprint\nfrom flask_assets import Bundle, Environment\n
        {APP}site = Blueprint('site', __name__)\nassets = Environment(app)\n
        css = Bundle('a.css', output='site/css/all.css')\njs = Bundle('a.js', output='made/all.js')
flask_session/ | app.py: {APP}app.config['SESSION_TYPE'] = 'filesystem'
src/instance/ | src/shop/__init__.py: {APP}import os\nos.makedirs(app.instance_path)
- | app.py: {APP}import os\nos.makedirs(app.instance_path)
- | app.py: {APP}UPLOAD_FOLDER = '/tmp/uploads'
- | app.py: {APP}def read(name):\n    return open(f'exports/{name}.csv')
- | app.py: {APP}@app.cli.command()\ndef write():\n    open('exports/a.csv', 'w')
- | app.py: {APP} | config.py: class TestConfig:\n    UPLOAD_FOLDER = 'test-uploads'
SQLALCHEMY_DATABASE_URI | app.py: {APP}import os\n
        app.config['SQLALCHEMY_DATABASE_URI'] = os.environ['SQLALCHEMY_DATABASE_URI']
SHOP_DB | app.py: {APP}from os import environ as env\n
        app.config['SQLALCHEMY_DATABASE_URI'] = env.get('SHOP_DB') or 'sqlite://'
DB_URL | app.py: {APP}import os, sqlalchemy\nurl = os.getenv('DB_URL', 'sqlite:///x.db')\n
        engine = sqlalchemy.create_engine(url.replace('a', 'b'))
POSTGRES_URL | app.py: {APP}import config | config.py: from environs import Env\nenv = Env()\n
        SQLALCHEMY_DATABASE_URI = env.str('POSTGRES_URL')
PG_DSN | app.py: {APP}import os\nconnection = lambda: connect(os.environ['PG_DSN'])\n
        dsn = os.environ['PG_DSN']
MY_DATABASE_URL | app.py: {APP}import config | config.py: import os\ndef get(name):\n
            try:\n        return os.environ[name]\n    except KeyError:\n        raise\n
        DB_URI = get('MY_DATABASE_URL')
PROD_DATABASE_URL | app.py: {APP}import config | config.py: import os\n
        class DevConfig:\n    DATABASE_URI = os.environ.get('DEV_DATABASE_URL')\n
        class ProdConfig:\n    DATABASE_URI = os.environ.get('PROD_DATABASE_URL')
- | app.py: {APP}import os\n
        DATABASE_URI = os.environ.get('DATABASE_URL') or os.environ.get('OTHER_DATABASE_URL')
- | app.py: {APP}import os\nREDIS_URL = os.environ['REDIS_URL']
celery:app.celery | app.py: {APP}from celery import Celery\ncelery = Celery('x')
celery:shop.tasks.queue | app.py: {APP} | shop/tasks.py: import celery\nqueue = celery.Celery()
celery:app.celery | app.py: {APP}from celery import Celery\ndef make_celery(app):\n
            celery = Celery(app)\n    return celery\ncelery = make_celery(app)
celery:make_celery.celery_app | shop/__init__.py: {FACTORY} |
    make_celery.py: from shop import create_app\n
        celery_app = create_app().extensions['celery']
celery:celery_worker.celery | shop/__init__.py: {FACTORY}from celery import Celery\n
        celery = Celery('x') |
    celery_worker.py: from shop import celery, create_app\napp = create_app()
celery:shop.work.celery | Procfile: worker: celery -A shop.work worker |
    app.py: {APP}from celery import Celery\ncelery = Celery('x') |
    shop/work.py: from app import celery
celery:app.celery | app.py: {APP}from celery import Celery\ncelery = Celery('x') |
    compose.yml: command: celery --app=app:celery worker
- | app.py: {APP}from celery import shared_task
- | app.py: {APP} | café_worker.py: from celery import Celery\ncelery = Celery('x')\nmake_app()
.cache/pages/ | app.py: {APP}app.config['CACHE_DIR'] = '.cache/pages'
- | app.py: {APP}app.config.update(A_CACHE_DIR='-rf', B_CACHE_DIR='$(id)', C_CACHE_DIR='a..b')
"""


@pytest.mark.parametrize(("words", "files"), cases(WORDS))
def test_code_tells_words(words: str, files: dict[str, str], tmp_path: Path) -> None:
    assert " ".join(code.look(write(tmp_path, files)).words) == words.removeprefix("- ").strip("-")


HINTS = r"""
- | app.py: {APP}import os\napp.config['SECRET_KEY'] = os.environ['SECRET_KEY']
- | app.py: {APP}import os\nDATABASE_URI = os.environ.get('DATABASE_URL', 'sqlite:///x.db')
- | app.py: {APP}import os\nurl = os.environ.get('DATABASE_URL')\n
        DATABASE_URI = url if url else 'sqlite:///x.db'
- | app.py: {APP}from flask_socketio import SocketIO\nSocketIO(app)
- | app.py: {APP} | config.py: class TestConfig:\n    DATABASE_URI = 'sqlite:///x.db'\n
            SECRET_KEY = 'test'
- | app.py: {APP}try:\n    log = open('x.log', 'a')\nexcept OSError:\n    log = None
app.py:3 names an SQLite file. Replace it by: app.config['SQLALCHEMY_DATABASE_URI'] =
    os.environ.get("DATABASE_URL") or 'sqlite:///shop.db' (and import os above) |
    app.py: {APP}app.config['SQLALCHEMY_DATABASE_URI'] = 'sqlite:///shop.db'
config.py:4 names an SQLite file. Replace it by: SQLALCHEMY_DATABASE_URI =
    os.environ.get("DATABASE_URL") or 'sqlite:///' + os.path.join(here, 'x.db') |
    app.py: {APP}app.config.from_object('config.Config') |
    config.py: import os\nhere = os.path.dirname(__file__)\nclass Config:\n
            SQLALCHEMY_DATABASE_URI = 'sqlite:///' + os.path.join(here, 'x.db')
app.py:4 names a database of its own. Replace it by:
    create_engine(os.environ.get("DATABASE_URL") or 'postgresql://localhost/x') |
    app.py: {APP}from sqlalchemy import create_engine\n
        engine = create_engine('postgresql://localhost/x')
Leave out check_same_thread, which only SQLite knows. |
    app.py: {APP}import sqlalchemy\n
        sqlalchemy.create_engine('sqlite:///x', connect_args={'check_same_thread': False})
app.py:6 makes the URL of the database of DB_PASSWORD, DB_USER. Replace it by: DATABASE_URI =
    os.environ.get("DATABASE_URL") or f'mysql://{user}:{password}@db' |
    app.py: {APP}import os\nuser = os.environ['DB_USER']\npassword = os.getenv('DB_PASSWORD')\n
        DATABASE_URI = f'mysql://{user}:{password}@db'
app.py:5 opens an SQLite file, and Divio keeps no files |
    app.py: {APP}import sqlite3\ndef db():\n    return sqlite3.connect('x.db')
app.py:4 connects to a database that it names itself. Take its parts from DATABASE_URL |
    app.py: {APP}import pymysql\ndb = pymysql.connect(host='localhost', user='x')
app.py:3 names the database's server. Take its parts from DATABASE_URL |
    app.py: {APP}app.config['MYSQL_HOST'] = 'localhost'
app.py:3 has the secret key in the code, where it is none. Replace it by:
    app.secret_key = os.environ.get("SECRET_KEY", "dev") (and import os above) |
    app.py: {APP}app.secret_key = 'secret'
config.py:3 reads a variable that has no safe default. Set MAIL, TOKEN on Divio, and in .env-local
    for the local stack. |
    app.py: {APP}import config | config.py: import os\nDEBUG = 'DEBUG' in os.environ\n
        MAIL = os.environ['MAIL']\nTOKEN = os.environ['TOKEN']\nDOMAIN = os.environ['DOMAIN']\n
        if 'X' in os.environ:\n    X = os.environ['X']\n
        try:\n    Y = os.environ['Y']\nexcept KeyError:\n    Y = 1
app.py:4 reads a variable that has no safe default. Set SALT on Divio |
    app.py: {APP}import os\nSALT = os.environ.get('SALT')\nif not SALT:\n    raise ValueError\n
        HOST = os.environ.get('HOST', 'x')\nif not HOST:\n    raise ValueError
Set SHOP_SECRET on Divio |
    app.py: {APP}import os\nSECRET_KEY = os.environ.get('SHOP_SECRET', 'secret')
Set SHOP_SETTINGS on Divio | app.py: {APP}app.config.from_envvar('SHOP_SETTINGS')
Set KEY on Divio | app.py: {APP}from decouple import config\nKEY = config('KEY')
app.py:4 chooses the configuration by FLASK_CONFIG. Set FLASK_CONFIG=live on Divio |
    app.py: from config import config\nimport os\nfrom shop import create_app\n
        app = create_app(os.getenv('FLASK_CONFIG') or 'default') |
    shop.py: {FACTORY_WITH_ARGUMENT} |
    config.py: class DevelopmentConfig: pass\nclass ProductionConfig: pass\n
        config = {'live': ProductionConfig, 'default': DevelopmentConfig}
app.py:5 chooses the configuration by APP_SETTINGS. Set APP_SETTINGS=config.ProdConfig on Divio |
    app.py: {APP}import os\nimport config\n
        app.config.from_object(os.environ['APP_SETTINGS']) |
    config.py: class DevConfig: pass\nclass ProdConfig: pass
- | app.py: {APP}import os\nfrom config import all\n
        app.config.from_object(all[os.environ.get('FLASK_CONFIG', 'prod')]) |
    config.py: class DevConfig: pass\nclass ProdConfig: pass\nall = {'prod': ProdConfig}
- | wsgi.py: from shop import create_app\napp = create_app('prod') |
    shop.py: import os\nfrom flask import Flask\nfrom config import all\n
        def create_app(name=None):\n    if name is None:\n        name = os.getenv('APP_ENV')\n
        app = Flask('x')\n    return app |
    config.py: class DevConfig: pass\nclass ProdConfig: pass\nall = {'prod': ProdConfig}
app.py:3 names a service on localhost, where a container has none. Replace it by:
    BROKER_URL=os.environ.get("BROKER_URL", 'redis://localhost:6379/0'), |
    app.py: {APP}app.config.update(BROKER_URL='redis://localhost:6379/0')
Replace it by: BROKER_URL=os.environ["BROKER_URL"], |
    app.py: {APP}app.config.update(BROKER_URL='redis://:secret@localhost:6379/0')
Replace it by: app.config['DB_URL'] = os.environ["DATABASE_URL"] |
    app.py: {APP}import os\nuser = os.environ['USER']\n
        app.config['DB_URL'] = f'postgresql://{user}:secret@server/db'
app.py:1 cannot be parsed by Python 3. | Procfile: web: gunicorn app:app |
    app.py: print 'Flask'
Procfile:2 has a release command. Add what follows "release:" in step 2 of "Deploy on Divio" |
    app.py: {APP} | Procfile: web: gunicorn app:app\nrelease: flask db upgrade
Procfile:1 has the process clock, and Divio starts none but the web process. |
    app.py: {APP} | Procfile: clock: python clock.py
- | app.py: {APP} | Procfile: # x: y\nweb: gunicorn app:app\nworker: celery -A app worker
app.py:4 logs to a file that the image's account may not write. Log to standard output:
    logging.StreamHandler() instead of FileHandler(...). |
    app.py: {APP}from logging import FileHandler\nFileHandler('error.log')
app.py:3 writes to /srv/files, which the image's account may not. |
    app.py: {APP}app.config['UPLOAD_FOLDER'] = '/srv/files'
shop/__init__.py:3 writes to shop/, among the code |
    shop/__init__.py: {APP}app.config['UPLOAD_FOLDER'] = app.root_path
"""


@pytest.mark.parametrize(("says", "files"), cases(HINTS))
def test_hint_is_given(says: str, files: dict[str, str], tmp_path: Path) -> None:
    hints = code.look(write(tmp_path, files)).hints
    assert any(says in hint for hint in hints) if says != "-" else not hints, hints


def test_long_chain_of_names_is_given_up(tmp_path: Path) -> None:
    names = "".join(f"a{number} = a{number + 1} + ''\n" for number in range(5000))
    files = {f"m{number}.py": f"from m{number + 1} import b\n" for number in range(1000)}
    files["app.py"] = f"{TEXTS['APP']}from m0 import b\nDATABASE_URL = a0\nDB_URL = b\n{names}"
    assert code.look(write(tmp_path, files)).words == []
    assert code.applications(tmp_path)[0].wsgi_app == "app:app"


def test_imports_are_those_of_all_modules(tmp_path: Path) -> None:
    files = {
        "app.py": "import os.path, flask\nfrom . import x\n",
        "shop/a.py": "def f():\n    from psycopg2 import sql\n",
        "old.py": "import pymysql\nprint 1\n",
        "tests/test_app.py": "import pytest\n",
    }
    assert code.look(write(tmp_path, files)).imports >= {"os", "psycopg2", "pymysql"}
    assert "pytest" not in code.look(tmp_path).imports


def test_whatever_lies_in_the_folder_takes_little_time(tmp_path: Path) -> None:
    views = "from flask import Blueprint\n" + "def view(name):\n    return name.upper()\n" * 20
    files = {f"shop/part{number // 100}/views{number}.py": views for number in range(1000)}
    files["shop/__init__.py"] = TEXTS["FACTORY"] + "".join(
        f"import shop.part{number // 100}.views{number}\n" for number in range(1000)
    )
    files["shop/large.py"] = "x = 1\n" * 300_000
    write(tmp_path, files)
    (tmp_path / "shop/loop").symlink_to(tmp_path)
    (tmp_path / "gone.py").symlink_to("/nowhere")
    (tmp_path / "shop/binary.py").write_bytes(bytes(range(256)) * 100)
    (tmp_path / "deep.py").write_text("(" * 5000)
    (tmp_path / "setup.sh").write_text("celery " * 100_000)
    os.mkfifo(tmp_path / "Procfile")
    start = process_time()
    assert code.applications(tmp_path)[0].wsgi_app == "shop:create_app()"
    assert code.look(tmp_path).words == []
    assert process_time() - start < 3
