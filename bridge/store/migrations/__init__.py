"""How an old store becomes one of today: steps in ``versions``, each from one version of the schema to the next.

A version is ``major.minor``. A minor only adds what older programs do not miss, so two programs may work on one
store during a rolling upgrade; a store of another major is refused (threats F20). The version of a store is the
row ``schema`` of its table ``meta``, written in the transaction of the step.
"""
