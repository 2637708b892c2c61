"""The command line: one thin file per verb, each with a click object named ``command``.

A verb is imported when it is called; what ``smsbridge --help`` prints about it stands in ``main.VERBS``.
"""
