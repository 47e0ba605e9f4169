"""What is found by its name: the modules of a package, each an entry.

So a new layout, architecture, backbone, figure or format is one new file, and no list has to know
of it. A module whose name begins with `_` is no entry.
"""

import importlib
import pkgutil
from types import ModuleType

from imago.core.errors import ExtensionError


def names(package: ModuleType) -> list[str]:
    """Return the names of a package's entries, sorted; imports none of them."""
    found = (module.name for module in pkgutil.iter_modules(package.__path__))
    return sorted(name for name in found if not name.startswith("_"))


def offers(package: ModuleType) -> dict[str, str]:
    """Return each name of those that entries offer, their `NAMES`, and the entry that offers it.

    For packages whose entries stand for several things of one kind. Imports all of them.

    Raises:
        ExtensionError: Two offer one name.
    """
    found: dict[str, str] = {}
    for entry in names(package):
        module = load(package, entry, "NAMES")
        for name in module.NAMES:
            if name in found:
                message = (
                    f"{file(module)}: must offer names of its own, got {name}, which "
                    f"{found[name]}.py offers; give it another one"
                )
                raise ExtensionError(message)
            found[name] = entry
    return dict(sorted(found.items()))


def load(package: ModuleType, name: str, *needed: str) -> ModuleType:
    """Import an entry, or a module of an entry that is a package, such as `cifar.settings`.

    Args:
        package: Holds the entry.
        name: Of the entry, or of a module in it.
        needed: Names that the module must have, such as `build`.

    Raises:
        ExtensionError: It lacks one of them.
    """
    module = importlib.import_module(f"{package.__name__}.{name}")
    if missing := [one for one in needed if not hasattr(module, one)]:
        message = (
            f"{file(module)}: must have {', '.join(needed)}, got no {', '.join(missing)}; "
            "docs/extending.md says what they are"
        )
        raise ExtensionError(message)
    return module


def file(module: ModuleType) -> str:
    """Return where a module stands in the repository."""
    return f"{module.__name__.replace('.', '/')}.py"
