"""What the control API can set: accounts, switches, handlers. Strict: an unknown key is an error.

All models are frozen; a change replaces the object, so that nobody holds half of an old setting.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

MASK = "***"
"""What a secret looks like wherever the simulator shows one."""


class Setting(BaseModel):
    """Strict and frozen; numbers may stand as text."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Account(Setting):
    """One login at the provider.

    *prices* are per segment by the longest matching prefix of the number (digits, no plus), with
    ``default``; *channel_prices* replace them for ``hlr``, ``ping``, ``call`` … *groups* are the members
    of ``G<number>``. An empty *senders* or *allowed_addresses* allows every one. *smpp_password*, where
    there is one, is wanted over SMPP instead of *password*. *hours_from_moscow* is its zone at smsc, whose
    ``tz`` counts from there.
    """

    login: str
    password: str = Field(repr=False)
    apikey: str = Field(default="", repr=False)
    smpp_password: str = Field(default="", repr=False)
    number: str = "77770000000"
    balance: Decimal = Decimal("1000.00")
    credit: Decimal = Decimal(0)
    currency: str = "KZT"
    prices: dict[str, Decimal] = {"default": Decimal("18.00")}
    channel_prices: dict[str, Decimal] = {"hlr": Decimal("0.30"), "ping": Decimal("1.00")}
    senders: tuple[str, ...] = ()
    forbidden_words: tuple[str, ...] = ()
    unreachable: tuple[str, ...] = ()
    groups: dict[str, tuple[str, ...]] = {}
    allowed_addresses: tuple[str, ...] = ()
    black_list: tuple[str, ...] = ()
    hours_from_moscow: int = 0
    test_mode: bool = False


class Limits(Setting):
    """The provider's own limits (smsc-http.md §6); a request at or over one is answered with error 9 or 4."""

    identical_seconds: float = 60
    prices_a_minute: int = 5
    connections: int = 15
    status_a_minute: int = 5
    status_lists_a_minute: int = 1
    status_connections: int = 5
    balance_a_minute: int = 10
    answers_a_minute: int = 3
    wait_calls_a_minute: int = 50
    flood_messages: int = 50
    flood_gap_seconds: float = 30
    bad_requests_a_minute: int = 10
    block_seconds: float = 300
    characters: int = 1000


class SmsgateSwitches(Setting):
    """What the page of the cascade leaves open (smsgate-cascade.md §10).

    *minute* is how many seconds a minute of Viber's validity lasts. *forced* says, by phone, what stands as the state
    of the whole: ``partly_deliver``, or any text. *unsubscribed* are phones that want no Viber from us.
    *hours_from_utc* is the zone of its dates, which the page does not name.
    """

    token_everywhere: bool = True
    identical_get: bool = True
    identical_post: bool = False
    repeated: Literal["same id", "error", "no id"] = "same id"
    single_as_object: bool = False
    refusal_in_list: bool = False
    id_whatsapp: bool = True
    echo_client_id: bool = True
    ids_as_numbers: bool = False
    later_ids: bool = False
    minute: float = 60
    finale_viber_read: bool = True
    forced: dict[str, str] = {}
    unsubscribed: tuple[str, ...] = ()
    unknown_id: str = "Сообщение с таким ID не принималось"
    error_prefix: bool = True
    error_status: Literal[200, 400] = 200
    macros: bool = False
    queue_unpaid: bool = True
    pushed_id: Literal["id_sms", "id_message"] = "id_sms"
    push_cascade: bool = True
    answered_id: Literal["id_message", "own"] = "id_message"
    hours_from_utc: int = 0


