"""Files of secrets: read only in the operator's folders, whatever the path or a link says, and only if they hold a secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from alerts.destination.document import destination_from
from alerts.destination.message import Unsent
from alerts.destination.secret_file import SecretFiles
from core.error import ConfigError

MAIL = {"destination": "mail", "kind": "email", "smtp": "mail.example.org:587", "to": "a@example.org", "user": "u"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of secrets, with a file outside beside it."""
    (tmp_path / "secrets").mkdir()
    (tmp_path / "outside").write_text("root-token")
    return tmp_path / "secrets"


@pytest.mark.parametrize("path", ["/proc/self/environ", "{}/../outside", "{}/link", "{}2/x"])
def test_no_other_file_of_the_server_is_read(folder: Path, path: str) -> None:
    """Neither when a destination is applied nor when it is sent to; the folder may have been changed in between."""
    (folder / "link").symlink_to(folder.parent / "outside")
    files, file = SecretFiles([str(folder)]), path.format(folder)
    with pytest.raises(ConfigError, match=r"`password_file` .* is not in a folder of secrets") as refused:
        destination_from({**MAIL, "password_file": file}, files=files)
    assert "alerts.secrets" in (refused.value.remedy or "")
    with pytest.raises(Unsent, match=r"the password's file is not in a folder of alerts\.secrets"):
        files.opened({"password_file": file})


def test_a_link_within_the_folder_is_followed(folder: Path) -> None:
    """As secrets of Kubernetes are mounted; and the folder itself may be a link."""
    (folder / "..data").mkdir()
    (folder / "..data" / "password").write_text("hunter2\n")
    (folder / "password").symlink_to(Path("..data") / "password")
    (folder.parent / "run").symlink_to(folder)
    file = str(folder.parent / "run" / "password")
    files = SecretFiles([str(folder.parent / "run")])
    destination = destination_from({**MAIL, "password_file": file}, files=files)
    assert files.opened(destination.settings)["password"] == "hunter2"


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"x" * 1_025, "longer than 1024 bytes"),
        (b"A=1\0B=2", "control characters"),
        (b"a\tb", "control characters"),
        (b"a\x0bb", "control characters"),
        (b"\xff", "is no text"),
    ],
)
def test_what_is_no_secret_is_not_sent(folder: Path, content: bytes, fault: str) -> None:
    """The failure does not hold it."""
    (folder / "x").write_bytes(content)
    with pytest.raises(Unsent, match=fault):
        SecretFiles([str(folder)]).opened({"password_file": str(folder / "x")})


def test_a_file_may_hold_several_lines(folder: Path) -> None:
    """Secrets of a webhook while one takes the place of another."""
    (folder / "x").write_bytes(b"whsec_a\r\nwhsec_b\n")
    assert SecretFiles([str(folder)]).opened({"secret_file": str(folder / "x")})["secret"].split() == ["whsec_a", "whsec_b"]


def test_a_folder_or_a_file_that_is_not_there_is_waited_for(folder: Path) -> None:
    """A destination may be applied before its secret is written."""
    files = SecretFiles([str(folder)])
    assert destination_from({**MAIL, "password_file": str(folder / "later")}, files=files)
    with pytest.raises(Unsent, match="cannot be read: No such file or directory"):
        files.opened({"password_file": str(folder / "later")})
    with pytest.raises(Unsent, match="cannot be read: it is no file"):
        files.opened({"password_file": str(folder)})
