"""Features: a module of this package adds to the application by the names that it defines.

blueprint: a Blueprint, with views, commands, and whatever its record_once does to the application
settings: a function that returns Flask's configuration of an Environment
"""

import pkgutil
from importlib import import_module
from typing import Any


def named(name: str) -> list[Any]:
    """Return what modules of this package have under `name`, in the order of the modules."""
    package = import_module(__package__)
    modules = pkgutil.iter_modules(package.__path__, f"{__package__}.")
    found = [getattr(import_module(module.name), name, None) for module in modules]
    return list(dict.fromkeys(filter(None, found)))  # Two modules may share one.