class SmppSwitches(Setting):
    """What the SMPP page leaves open (smsc-smpp.md §7), and that provider's own limits. Times in seconds.

    *a_second* is submits, 0 for no limit. *binds* is connections of one login. *again_seconds* after a delivery that
    was not acknowledged it comes again. *intermediate*: "handed to the operator" is reported too. *coding_3* is what
    the standard's Latin-1 is read as. *iso_system_type*: after a bind with system_type ``ISO`` coding 0 is Latin-1.
    *groups*: a destination may be a group or a list. *sar_and_payload*: False knows parts by their header only.
    *idle_unbind*: to who said nothing for *idle_seconds* goodbye is said, instead of hanging up on him.
    """

    idle_seconds: float = 120
    idle_unbind: bool = False
    binds: int = 5
    window: int = 300
    a_second: int = 0
    part_seconds: float = 60
    again_seconds: float = 1
    duplicate_status: int = 0x45
    money_status: int = 0x45
    hexadecimal_ids: bool = False
    receipts: Literal["both", "tlvs", "text"] = "both"
    intermediate: bool = False
    inbound: Literal["udh", "udh16", "sar", "payload", "latin-1", "off"] = "udh"
    coding_3: Literal["gsm", "latin-1"] = "gsm"
    iso_system_type: bool = True
    strict_lengths: bool = False
    sar_and_payload: bool = True
    groups: bool = False


class Switches(Setting):
    """The questions the manuals leave open, and the pace of the pretend network (seconds)."""

    operator_delay: float = 0.05
    delivery_delay: float = 0.3
    identical: Literal["phones+mes+sender", "everything"] = "phones+mes+sender"
    hosts_share_memory: bool = True
    trim_before_commands: bool = True
    commands: Literal["all", "documented"] = "all"
    nl_escapes: bool = True
    dates: Literal["moscow", "account"] = "moscow"
    repair_numbers: bool = True
    string_ids: bool = True
    md5_passwords: bool = True
    charge_failures: bool = True
    json_numbers_as_text: bool = False
    json_money_as_numbers: bool = False
    error_status: Literal[200, 400] = 200
    filed_after: float = 0
    delivered_first: bool = False
    status_tail: bool = False
    status_place: Literal["after cost", "after phone", "after err"] = "after cost"
    history_all: Literal[1, 2] = 2
    empty_history: Literal["list", "error"] = "list"
    answers_period: Literal["day", "24 hours", "all"] = "day"
    inbound_ids: Literal["growing", "swapped"] = "growing"
    info_brief: bool = False
    status_parts: bool = False
    echo_parameters: bool = True
    echo_charset: bool = False
    omit_err: bool = False
    extra_fields: dict[str, str] = {}
    sum_in_documents: bool = True
    inbound_id: bool = True
    inbound_delay: float = 0
    inbound_template: str = "{phone}:{mes}:{to}:{secret}"
    waitcall_template: str = "{phone}:{ts}:{secret}"
    waitcall_with_mes: bool = False
    crc32_form: Literal["unsigned", "signed", "hex"] = "unsigned"
    callback_retries: tuple[float, ...] = ()
    accepted_answers: tuple[int, ...] = (200,)
    hlr: dict[str, str] = {
        "imsi": "250023012345678",
        "msc": "79232510066",
        "mcc": "250",
        "mnc": "02",
        "cn": "Russian Federation",
        "net": "MegaFON",
        "rcn": "",
        "rnet": "",
    }
    wait_call_numbers: tuple[str, ...] = ("77770000001", "77770000002")
    wait_call_separator: str = ","
    mail_decodes: bool = True
    mail_trims: bool = True
    mail_lists: bool = True
    mail_duplicates: bool = True
    mail_html: bool = True
    mail_lines: bool = True
    mail_test_sends: bool = False
    mail_errors: Literal["drop", "refuse", "mail"] = "drop"
    limits: Limits = Limits()
    smsgate: SmsgateSwitches = SmsgateSwitches()
    smpp: SmppSwitches = SmppSwitches()


class Handler(Setting):
    """Where the provider posts to; *url* carries charset, fmt, secret and own parameters in its query.

    *gateway* is whose posts they are: each family has a form of its own.
    """

    url: str
    gateway: Literal["smsc", "smsgate"] = "smsc"
    statuses: bool = True
    inbound: bool = True
