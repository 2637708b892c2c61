"""Posts of smsc: the vectors, forgeries of every kind, replays."""

from __future__ import annotations

import hashlib
import json
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.config.secrets import SecretText
from bridge.errors import BridgeError
from bridge.providers.base import inbound_key
from bridge.providers.smsc_answers import parse_answers
from bridge.providers.smsc_callbacks import Forged, InboundSms, Malformed, Post, Reader, Status, WaitCall

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "callbacks.json").read_text())
SECRET = SecretText(VECTORS["secret"])
KINDS = {"status": Status, "inbound": InboundSms, "waitcall": WaitCall}
CASES = {case["name"]: case for case in VECTORS["cases"]}
CRC = "not found, crc32 as an unsigned decimal [cp1251]"
AMBIGUOUS = "inbound whose borders are ambiguous, one [cp1251]"  # its "to" holds a colon: no number does
ACCEPTED = [c for c in VECTORS["cases"] if c["expect"].startswith("accept") and c["name"] not in (CRC, AMBIGUOUS)]
REJECTED = [c for c in VECTORS["cases"] if c["expect"] == "reject"]


def reader(**changes: Any) -> Reader:
    settings: dict[str, Any] = {"secret": SECRET, "checksum": "md5"}
    return Reader(**settings | changes)


def read(case: dict[str, Any]) -> Post:
    checksum = "sha1" if "sha1=" in case["handler_query"] else "md5"
    return reader(checksum=checksum, charset=case["charset"]).read(case["body_form"].encode())


def digest(name: str, over: bytes) -> str:
    return hashlib.new(name, over).hexdigest()


def signed(fields: dict[str, str], template: str, codec: str = "utf-8", checksum: str = "sha1") -> bytes:
    over = template.format(**fields, secret=SECRET.reveal()).encode(codec)
    return urlencode(fields | {checksum: digest(checksum, over)}, encoding=codec).encode()


STATUS = {"id": "1234", "phone": "77010000001", "status": "1", "err": "0", "ts": "1763704805", "cost": "1.40"}
INBOUND = {"phone": "77010000001", "mes": "12 ок", "to": "77770000000", "id": "555"}
WAITCALL = {"phone": "77010000001", "waitcall": "77770000001", "ts": "1763704805"}
GOOD = {
    "status": signed(STATUS, "{id}:{phone}:{status}:{secret}"),
    "inbound": signed(INBOUND, "{phone}:{mes}:{to}:{secret}"),
    "waitcall": signed(WAITCALL, "{phone}:{ts}:{secret}"),
}
SHA1 = Reader(SECRET)


@pytest.mark.parametrize("case", ACCEPTED, ids=lambda case: case["name"])
def test_takes_every_signed_post_of_the_vectors(case: dict[str, Any]) -> None:
    post = read(case)
    assert type(post) is KINDS[case["kind"]]
    fields = case["fields"]
    if isinstance(post, Status):
        assert (post.client_id, post.phone.lstrip("+"), post.code) == (fields["id"], fields["phone"], fields["status"])
    elif isinstance(post, InboundSms):
        assert (post.phone, post.text, post.to) == (f"+{fields['phone']}", fields["mes"], fields["to"])
    else:
        assert (post.phone, post.at) == (f"+{fields['phone']}", datetime.fromtimestamp(int(fields["ts"]), UTC))


@pytest.mark.parametrize("case", REJECTED, ids=lambda case: case["name"])
def test_T24_refuses_every_forged_post_of_the_vectors(case: dict[str, Any]) -> None:
    with pytest.raises(Forged):
        read(case)


def test_T24_crc32_is_refused_even_when_it_is_right() -> None:
    case = CASES[CRC]
    for value in (case["sums"]["crc32_unsigned"], case["sums"]["crc32_hex"]):
        body = urlencode(case["fields"] | {"crc32": value}).encode()
        for checksum in ("sha1", "md5"):
            with pytest.raises(Forged):
                reader(checksum=checksum, charset="cp1251").read(body)


def test_T24_where_a_field_ends_is_never_in_doubt() -> None:
    """One sum fits two posts; only the one whose ``to`` is a number is read."""
    with pytest.raises(Malformed):
        read(CASES[AMBIGUOUS])
    post = read(CASES["inbound whose borders are ambiguous, two: same sum [cp1251]"])
    assert isinstance(post, InboundSms)
    assert (post.text, post.to) == ("ok:1", "77770000000")


