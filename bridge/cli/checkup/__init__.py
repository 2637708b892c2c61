"""What ``smsbridge doctor`` looks at. Every check is an async function from a ``Patient`` to findings.

A finding that is not well says how to mend it. Checks change nothing, send nothing and cost nothing.
"""
