"""Settings: where they come from, what is refused, what is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from core import moment
from core.error import ConfigError
from watchkeeper import settings


def _file(folder: Path, text: str, name: str = "settings.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of three settings comes from the strongest place that has it."""
    file = _file(tmp_path, "port: 1\nlog_level: error\nalerts: {notify_horizon: 5d}\ningest: {batch: {bytes: 7}}")
    monkeypatch.setenv("WATCHKEEPER_PORT", "2")
    monkeypatch.setenv("WATCHKEEPER_ALERTS__NOTIFY_HORIZON", "30d")
    found = settings.load(file, port=3)
    assert (found.port, found.log_level, found.alerts.notify_horizon, found.ingest.batch.bytes) == (3, "error", 30 * moment.DAY, 7)


def test_toml_is_read_too(tmp_path: Path) -> None:
    """A file that ends in .toml is TOML."""
    assert settings.load(_file(tmp_path, "[ingest]\nsilence = '2s'", "settings.toml")).ingest.silence == 2 * moment.SECOND


def test_one_error_lists_all_faults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unknown keys at any depth, wrong values and unknown variables are all named at once."""
    monkeypatch.setenv("WATCHKEEPER_PROT", "1")
    file = _file(tmp_path, "prot: 1\nport: many\nalerts: {notify_horizon: soon, horizon: 1}")
    with pytest.raises(ConfigError) as caught:
        settings.load(file)
    for name in (
        "WATCHKEEPER_PROT: unknown",
        "prot: unknown",
        "port: ",
        "alerts.notify_horizon: 'soon' is not a duration",
        "alerts.horizon: unknown",
    ):
        assert name in caught.value.message


@pytest.mark.parametrize("text", ["- 1", "a: [", "port: 1\x00"])
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    """A list, broken YAML and a forbidden character are ConfigErrors that name the file."""
    with pytest.raises(ConfigError, match=r"settings\.yaml"):
        settings.load(_file(tmp_path, text))


def test_other_machines_need_a_token(tmp_path: Path) -> None:
    """Without a token only loopback is served; a token from a file opens other addresses."""
    for host in ("127.0.0.1", "::1", "localhost", "127.8.8.8"):
        assert settings.load(host=host).secret is None
    for host in ("0.0.0.0", "::", "192.168.1.5", "example.org"):  # noqa: S104
        with pytest.raises(ConfigError, match="token"):
            settings.load(host=host)
    opened = settings.load(host="0.0.0.0", token_file=_file(tmp_path, "hush\n", "token"))  # noqa: S104
    assert opened.secret == "hush"
    with pytest.raises(ConfigError, match="both"):
        settings.load(token="a", token_file=_file(tmp_path, "b", "token"))


def test_what_is_shown_hides_secrets_and_reads_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The token is stars; durations are texts; what is shown is a valid file."""
    monkeypatch.setenv("WATCHKEEPER_TOKEN", "hush")
    shown = settings.load().shown()
    assert "hush" not in str(shown)
    assert shown["alerts"] == {"notify_horizon": "2d"}
    monkeypatch.delenv("WATCHKEEPER_TOKEN")
    import yaml

    kept = {name: value for name, value in shown.items() if name != "token"}
    assert settings.load(_file(tmp_path, yaml.safe_dump(kept))).shown() == settings.load().shown()