def test_T24_a_status_is_not_to_be_replayed_as_an_sms() -> None:
    """``id:phone:status`` is also ``phone:mes:to``: the sum is right, the fields are not."""
    fields = dict(parse_qsl(GOOD["status"].decode()))
    body = urlencode({"phone": fields["id"], "mes": fields["phone"], "to": fields["status"], "sha1": fields["sha1"]})
    with pytest.raises(Malformed, match="to is not"):
        SHA1.read(body.encode())


def test_T24_an_sms_is_not_to_be_replayed_as_a_status() -> None:
    body = signed({"phone": "77010000001", "mes": "77010000002", "to": "77770000000"}, "{phone}:{mes}:{to}:{secret}")
    sum_ = dict(parse_qsl(body.decode()))["sha1"]
    forged = urlencode({"id": "77010000001", "phone": "77010000002", "status": "77770000000", "sha1": sum_})
    with pytest.raises(Malformed, match="status is not"):
        SHA1.read(forged.encode())


def test_T24_an_sms_is_not_to_be_replayed_as_a_confirmation_call() -> None:
    fields = dict(parse_qsl(GOOD["inbound"].decode()))
    forged = {
        "phone": fields["phone"],
        "ts": f"{fields['mes']}:{fields['to']}",
        "waitcall": "1",
        "sha1": fields["sha1"],
    }
    with pytest.raises(Malformed, match="ts is not"):
        SHA1.read(urlencode(forged).encode())


def test_T24_a_sum_of_one_kind_is_no_sum_of_another() -> None:
    fields = dict(parse_qsl(GOOD["status"].decode()))
    for extra in ({"waitcall": "1"}, {"mes": "ok", "to": "77770000000"}):
        with pytest.raises(Forged):
            SHA1.read(urlencode(fields | extra).encode())


@pytest.mark.parametrize("kind", GOOD)
def test_T24_thousands_of_forged_and_changed_posts_move_nothing(kind: str) -> None:
    """Sums guessed, bytes flipped, signed fields changed: whatever is read says what was signed."""
    chance = random.Random(24)
    good = SHA1.read(GOOD[kind])
    fields = dict(parse_qsl(GOOD[kind].decode()))
    names = {"status": ("id", "phone", "status"), "inbound": ("phone", "mes", "to"), "waitcall": ("phone", "ts")}[kind]
    read_as: set[Post] = set()
    for turn in range(5_000):
        match turn % 3:
            case 0:
                forged = fields | {chance.choice(names): str(chance.randrange(10**11))}
                body = urlencode(forged).encode()
            case 1:
                forged = fields | {"sha1": chance.randbytes(20).hex()}
                body = urlencode(forged).encode()
            case _:
                place = chance.randrange(len(GOOD[kind]))
                body = GOOD[kind][:place] + chance.randbytes(1) + GOOD[kind][place + 1 :]
        try:
            read_as.add(SHA1.read(body))
        except (Forged, Malformed):
            continue
    for post in read_as:  # only bytes of fields that nobody signs were flipped, or a byte into itself
        if isinstance(post, Status) and isinstance(good, Status):
            assert (post.client_id, post.phone, post.code) == (good.client_id, good.phone, good.code)
        elif isinstance(post, InboundSms) and isinstance(good, InboundSms):
            assert (post.phone, post.text, post.to) == (good.phone, good.text, good.to)
        else:
            assert isinstance(post, WaitCall)
            assert isinstance(good, WaitCall)
            assert (post.phone, post.at) == (good.phone, good.at)


def test_T24_five_thousand_unsigned_or_guessed_posts_are_all_refused() -> None:
    chance = random.Random(24)
    refused = 0
    for _ in range(5_000):
        fields = {"id": str(chance.randrange(1, 10**6)), "phone": "77010000001", "status": "1"}
        fields |= chance.choice(({}, {"sha1": ""}, {"sha1": chance.randbytes(20).hex()}, {"md5": "0" * 32}))
        try:
            SHA1.read(urlencode(fields).encode())
        except Forged:
            refused += 1
    assert refused == 5_000


@pytest.mark.parametrize("secret", [None, SecretText("")])
def test_T24_without_a_secret_nothing_is_believed(secret: SecretText | None) -> None:
    empty = digest("sha1", b"1234:77010000001:1:")
    with pytest.raises(Forged):
        Reader(secret).read(f"id=1234&phone=77010000001&status=1&sha1={empty}".encode())


def test_T24_only_the_checksum_that_was_agreed_counts() -> None:
    body = signed(STATUS, "{id}:{phone}:{status}:{secret}", checksum="md5")
    with pytest.raises(Forged, match="not signed with sha1"):
        SHA1.read(body)
    assert isinstance(reader().read(body), Status)


