"""The pretend providers: phones that nobody holds, behind gateways that nobody pays.

An independent reading of the provider manuals: nothing here imports ``bridge.providers``, so a
misunderstanding of ours shows up as a disagreement instead of being confirmed by both sides.
Where the manuals leave a question open, both answers are built and a switch chooses.

``simulator.Simulator`` is the state, ``app.create`` its HTTP side, ``inbox`` its mail side,
``smsc/`` the first gateway. All of it lives in one event loop and keeps everything in memory.
"""
