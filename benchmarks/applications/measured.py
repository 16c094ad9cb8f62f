"""Views that the benchmarks add to a baked project."""

from flask import Blueprint, request
from sqlalchemy.orm import Mapped, mapped_column

from .database import Base, db
from .media import media
from .security import csrf

blueprint = Blueprint("measured", __name__)
csrf.exempt(blueprint)


class Note(Base):
    __tablename__ = "note"
    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]


@blueprint.get("/row")
def row() -> str:
    return db.session.get_one(Note, 1).text


@blueprint.post("/upload")
def upload() -> str:
    return media.save("upload.bin", request.files["file"].stream, overwrite=True)
