"""Which rules want an event: conditions, the walk, the door's addresses and the sources of mail.

This room alone knows how a pattern is compared with a value and in what order rules are asked. It is pure: it
needs no memory, no clock and no socket. What it gives is a :class:`bridge.model.RoutedEvent`; who is on call, what
the text says and whether anything is sent at all are decided elsewhere.
"""
