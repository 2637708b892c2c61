"""The gateway ``smsgate``: one message that is tried by Viber, WhatsApp, VK and SMS, over GET, JSON and XML.

``asked`` reads the three ways of writing a request, ``written`` the three ways of answering, ``cascade`` goes from one
channel to the next, ``gateway`` decides what is taken, ``door`` is its HTTP side, ``posts`` what it tells by itself.
"""
