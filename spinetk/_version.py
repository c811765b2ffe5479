"""The version, said once: ``pyproject.toml`` and the package read it here, and nothing heavy hangs on it."""

__version__ = "0.2.0.dev0"
