"""Members who log in, with column types of their own, and a start page that asks the database."""

from datetime import UTC, datetime
from enum import Enum

from flask import Blueprint, abort, flash, g, redirect, render_template, request, session, url_for
from sqlalchemy import Dialect, ForeignKey, String, TypeDecorator, func, select
from sqlalchemy.orm import Mapped, mapped_column
from werkzeug import Response

from .database import Base, db

blueprint = Blueprint("members", __name__)


class Tags(TypeDecorator[list[str]]):
    """Words in one column."""

    impl = String(200)
    cache_ok = True

    def process_bind_param(self, value: list[str] | None, _dialect: Dialect) -> str:
        return " ".join(value or [])

    def process_result_value(self, value: str | None, _dialect: Dialect) -> list[str]:
        return (value or "").split()


class Role(Enum):
    """What a member may do."""

    READER = "reader"
    WRITER = "writer"


class Member(Base):
    """Somebody who may log in."""

    __tablename__ = "member"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(50), unique=True)
    role: Mapped[Role]
    tags: Mapped[list[str]] = mapped_column(Tags)
    joined: Mapped[datetime] = mapped_column(default=lambda: datetime.now(UTC))
    favourite_id: Mapped[int | None] = mapped_column(ForeignKey("note.id"))


@blueprint.before_app_request
def load_member() -> None:
    if "member" not in g:
        member = session.get("member")
        g.member = member and db.session.get(Member, member)


@blueprint.get("/")
def index() -> str:
    count = db.session.scalar(select(func.count()).select_from(Member))
    return render_template("members.html", count=count)


@blueprint.post("/login")
def login() -> Response:
    found = select(Member.id).where(Member.name == request.form["name"])
    session["member"] = db.session.scalar(found) or abort(403)
    flash("Welcome <back>")
    return redirect(url_for("members.index"))


@blueprint.get("/upload")
def upload() -> str:
    member: Member = g.member or abort(403)
    return member.name
