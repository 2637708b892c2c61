"""smsbridge: alert mails become short SMS, and what comes back becomes mail again.

How one message travels, file by file, is told in ``docs/flow.md``.
"""

__version__ = "0.1.0"
