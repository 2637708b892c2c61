"""The pretend provider's SMPP door: bind, submit_sm, query_sm, receipts and inbound SMS, and what can go wrong.

``door`` takes short messages and makes phones' texts of them, ``reports`` says what becomes of them, ``server`` is the
connections. Of the product only the wire format is shared (``bridge.smpp``), and the tables of ``bridge.sms``.
"""
