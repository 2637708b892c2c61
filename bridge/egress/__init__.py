"""Mail out: replies, reports and notices leave through the relay of ``outgoing_mail``."""
