import click
from flask import Blueprint, jsonify, request

from shop import db

bp = Blueprint("shop", __name__, cli_group=None)


class Order(db.Model):
    __tablename__ = "orders"

    id = db.Column(db.Integer, primary_key=True)
    text = db.Column(db.String(200), nullable=False)


@bp.get("/orders")
def orders():
    return jsonify([order.text for order in Order.query.order_by(Order.id)])


@bp.post("/orders")
def order():
    db.session.add(Order(text=request.form["text"]))
    db.session.commit()
    return "", 201


@bp.cli.command("create-tables")
def create_tables():
    db.create_all()
    click.echo("done")
