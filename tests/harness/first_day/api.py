"""Members as JSON."""

from typing import Any

from flask import Blueprint, request

from . import security
from .database import db
from .members import Member, Role

blueprint = Blueprint("api", __name__, url_prefix="/api/members")
security.csrf.exempt(blueprint)


@blueprint.post("/")
def add() -> tuple[dict[str, int], int]:
    given = request.get_json()
    member = Member(name=given["name"], role=Role.READER, tags=given["tags"])
    db.session.add(member)
    db.session.commit()
    return {"id": member.id}, 201


@blueprint.get("/<int:number>")
def show(number: int) -> dict[str, Any]:
    member = db.get_or_404(Member, number)
    return {"joined": member.joined.isoformat(), "name": member.name, "tags": member.tags}
