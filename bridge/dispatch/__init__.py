"""Everything that needs memory: incidents, who was told, codes, repeats, recoveries, answers.

Two pure functions: :func:`bridge.dispatch.needs.needs` names what a happening will touch,
:func:`bridge.dispatch.decide.decide` says what follows from it. The caller locks, loads, decides and writes
in one transaction (``bridge/store/plans.py``); ``explain`` and ``test`` call the same two over a memory of
their own. Nothing here reads a clock, a file or a socket.
"""
