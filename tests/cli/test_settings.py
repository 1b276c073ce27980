"""Settings: where they come from, what is refused, what is shown."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from core import moment
from core.error import ConfigError
from core.principal import Principal, Role
from tests.house.tree import ROOT
from watchkeeper.settings import settings


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


def test_a_file_says_what_is_written(tmp_path: Path) -> None:
    """By YAML 1.2, as definitions do: `NO` is a text, 010 is ten, and 12:30 no number of seconds."""
    found = settings.load(_file(tmp_path, "token: NO\nport: 010"))
    assert (found.secret, found.port) == ("NO", 10)
    with pytest.raises(ConfigError, match="session: '12:30' is not a duration"):
        settings.load(_file(tmp_path, "session: 12:30"))


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


def test_a_server_starts_beside_the_variables_of_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that CONTRIBUTING names are no unknown settings."""
    for name in re.findall(r"WATCHKEEPER_[A-Z_]+", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")):
        monkeypatch.setenv(name, "1")
    settings.load()


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


def test_tokens_have_a_name_and_a_role(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens come from a file of settings or the environment, each written there or in a file of its own; the setting `token` may do everything, and no token is shown."""
    other = _file(tmp_path, "in-a-file\n", "token")
    text = (
        f"token: may-do-all\ntokens:\n- {{name: ada, role: editor, token: of-ada}}\n- {{name: scorer, role: sender, token_file: {other}}}"
    )
    found = settings.load(_file(tmp_path, text), host="0.0.0.0")  # noqa: S104
    assert found.keys == (
        ("may-do-all", Principal("token", Role.ADMIN)),
        ("of-ada", Principal("ada", Role.EDITOR)),
        ("in-a-file", Principal("scorer", Role.SENDER)),
    )
    assert not [token for token, _ in found.keys if token in str(found.shown())]
    monkeypatch.setenv("WATCHKEEPER_TOKENS", '[{"name": "b", "role": "viewer", "token": "t"}]')
    assert settings.load().keys == (("t", Principal("b", Role.VIEWER)),)
    assert settings.load(host="0.0.0.0").secret == "t"  # noqa: S104


@pytest.mark.parametrize(
    ("tokens", "fault"),
    [
        ("[{name: a, role: viewer, token: x}, {name: a, role: admin, token: y}]", "the name `a` is given twice"),
        ("[{name: a, role: viewer, token: x}, {name: b, role: admin, token: x}]", "two of them are the same"),
        ("[{name: a, role: owner, token: x}]", "tokens.0.role: Input should be 'viewer', 'sender', 'operator', 'editor' or 'admin'"),
        ("[{name: a, role: viewer, token: ''}]", "tokens.0: the token is empty"),
        ("[{name: a, role: viewer}]", "tokens.0: there is no token; set token or token_file"),
        ("[{name: a, role: viewer, token: x, token_file: y}]", "both set"),
        ("[{name: a, role: viewer, token_file: /nowhere}]", "token_file /nowhere is not a file"),
        ("[{name: local, role: viewer, token: x}]", "`local` is taken"),
        ("[{name: a, role: viewer, token: x, until: 1d}]", "tokens.0.until: unknown setting"),
    ],
)
def test_a_token_that_says_too_little_or_too_much_is_refused(tmp_path: Path, tokens: str, fault: str) -> None:
    """The message says where it is and what to do."""
    with pytest.raises(ConfigError) as caught:
        settings.load(_file(tmp_path, f"tokens: {tokens}"))
    assert fault in caught.value.message


def test_what_is_shown_hides_secrets_and_reads_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The token is stars; durations are texts; what is shown is a valid file."""
    monkeypatch.setenv("WATCHKEEPER_TOKEN", "hush")
    shown = settings.load().shown()
    assert "hush" not in str(shown)
    assert shown["alerts"] == {"notify_horizon": "2d", "allow": [], "secrets": ["/run/secrets"]}
    monkeypatch.delenv("WATCHKEEPER_TOKEN")
    import yaml

    kept = {name: value for name, value in shown.items() if name != "token"}
    assert settings.load(_file(tmp_path, yaml.safe_dump(kept))).shown() == settings.load().shown()


def test_processes_share_their_stores() -> None:
    """Brokers without the two servers of the stores are refused, and one error says what to set."""
    with pytest.raises(ConfigError) as caught:
        settings.load(kafka={"bootstrap": "127.0.0.1:9092"})
    for name in ("set clickhouse.url to such as http://", "set control.url to such as postgresql://"):
        assert name in caught.value.message


def test_the_sections_of_the_servers_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nested names, and options as JSON."""
    for name, value in {
        "KAFKA__BOOTSTRAP": "127.0.0.1:9092",
        "KAFKA__SESSION": "10s",
        "KAFKA__OPTIONS": '{"socket.keepalive.enable": true}',
        "CLICKHOUSE__URL": "http://127.0.0.1:8123",
        "CONTROL__URL": "postgresql://w@127.0.0.1/w",
    }.items():
        monkeypatch.setenv(f"WATCHKEEPER_{name}", value)
    found = settings.load()
    assert (found.kafka.bootstrap, found.kafka.session) == ("127.0.0.1:9092", 10 * moment.SECOND)
    assert found.kafka.options == {"socket.keepalive.enable": True}
    assert found.control.url == "postgresql://w@127.0.0.1/w"


@pytest.mark.parametrize(
    ("section", "value"),
    [
        ("clickhouse", {"url": "127.0.0.1:8123"}),
        ("clickhouse", {"url": "http://host:many"}),
        ("clickhouse", {"database": "a-b; DROP"}),
        ("control", {"url": "mysql://h/d"}),
        ("control", {"password": "a", "password_file": __file__}),
        ("control", {"password_file": "/none"}),
        ("kafka", {"prefix": "a/b"}),
        ("kafka", {"partitions": 0}),
        ("ingest", {"dead_letters": {"share": 2}}),
    ],
)
def test_a_wrong_value_is_named_by_its_section(section: str, value: Any) -> None:
    """Addresses, names, secrets and numbers are checked before anything is opened."""
    with pytest.raises(ConfigError, match=section):
        settings.load(**{section: value})


def test_no_secret_of_a_server_is_shown() -> None:
    """Passwords are hidden, also the one in an address, and librdkafka's options that hold one."""
    found = settings.load(
        kafka={"options": {"sasl.password": "hush", "sasl.username": "ann"}},
        clickhouse={"password": "hush"},
        control={"url": "postgresql://w:hush@127.0.0.1:5432/w"},
    )
    assert (found.clickhouse.secret, found.control.url) == ("hush", "postgresql://w:hush@127.0.0.1:5432/w")
    shown = found.shown()
    assert "hush" not in str(shown)
    assert shown["kafka"]["options"]["sasl.username"] == "ann"
    assert shown["control"]["url"] == "postgresql://w:**********@127.0.0.1:5432/w"


def test_what_is_usual_for_a_process_is_the_weakest(tmp_path: Path) -> None:
    """The default port of a process type is overridden by every other source."""
    assert settings.load(usual={"port": 8651}).port == 8651
    assert settings.load(_file(tmp_path, "port: 7"), usual={"port": 8651}).port == 7


def test_options_of_librdkafka_are_the_words_that_were_written(tmp_path: Path) -> None:
    """It takes texts: a password of digits keeps its zeros."""
    path = tmp_path / "watchkeeper.yaml"
    path.write_text(
        "kafka: {options: {sasl.password: 0123, client.id: 1.10, enable.idempotence: True, retries: 5, socket.keepalive.enable: true}}"
    )
    assert settings.load(path).kafka.options == {
        "sasl.password": "0123",
        "client.id": "1.10",
        "enable.idempotence": "True",
        "retries": "5",
        "socket.keepalive.enable": True,
    }
    path.write_text("token: 0123")
    with pytest.raises(ConfigError, match="token: Input should be a valid string"):
        settings.load(path)
