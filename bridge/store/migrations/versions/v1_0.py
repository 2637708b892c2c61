"""1.0: the first schema. A copy, on purpose: what was made then stays what it was."""

from __future__ import annotations

from typing import Any

from alembic import op
from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
    text,
)

revision = "1.0"
down_revision = None
branch_labels = None
depends_on = None

Big = BigInteger().with_variant(Integer(), "sqlite")


def _text(name: str, default: str = "") -> Column[str]:
    return Column(name, Text, nullable=False, server_default=default)


def _number(name: str, default: int = 0) -> Column[int]:
    return Column(name, Big, nullable=False, server_default=text(str(default)))


def _where(condition: str) -> dict[str, Any]:
    """Condition of a partial index, for both dialects."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


def _lease() -> tuple[Column[str], Column[int], Column[int]]:
    return _text("lease_owner"), _number("lease_until"), _number("fence")


def upgrade() -> None:
    """Every table of 1.0."""
    op.create_table("meta", Column("name", Text, primary_key=True), _text("value"))
    op.create_table("counters", Column("name", Text, primary_key=True), _number("next", 1))
    op.create_table(
        "users",
        Column("login", Text, primary_key=True),
        _text("hash"),
        _text("roles", "[]"),
        _number("created_at"),
        _number("updated_at"),
        Column("locked_until", Big),
    )
    op.create_table(
        "mails",
        Column("id", Big, primary_key=True, autoincrement=True),
        _number("received_at"),
        _text("state", "RECEIVED"),
        _text("door"),
        _text("source"),
        _text("mail_from"),
        _text("recipients", "[]"),
        _text("subject"),
        _text("message_id"),
        _text("digest"),
        _text("fates", "[]"),
        _number("size"),
        _number("attempts"),
        _number("due_at"),
        *_lease(),
        Index("mails_waiting", "due_at", **_where("state = 'RECEIVED'")),
        Index("mails_digest", "digest", **_where("digest <> ''")),
        Index("mails_received", "received_at"),
        Index("mails_message_id", "message_id", **_where("message_id <> ''")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "mail_bodies",
        Column("mail_id", Big, primary_key=True, autoincrement=False),
        _text("envelope"),
        Column("content", LargeBinary, nullable=False),
    )
    op.create_table(
        "events",
        _number("mail_id"),
        _number("n"),
        _number("incident_id"),
        _text("event"),
        _text("trace", "[]"),
        PrimaryKeyConstraint("mail_id", "n"),
        Index("events_incident", "incident_id", **_where("incident_id <> 0")),
    )
    op.create_table(
        "incidents",
        Column("id", Big, primary_key=True, autoincrement=False),
        _text("source"),
        _text("key"),
        _text("producer_key"),
        _text("state", "open"),
        _number("episode", 1),
        _text("producer"),
        _text("host"),
        _text("service"),
        _text("severity"),
        _text("title"),
        _text("detail"),
        _text("labels", "{}"),
        _text("problem_id"),
        _number("count", 1),
        _number("opened_at"),
        _number("last_at"),
        Column("sent_at", Big),
        _text("rule"),
        _text("code"),
        _text("origin"),
        _text("thread", "{}"),
        _text("acked_by"),
        Column("acked_at", Big),
        Column("resolved_at", Big),
        _text("groups", "{}"),
        _text("marks", "{}"),
        _text("recipients", "[]"),
        _number("hides"),  # 1: it hides others while it is live
        Index("incidents_hiding", "id", **_where("hides = 1 AND state IN ('open', 'acked')")),
        Index("incidents_open_key", "source", "key", unique=True, **_where("state IN ('open', 'acked')")),
        Index("incidents_producer_key", "source", "producer_key", **_where("state IN ('open', 'acked')")),
        Index("incidents_key", "source", "key", "id"),
        Index("incidents_last", "last_at"),
    )
    op.create_table(
        "notifications",
        _number("incident_id"),
        _number("episode"),
        _text("step"),
        _text("phone"),
        _text("person"),
        _number("message_id"),
        PrimaryKeyConstraint("incident_id", "episode", "step", "phone"),  # promise 2: nobody is paged twice
    )
    op.create_table(
        "messages",
        Column("id", Big, primary_key=True, autoincrement=False),
        _text("phone"),
        _text("person"),
        _text("text"),
        _text("encoding"),
        _number("segments"),
        Column("price", Text),
        _text("currency"),
        _text("rule"),
        _text("class"),
        _number("urgency"),
        _text("channel", "sms"),
        _text("providers", "[]"),
        _text("originator"),
        _number("answerable"),
        _number("created_at"),
        _number("due_at"),
        _number("valid_until"),
        _text("language"),
        _number("incident_id"),
        _number("episode"),
        _number("mail_id"),
        _text("state", "READY"),
        _text("reason"),
        _number("copy"),
        _text("about", "[]"),  # the incidents of an SMS about several
        _text("call"),  # the place for a number to ring, "" = none
        _text("ways"),  # what ways other than SMS show, "" = nothing of their own
        _number("way"),
        _number("text_hash"),
        _number("attempt"),
        _text("provider"),
        _text("provider_id"),
        Column("cost", Text),
        Column("ended_at", Big),
        *_lease(),
        Index("messages_ready", "urgency", text("id DESC"), **_where("state = 'READY'")),
        Index("messages_held", "valid_until", **_where("state = 'HELD'")),
        Index(
            "messages_watched",
            "due_at",
            **_where("state IN ('INFLIGHT', 'UNKNOWN', 'ACCEPTED', 'ACCEPTED_NO_ID', 'HANDED_OVER')"),
        ),
        Index("messages_phone", "phone", "text_hash", "id"),
        Index("messages_incident", "incident_id", **_where("incident_id <> 0")),
        Index("messages_mail", "mail_id", **_where("mail_id <> 0")),
    )
    op.create_table(
        "submissions",
        _number("message_id"),
        _number("attempt"),
        _text("provider"),
        _text("account"),
        _text("client_id"),
        _text("request", "{}"),  # canonical, without credentials
        _text("revision"),
        _text("state", "INFLIGHT"),
        _text("provider_id"),
        _text("code"),
        _text("error"),
        _text("evidence", "[]"),
        _number("started_at"),
        Column("finished_at", Big),
        PrimaryKeyConstraint("message_id", "attempt"),
        Index("submissions_client", "account", "client_id"),
        Index("submissions_started", "account", "started_at"),
        Index("submissions_open", "account", "provider", **_where("state = 'INFLIGHT'")),
    )
    op.create_table(
        "receipts",
        Column("event_key", Text, primary_key=True),
        _number("message_id"),  # 0: orphan, parked until its message is known
        _text("provider"),
        _text("account"),
        _text("client_id"),
        _text("phone"),
        _text("state"),
        _text("code"),
        _text("error"),
        Column("at", Big),
        _number("received_at"),
        Index("receipts_orphans", "account", "client_id", **_where("message_id = 0")),
    )
    op.create_table(
        "replies",
        Column("id", Big, primary_key=True, autoincrement=True),
        Column("event_key", Text, nullable=False),
        _text("kind", "sms"),
        _text("provider"),
        _text("phone"),
        _text("to"),
        _text("text"),
        _number("received_at"),
        _text("state", "RECEIVED"),
        _text("read_as"),
        _number("incident_id"),
        _number("answers"),  # message it answers, 0 unknown
        _number("proven", 1),
        UniqueConstraint("event_key"),
        Index("replies_waiting", "id", **_where("state = 'RECEIVED'")),
        Index("replies_phone", "phone", "id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "conversations",
        _text("phone"),
        _text("code"),
        _text("incidents", "[]"),
        _number("expires_at"),
        _number("free_at"),
        _text("together"),
        _text("over", "[]"),
        PrimaryKeyConstraint("phone", "code"),
    )
    op.create_table(
        "timers",
        Column("id", Big, primary_key=True, autoincrement=True),
        _number("due_at"),
        _text("kind"),
        _number("incident_id"),
        _text("data", "{}"),
        _text("name"),
        Index("timers_due", "due_at"),
        Index("timers_incident", "incident_id", "kind"),
        Index("timers_name", "name", unique=True, **_where("name <> ''")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "held",
        _text("bundle"),
        _text("member"),
        _number("incident_id"),
        _number("episode"),
        _text("rule"),
        _text("event"),
        _number("since"),
        _number("count", 1),
        _text("step"),
        _number("mail_id"),
        _text("subject"),
        _text("sender"),
        _text("text"),
        _text("groups", "{}"),
        _text("recipients", "[]"),
        _text("channel"),
        _text("message_class"),
        _text("text_of"),
        PrimaryKeyConstraint("bundle", "member"),
        Index("held_incident", "incident_id", **_where("incident_id <> 0")),
    )
    op.create_table(
        "tallies",
        Column("id", Big, primary_key=True, autoincrement=True),
        _text("name"),
        _number("at"),
        _number("until"),
        Index("tallies_name", "name", "at"),
        Index("tallies_until", "until"),
    )
    op.create_table(
        "spends",
        _text("budget"),
        _number("at"),
        _number("message_id"),
        _number("segments"),
        _number("money"),  # in ten-thousandths of the configured currency
        _number("critical"),
        PrimaryKeyConstraint("budget", "at", "message_id"),
        Index("spends_message", "message_id"),
    )
    op.create_table(
        "silences",
        Column("id", Big, primary_key=True, autoincrement=False),
        _text("matchers", "{}"),
        _text("by"),
        _number("begin"),
        _number("end"),
        _text("note"),
        Index("silences_end", "end"),
    )
    op.create_table(
        "overrides",
        Column("id", Big, primary_key=True, autoincrement=True),
        _text("rota"),
        _text("person"),
        _number("begin"),
        _number("end"),
        Index("overrides_end", "end"),
    )
    op.create_table(
        "unsubscribed",
        _text("phone"),
        _text("account"),
        _text("way"),
        _number("since"),
        PrimaryKeyConstraint("phone", "account", "way"),
    )
    op.create_table(
        "stops",
        Column("phone", Text, primary_key=True),
        _text("person"),
        _number("since"),
    )
    op.create_table(
        "outgoing_mails",
        Column("id", Big, primary_key=True, autoincrement=False),
        _text("kind"),
        _text("envelope_from"),
        _text("to", "[]"),
        _text("message_id"),
        _text("subject"),
        Column("content", LargeBinary, nullable=False),
        _number("created_at"),
        _number("due_at"),
        _text("state", "READY"),
        _text("reason"),
        _number("attempts"),
        _number("incident_id"),
        _number("mail_id"),
        *_lease(),
        Index("outgoing_mails_ready", "due_at", **_where("state = 'READY'")),
        Index("outgoing_mails_message_id", "message_id"),
        Index("outgoing_mails_incident", "incident_id"),
    )
    op.create_table(
        "journal",
        Column("seq", Big, primary_key=True, autoincrement=True),
        _number("at"),
        _text("kind"),
        _number("mail_id"),
        _number("incident_id"),
        _number("message_id"),
        _text("data", "{}"),
        Index("journal_mail", "mail_id", **_where("mail_id <> 0")),
        Index("journal_incident", "incident_id", **_where("incident_id <> 0")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "notices",
        Column("cause", Text, primary_key=True),
        _number("told_at"),
        _number("count"),
        _text("lines", "[]"),
    )
    op.create_table(
        "accounts",
        Column("account", Text, primary_key=True),
        _text("state", "well"),  # well, or why it is paused: money, password, blocked
        _text("reason"),
        _number("since"),
        _number("until"),
        Column("balance", Text),
        _text("currency"),
        _number("asked_at"),
        _text("last_inbound_id"),
    )
