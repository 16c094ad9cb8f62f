import os

os.environ["SECRET_KEY"] = "test"
os.environ["NEWSLETTER_SENDER"] = "test@example.org"
os.environ["DATABASE_URL"] = "sqlite://"
