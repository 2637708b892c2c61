"""SMPP 3.4: octets in, typed values out, and back; one file next door (``link``) holds the socket.

The only room that knows the wire format. Both ends use it: the gateway's door and the simulator's server. It knows
nothing of messages, texts' dangers, accounts or money. Source: SMPP Protocol Specification v3.4, issue 1.2 ("§").
"""
