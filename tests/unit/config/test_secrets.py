"""Secrets are named, never written; they are read late and never print (T29, T30)."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest

from bridge.config.secrets import Secret, SecretText, parse_secret
from bridge.errors import ConfigError


def test_T29_a_secret_text_never_prints_itself() -> None:
    secret = SecretText("hunter2")
    shown = [
        str(secret),
        repr(secret),
        f"{secret}",
        f"{secret:>20}",
        f"{secret}",
        repr([secret]),
        repr({"p": secret}),
    ]
    assert not any("hunter2" in one for one in shown)
    assert secret.reveal() == "hunter2"


def test_T29_a_secret_text_is_not_pickled() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(SecretText("hunter2"))
    with pytest.raises(TypeError):
        copy.deepcopy(SecretText("hunter2"))


def test_secrets_are_equal_by_their_text() -> None:
    assert SecretText("a") == SecretText("a")
    assert SecretText("a") != SecretText("b")
    assert SecretText("a") != "a"


@pytest.mark.parametrize(
    "value",
    [
        "hunter2", {}, {"env": "A", "file": "/b"}, {"vault": "hunter2"}, {"env": "hunter2 "}, {"env": "9A"},
        {"credential": "../hunter2"}, {"credential": ".."}, {"env": ["hunter2"]}, ["hunter2"], None, 12,
    ],
)  # fmt: skip
def test_T29_a_wrong_secret_is_refused_without_being_quoted(value: object) -> None:
    with pytest.raises(ValueError) as caught:
        parse_secret(value)
    assert "hunter2" not in str(caught.value)


def test_an_environment_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMSC_PASSWORD", "hunter2")
    assert Secret("env", "SMSC_PASSWORD").resolve().reveal() == "hunter2"
    monkeypatch.delenv("SMSC_PASSWORD")
    with pytest.raises(ConfigError, match=r"^c.yaml:1:1 x: the environment variable SMSC_PASSWORD is not set$"):
        Secret("env", "SMSC_PASSWORD").resolve("c.yaml:1:1 x")


def test_a_file_without_its_line_end(tmp_path: Path) -> None:
    path = tmp_path / "smsc"
    path.write_bytes(b" hunter 2 \r\n")
    path.chmod(0o600)
    assert Secret("file", str(path)).resolve().reveal() == " hunter 2 "


def test_T30_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "smsc"
    path.write_text("hunter2")
    path.chmod(0o644)
    with pytest.raises(ConfigError) as caught:
        Secret("file", str(path)).resolve()
    assert str(caught.value) == f"{path}: a secret that everybody may read (mode 0644); chmod 600"


def test_T30_a_file_that_others_may_change_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "smsc"
    path.write_text("hunter2")
    path.chmod(0o602)
    with pytest.raises(ConfigError, match="everybody may change"):
        Secret("file", str(path)).resolve()


@pytest.mark.parametrize(
    ("content", "why"), [(b"", "is empty"), (b"\n", "is empty"), (b"\xff\xfe", "is not UTF-8 text")]
)
def test_a_file_without_a_secret_in_it(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "smsc"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(ConfigError, match=why):
        Secret("file", str(path)).resolve()


def test_a_file_that_is_not_there_or_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is not there"):
        Secret("file", str(tmp_path / "nothing")).resolve()
    with pytest.raises(ConfigError, match="is no file"):
        Secret("file", str(tmp_path)).resolve()


def test_a_credential_of_systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "smsc"
    path.write_text("hunter2\n")
    path.chmod(0o400)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert Secret("credential", "smsc").resolve().reveal() == "hunter2"


@pytest.mark.parametrize("given", [True, False])
def test_a_credential_that_is_not_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: bool) -> None:
    if given:
        monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    else:
        monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    with pytest.raises(ConfigError) as caught:
        Secret("credential", "smsc").resolve("config.yaml:33:15 providers.smsc.password")
    assert str(caught.value) == (
        "config.yaml:33:15 providers.smsc.password: credential smsc is not given; "
        "with systemd: LoadCredential=smsc:/etc/smsbridge/smsc"
    )
