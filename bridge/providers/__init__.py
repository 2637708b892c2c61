"""The gateways' doors: one file each, all with the promise of ``base.Gateway``.

Only this room knows what a provider's parameters, codes and answers mean. Everything that may go wrong
leaves it as one of the errors of ``bridge.errors``; nothing here tries a paid request twice by itself.
"""
