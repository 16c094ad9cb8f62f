import os


class Config:
    SECRET_KEY = os.environ.get("SECRET_KEY") or "you will never guess"
    SQLALCHEMY_DATABASE_URI = os.environ.get("SQLALCHEMY_DATABASE_URI") or "sqlite://"
    SQLALCHEMY_TRACK_MODIFICATIONS = False


class Testing(Config):
    TESTING = True
    SQLALCHEMY_DATABASE_URI = "sqlite://"