def test_T24_each_field_once() -> None:
    for doubled in (b"&status=20", b"&x=1&x=2", b"&s%74atus=20"):
        with pytest.raises(Malformed, match="twice"):
            SHA1.read(GOOD["status"] + doubled)
    with pytest.raises(Malformed, match="twice"):
        SHA1.read(b'{"id": "1", "id": "2"}')
    with pytest.raises(Malformed, match="twice"):
        SHA1.read(b"<r><id>1</id><id>2</id></r>")


def test_T24_a_post_is_64_kB_at_most_and_has_100_fields_at_most() -> None:
    with pytest.raises(Malformed, match="64 kB"):
        SHA1.read(GOOD["status"] + b"&pad=" + b"x" * 66_000)
    with pytest.raises(Malformed, match="too many"):
        SHA1.read(b"&".join(b"f%d=1" % n for n in range(200)))


def test_T24_money_in_a_post_is_not_even_read() -> None:
    assert not {"cost", "balance"} & set(Status.__dataclass_fields__)


def test_the_sum_may_be_written_in_capitals() -> None:
    fields = dict(parse_qsl(GOOD["status"].decode()))
    assert isinstance(SHA1.read(urlencode(fields | {"sha1": fields["sha1"].upper()}).encode()), Status)


def test_says_which_kind_did_not_fit() -> None:
    with pytest.raises(Forged, match="waitcall: the sum is wrong"):
        SHA1.read(GOOD["status"] + b"&waitcall=1")
    with pytest.raises(Forged, match="status: a signed field is missing"):
        SHA1.read(b"id=1&status=1&sha1=00")


def test_templates_may_be_changed() -> None:
    other = Reader(SECRET, templates={"status": "{phone}/{id}/{status}/{secret}"})
    assert isinstance(other.read(signed(STATUS, "{phone}/{id}/{status}/{secret}")), Status)
    with pytest.raises(Forged):
        other.read(GOOD["status"])


@pytest.mark.parametrize("body", VECTORS["fmt_bodies"], ids=lambda one: one["name"])
def test_reads_json_and_xml_bodies(body: dict[str, str]) -> None:
    post = reader().read(body["body"].encode())
    assert isinstance(post, Status)
    assert (post.client_id, post.phone, post.state) == ("1234", "+77010000001", "DELIVERED")


def sum_of(fields: str) -> str:
    return digest("md5", f"{fields}:{SECRET.reveal()}".encode())


@pytest.mark.parametrize(
    "more",
    [
        '"cost": 1.40, "cnt": 1, "flag": true, "err": null',
        '"err": {"code": 6, "code": 7}, "phones": [1, [2]]',
        '"cost": 1e99999999999999999999, "ts": 1763704805.0, "x": "\\u0000"',
    ],
)
def test_json_may_hold_what_is_no_text_beside_what_is_signed(more: str) -> None:
    body = f'{{"id": 1234, "phone": 77010000001, "status": 1, {more}, "md5": "{sum_of("1234:77010000001:1")}"}}'
    for bom in (b"", b"\xef\xbb\xbf"):
        post = reader().read(bom + body.encode())
        assert isinstance(post, Status)
        assert (post.client_id, post.phone, post.state, post.error) == ("1234", "+77010000001", "DELIVERED", "")


@pytest.mark.parametrize("status", ["null", "true", "[1]", '{"status": 1}'])
def test_T24_what_is_signed_is_text(status: str) -> None:
    body = f'{{"id": 1234, "phone": 77010000001, "status": {status}, "md5": "{sum_of("1234:77010000001:1")}"}}'
    with pytest.raises(Forged, match="a signed field is missing"):
        reader().read(body.encode())


def test_T24_a_field_that_is_no_text_still_stands_there_once() -> None:
    total = sum_of("1234:77010000001:1")
    with pytest.raises(Malformed, match="twice"):
        reader().read(f'{{"status": null, "id": 1234, "phone": 77010000001, "status": 1, "md5": "{total}"}}'.encode())
    with pytest.raises(Malformed, match="twice"):
        reader().read(
            f"<r><id>1234</id><phone>77010000001</phone><status><x>20</x></status><status>1</status>"
            f"<md5>{total}</md5></r>".encode()
        )


def test_a_nested_element_that_nobody_signs_is_no_harm() -> None:
    fields = "<id>1234</id><phone>77010000001</phone><status>1</status><err><code>6</code></err>"
    post = reader().read(f"<r>{fields}<md5>{sum_of('1234:77010000001:1')}</md5></r>".encode())
    assert isinstance(post, Status)
    assert post.error == ""


