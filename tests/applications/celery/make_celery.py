import jobs.tasks  # noqa: F401
from jobs import create_app

flask_app = create_app()
celery_app = flask_app.extensions["celery"]
