"""Who is meant at a moment: named windows, rotas, teams and the phrases of ``to``.

This room alone knows how wall clocks, overnight spans and changing clocks make a window or a turn. It is pure:
the moment is always an argument, aware and in UTC; overrides made at run time are handed in.
"""
