"""Files that hold secrets of destinations: only those in folders that the operator has named.

A destination is written by a person, and the file is read by the server. So a path leads to no other file of the server, also not by a link, and what is no secret
is not read far enough to be sent anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from alerts.destination.message import Unsent
from core.error import ConfigError

FOLDERS = ("/run/secrets",)
_FILE = "_file"  # the end of a setting that is a path
_MOST = 1_024  # bytes


class SecretFiles:
    """Reads secrets from files in `folders`, anew at each call."""

    def __init__(self, folders: Iterable[str] = FOLDERS) -> None:
        self._folders = tuple(folders)

    def check(self, settings: Mapping[str, str]) -> None:
        """Raise ConfigError if a file of the settings is in none of the folders. It need not be there yet."""
        for name, path in settings.items():
            if name.endswith(_FILE) and self._file(path) is None:
                raise ConfigError(
                    f"`{name}` {path} is not in a folder of secrets",
                    remedy=f"write a file in {self._named}, or have the operator add its folder to alerts.secrets",
                )

    def opened(self, settings: Mapping[str, str]) -> dict[str, str]:
        """The settings with the contents of files in place of their paths. Raises Unsent, which holds no content."""
        return {name.removesuffix(_FILE): self._content(name, said) if name.endswith(_FILE) else said for name, said in settings.items()}

    def _content(self, name: str, path: str) -> str:
        what = f"the {name.removesuffix(_FILE)}'s file"
        try:
            file = self._file(path)
            if file is None:
                raise Unsent(f"{what} is not in a folder of alerts.secrets, which are {self._named}")
            if not file.is_file():
                raise Unsent(f"{what} cannot be read: {'it is no file' if file.exists() else 'No such file or directory'}")
            with file.open("rb") as opened:
                content = opened.read(_MOST + 1)
            said = content.decode().strip()
        except OSError as error:
            raise Unsent(f"{what} cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise Unsent(f"{what} is no text") from None
        if len(content) > _MOST:
            raise Unsent(f"{what} is longer than {_MOST} bytes")
        if any(letter < " " or letter == "\x7f" for letter in said.replace("\r\n", "").replace("\n", "")):
            raise Unsent(f"{what} holds control characters")
        return said

    def _file(self, path: str) -> Path | None:
        """The file to which a path leads; None if it is in no folder."""
        try:
            file = Path(path).resolve()
            inside = any(file.is_relative_to(Path(folder).resolve()) for folder in self._folders)
        except (OSError, RuntimeError, ValueError):  # a loop of links; a name that no file can have
            return None
        return file if inside else None

    @property
    def _named(self) -> str:
        return ", ".join(self._folders) or "none"
