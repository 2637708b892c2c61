from __future__ import annotations

from pathlib import Path

import pytest

from bridge.errors import ConfigError
from bridge.ingress.tls import server_context, subject_of


def test_a_subject_is_written_with_its_most_specific_part_first() -> None:
    names = (
        (("countryName", "KZ"),),
        (("organizationName", "Bank, Ltd"),),
        (("commonName", "monitoring-1.bank.example"),),
    )
    assert subject_of({"subject": names}) == "CN=monitoring-1.bank.example,O=Bank\\, Ltd,C=KZ"
    assert subject_of({"subject": ((("commonName", "x,O=Bank"),),)}) == "CN=x\\,O=Bank"
    assert subject_of(None) == ""


def test_files_that_do_not_fit_are_named(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"nothing\.pem and .*nothing\.key are no certificate with its key: No such file"
    ):
        server_context(f"{tmp_path}/nothing.pem", f"{tmp_path}/nothing.key", None)
