import os
from contextlib import closing

import psycopg2


def query(statement, *values):
    with closing(psycopg2.connect(os.environ["DATABASE_URL"])) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []
