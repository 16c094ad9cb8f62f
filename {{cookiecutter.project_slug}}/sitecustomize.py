{% from 'database.txt' import scheme, schemes, variables with context %}
"""Gives DATABASE_URL the scheme that the application's driver goes by.

Python imports this module whenever it starts in the image, where PYTHONPATH names its folder, so
servers, release commands, cron jobs and shells all see the same. An application that does without
can delete it.
"""

import os

SCHEMES = dict.fromkeys(["{{ schemes | join('", "') }}"], "{{ scheme }}")


def set_database_url() -> None:
    given = [os.environ.get(name, "").strip() for name in ("DATABASE_URL", "DEFAULT_DATABASE_DSN")]
    scheme, separator, rest = (given[0] or given[1]).partition("://")
    if not separator:
        return
    url = f"{SCHEMES.get(scheme.lower(), scheme)}://{rest}"
    os.environ["DATABASE_URL"] = url
{% if variables %}
    for name in ["{{ variables | join('", "') }}"]:
        if not os.environ.get(name, "").strip():
            os.environ[name] = url
{% endif %}


set_database_url()
{% if 'celery' in cookiecutter.found.split() %}

# Divio's broker, under the name that Celery takes before what the application says.
if broker := os.environ.get("DEFAULT_AMQP_BROKER_URL", "").strip():
    os.environ.setdefault("CELERY_BROKER_URL", broker)
{% endif %}