def test_the_sum_of_an_xml_body_runs_over_the_bytes_of_its_charset() -> None:
    over = f"77010000001:принял:77770000000:{SECRET.reveal()}".encode("cp1251")
    fields = f"<phone>77010000001</phone><mes>принял</mes><to>77770000000</to><md5>{digest('md5', over)}</md5>"
    body = f'<?xml version="1.0" encoding="windows-1251"?><r>{fields}</r>'.encode("cp1251")
    post = reader(charset="cp1251").read(body)
    assert isinstance(post, InboundSms)
    assert post.text == "принял"


@pytest.mark.parametrize(
    "body",
    [
        '<!DOCTYPE r [<!ENTITY a "b">]><r><id>&a;</id></r>',
        '<!DOCTYPE r SYSTEM "file:///etc/passwd"><r><id>1</id></r>',
        '<?xml version="1.0"?><!ENTITY a "b"><r/>',
        "<r><id><x>1</x></id></r>",
        "<r>",
        "<r/>",
        "<",
        "{}",
        "{",
        '{"id": {"a": 1}}',
        '{"id": [1]}',
        '{"id": true}',
        '{"id": null}',
        '{"a":' * 10_000,
        "",
        "&&&",
    ],
    ids=lambda body: body[:50],
)
def test_T27_what_is_not_flat_or_declares_something_is_not_read(body: str) -> None:
    with pytest.raises(Malformed):
        SHA1.read(body.encode())


def test_T27_a_declaration_in_another_encoding_is_not_read_either() -> None:
    with pytest.raises((Forged, Malformed)):
        SHA1.read('<!DOCTYPE r [<!ENTITY a "b">]><r><id>&a;</id></r>'.encode("utf-16"))


@given(st.binary(max_size=300))
def test_T24_any_bytes_are_refused_in_a_declared_way(body: bytes) -> None:
    with pytest.raises((Forged, Malformed)) as caught:
        SHA1.read(body)
    assert isinstance(caught.value, BridgeError)


# What is read


def test_a_status_says_what_the_network_said() -> None:
    post = SHA1.read(GOOD["status"])
    assert post == Status(
        client_id="1234",
        phone="+77010000001",
        state="DELIVERED",
        code="1",
        error="0",
        at=datetime.fromtimestamp(1763704805, UTC),
        read=False,
        event_key="st:1234:77010000001:1",
    )


@pytest.mark.parametrize(("text", "call"), [("[CALL]", True), ("[waitcall]", True), ("call me", False)])
def test_a_ring_is_told_from_an_sms(text: str, call: bool) -> None:
    post = SHA1.read(signed(INBOUND | {"mes": text}, "{phone}:{mes}:{to}:{secret}"))
    assert isinstance(post, InboundSms)
    assert post.call is call


def test_a_sender_that_is_no_number_stays_as_it_is() -> None:
    post = SHA1.read(signed(INBOUND | {"phone": "Kcell"}, "{phone}:{mes}:{to}:{secret}"))
    assert isinstance(post, InboundSms)
    assert post.phone == "Kcell"


@pytest.mark.parametrize("kind", GOOD)
def test_T25_a_post_that_comes_a_hundred_times_is_one_event(kind: str) -> None:
    assert len({SHA1.read(GOOD[kind]).event_key for _ in range(100)}) == 1


def test_T25_what_is_not_signed_makes_no_new_status() -> None:
    changed = GOOD["status"].replace(b"err=0", b"err=6").replace(b"ts=1763704805", b"ts=1763709999")
    assert changed != GOOD["status"]
    assert SHA1.read(changed).event_key == SHA1.read(GOOD["status"]).event_key


def test_T25_the_next_state_of_a_message_is_another_event() -> None:
    later = signed(STATUS | {"status": "2"}, "{id}:{phone}:{status}:{secret}")
    assert SHA1.read(later).event_key != SHA1.read(GOOD["status"]).event_key


def test_T25_an_sms_without_an_id_is_known_by_what_was_said_when() -> None:
    def key(**changes: str) -> str:
        fields = {name: value for name, value in (INBOUND | changes).items() if name != "id"}
        return SHA1.read(signed(fields, "{phone}:{mes}:{to}:{secret}")).event_key

    assert key() == key()
    assert len({key(), key(mes="13 ок"), key(phone="77010000002"), key(to="77770000001"), key(time="10:00")}) == 5


def test_T25_a_poll_and_a_post_with_one_id_are_one_event() -> None:
    row = {"id": 555, "phone": "77010000001", "message": "12 ок", "to_phone": "77770000000"}
    (inbound,) = parse_answers(json.dumps([row]).encode())
    key = inbound_key(inbound.id, inbound.phone, inbound.to, inbound.text, "")
    assert key == SHA1.read(GOOD["inbound"]).event_key
