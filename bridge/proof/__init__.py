"""Trying everything before it pages somebody: ``explain`` and the rule tests.

Both call the functions that ``run`` calls (the door's refusals, ``read``, ``needs``, ``decide``) over a memory
and a clock of their own. Nothing here decides anything, and nothing leaves the process.
"""
