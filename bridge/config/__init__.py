"""What the operator wrote: config.yaml, rule files and rule tests, as frozen models with their places.

This room alone knows YAML, the units of the format and the sentences for mistakes in them. It reads files and
resolves secrets; it decides nothing about mails. The format is described in ``docs/reference/format.md``.
"""
