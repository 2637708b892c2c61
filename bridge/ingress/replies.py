"""Every line the SMTP door says: ASCII, one line, under 200 characters, code and enhanced code first.

What an outsider may not learn is not said (threats T39): unknown and forbidden recipients read the same.
Addresses from outside are shortened and made printable before they stand in a reply.
"""

from __future__ import annotations

LONGEST = 198  # under 200

SENDER_OK = "250 2.1.0 Sender ok"
RECIPIENT_OK = "250 2.1.5 Recipient ok"
RETURN_NOTED = "250 2.0.0 Noted"
OK = "250 2.0.0 Ok"
BYE = "221 2.0.0 Bye"
CANNOT_VERIFY = "252 2.0.0 Cannot verify, send the mail and see"
HELP = "214 2.0.0 EHLO HELO MAIL RCPT DATA RSET NOOP VRFY STARTTLS AUTH QUIT"
GO_AHEAD = "354 Go ahead, end with a line that holds one dot"
READY_FOR_TLS = "220 2.0.0 Ready for TLS"
LOGGED_IN = "235 2.7.0 Logged in"

SENDER_SYNTAX = "553 5.1.7 Sender address is not an address"
RECIPIENT_SYNTAX = "553 5.1.3 Recipient address is not an address"
NEEDS_UTF8 = "553 5.6.7 This address needs SMTPUTF8"

LOG_IN_FIRST = "530 5.7.0 Log in first, or ask the operator to list your network"
NETWORK_NOT_LISTED = "550 5.7.1 Your network is not listed here"
STARTTLS_BEFORE_LOGIN = "538 5.7.11 STARTTLS first, then log in"
STARTTLS_FIRST = "530 5.7.0 STARTTLS first"
LOGIN_WRONG = "535 5.7.8 Login or password does not fit"
TOO_MANY_TRIES = "421 4.7.0 Too many tries, come back in 10 minutes"
LOGINS_AWAY = "454 4.7.0 Logins cannot be checked now, try again"
MECHANISM_UNKNOWN = "504 5.5.4 Use PLAIN or LOGIN"
NO_LOGINS_HERE = "503 5.5.1 This door takes no logins"
ALREADY_LOGGED_IN = "503 5.5.1 Already logged in"
LOGIN_CALLED_OFF = "501 5.7.0 Login called off"
NOT_BASE64 = "501 5.5.2 Not base64"

RETURN_ALONE = "452 4.5.3 An error mail has one recipient here, send the rest in another mail"
RETURN_TOO_SOON = "450 4.2.0 Not handed over yet, try again in a minute"
NO_ROOM = "452 4.3.1 No room now, try again later"
CANNOT_KEEP = "451 4.3.0 Cannot keep mail now, try again later"
BUSY = "421 4.3.2 Busy, try again"
GOING_DOWN = "421 4.3.2 Going down, try again in a minute"
GIVING_UP = "421 4.3.0 Cannot go on, try again later"
BARE_LINE_ENDS = "550 5.6.0 Lines must end in CR LF, nothing was kept"
BARE_COMMAND_END = "500 5.5.2 Lines must end in CR LF"

AFTER_STARTTLS = "503 5.5.1 Nothing may follow STARTTLS in the same packet"
TLS_AWAY = "454 4.7.0 TLS is not available now"
TLS_IS_ON = "503 5.5.1 TLS is on already"

HELLO_FIRST = "503 5.5.1 EHLO first"
MAIL_FIRST = "503 5.5.1 MAIL first"
RCPT_FIRST = "503 5.5.1 RCPT first"
ONE_MAIL_AT_A_TIME = "503 5.5.1 One mail at a time, RSET drops this one"
NO_ARGUMENT = "501 5.5.4 Nothing may follow this command"
MAIL_SYNTAX = "501 5.5.4 Write MAIL FROM:<address>"
RCPT_SYNTAX = "501 5.5.4 Write RCPT TO:<address>"
NOT_A_COMMAND = "500 5.5.2 Not a command"


def greeting(hostname: str) -> str:
    return f"220 {hostname} ESMTP smsbridge"


def kept(mail_id: int) -> str:
    return f"250 2.0.0 Kept as M-{mail_id}"


def announced_too_big(limit: int) -> str:
    return f"552 5.3.4 Over {limit} bytes"


def grew_too_big(limit: int) -> str:
    return f"552 5.3.4 Over {limit} bytes, nothing was kept"


def line_too_long(limit: int) -> str:
    return f"550 5.6.0 A line is longer than {limit} bytes, nothing was kept"


def command_too_long(limit: int) -> str:
    return f"500 5.5.2 A command is longer than {limit} bytes"


def recipients_taken(limit: int) -> str:
    return f"452 4.5.3 {limit} recipients taken, send the rest in another mail"


def connections_open(limit: int, peer: str) -> str:
    return f"421 4.7.0 {limit} connections from {peer} are open, try again"


def too_many_commands(limit: int) -> str:
    return f"421 4.7.0 {limit} commands, bye"


def too_quiet(seconds: float) -> str:
    return f"421 4.4.2 Nothing came for {_span(seconds)}, bye"


def too_long(seconds: float) -> str:
    return f"421 4.4.2 No mail came whole in {_span(seconds)}, bye"


def too_slow(rate: float) -> str:
    return f"421 4.4.2 Less than {rate:g} bytes a second, bye"


def parameter_unknown(name: str) -> str:
    return printable(f"555 5.5.4 Parameter {_short(name, 60)} is not supported")


def parameter_wrong(sentence: str) -> str:
    """``501 5.5.4 Size is a number``."""
    return printable(f"501 5.5.4 {sentence}")


def no_rule(address: str) -> str:
    """Nobody takes this recipient, or not from this source: the two must not be told apart (T39)."""
    return _about(address, "no rule takes this address from you")


def not_a_number(address: str) -> str:
    return _about(address, "not a telephone number, write +77011234567")


def prefix_not_allowed(address: str, prefix: str) -> str:
    """*prefix* is ``+44``."""
    return _about(address, f"SMS to {_short(prefix, 20)} is not allowed here")


def may_not_send_as(login: str, sender: str) -> str:
    """*login* is the source's way in: a login, else the peer's address."""
    return printable(f"550 5.7.1 Login {_short(login, 50)} may not send as {_short(sender, 90)}")


def network_may_not_send_as(peer: str, sender: str) -> str:
    return printable(f"550 5.7.1 {_short(peer, 50)} may not send as {_short(sender, 90)}")


def printable(line: str) -> str:
    """*line* as it may go over the wire: what is not printable ASCII becomes ``?``, cut under 200."""
    if line.isascii() and line.isprintable() and len(line) <= LONGEST:
        return line
    return "".join(char if " " <= char <= "~" else "?" for char in line)[:LONGEST]


def _about(address: str, sentence: str) -> str:
    return printable(f"550 5.1.1 <{_short(address, 110)}>: {sentence}")


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 2] + ".."


def _span(seconds: float) -> str:
    if seconds >= 60 and seconds % 60 == 0:
        minutes = int(seconds // 60)
        return f"{minutes} minute{'s' if minutes != 1 else ''}"
    return f"{seconds:g} second{'s' if seconds != 1 else ''}"
