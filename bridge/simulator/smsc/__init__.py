"""The smsc family over HTTP: send, status, balance, get, info, wait_call, and the posts to a handler.

Source of every rule: the provider notes ``smsc-http.md``, ``smsc-callbacks.md``, ``smsc-wait-call.md``.
"""
