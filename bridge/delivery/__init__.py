"""Sending: claim, hand over, learn what became of it. Never more at once than an account allows, never twice.

``gateways`` knows which doors may be used now, ``sender`` hands over, ``watcher`` asks for fates that nobody
reported, ``unknown`` and ``retry`` are the pure tables behind them, ``poster`` sends the mails.
"""
