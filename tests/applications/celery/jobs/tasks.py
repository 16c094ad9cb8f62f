from celery import shared_task

from jobs import Order, db


@shared_task
def ship(number):
    order = db.session.get(Order, number)
    order.text += ", shipped"
    db.session.commit()
