"""HTTP: the console, what providers post back, and what machines ask (health, metrics).

``app.create(ports)`` is the whole of it as one ASGI application; ``server.HttpServer`` serves it. It decides
nothing: pages read the store's views, acts become orders, callbacks become receipts and replies.
"""
