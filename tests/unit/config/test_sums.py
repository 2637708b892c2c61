"""What a provider's sum may be said to run over."""

from __future__ import annotations

import pytest

from bridge.config.addresses import parse_sum


def test_takes_fields_in_braces_with_ascii_between_them() -> None:
    assert parse_sum("{phone}/{mes}:{secret}", "phone", "mes", "secret") == "{phone}/{mes}:{secret}"


@pytest.mark.parametrize(
    "text,sentence",
    [
        ("{phone}:{to}", "{mes} and {secret} must be in it, or anybody could change that"),
        ("{phone}:{mes}:{secret", "fields in braces"),
        ("{phone}:{mes}:{{secret}}", "fields in braces"),
        ("{phone}:{mes}:{Secret}", "fields in braces"),
        ("{phone}€{mes}{secret}", "fields in braces"),
        ("{phone}\n{mes}{secret}", "fields in braces"),
    ],
)
def test_T24_what_would_leave_a_field_unsigned_or_in_doubt_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(ValueError) as error:
        parse_sum(text, "phone", "mes", "secret")
    assert sentence in str(error.value)
