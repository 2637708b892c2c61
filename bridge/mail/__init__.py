"""Mail as bytes and mail as a noun: reading what came in, writing what goes out.

This room alone knows RFC 5322, MIME and what broken senders make of them. It knows no rule and no producer.
"""
