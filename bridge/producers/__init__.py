"""Who wrote a mail, and which events it tells of.

The engine is here, the knowledge is data: ``rules/producers/*.yaml``, one pack for a producer, shipped inside the
wheel and overridable by the operator (``docs/reference/producer-packs.md``). What no pack knows is one generic event.
"""
