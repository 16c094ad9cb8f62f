"""Make the tables."""

from diary.app import Day, database, make_app

make_app()
with database:
    database.create_tables([Day])
