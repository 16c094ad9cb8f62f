from setuptools import find_packages, setup

setup(
    name="newsletter",
    version="2.3",
    packages=find_packages(exclude=["tests"]),
    python_requires=">=3.9",
    install_requires=["Flask>=3.0", "Flask-SQLAlchemy>=3.1", "psycopg2-binary>=2.9"],
    extras_require={"test": ["pytest"]},
)
