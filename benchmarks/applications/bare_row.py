"""The floor of a view that reads one row: Flask and a session of SQLAlchemy, all by default."""

import os

from flask import Flask
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = Flask(__name__)
engine = create_engine(os.environ["DATABASE_URL"].replace("postgres:", "postgresql+psycopg:", 1))


class Base(DeclarativeBase):
    pass


class Note(Base):
    __tablename__ = "note"
    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]


@app.get("/row")
def row() -> str:
    with Session(engine) as session:
        return session.get_one(Note, 1).text
