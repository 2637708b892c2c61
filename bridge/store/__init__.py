"""What survives a kill: the tables, the one writer thread, and one file per noun that reads and writes them.

Only this room knows SQL. Statements are SQLAlchemy Core, compiled once per dialect and run on the driver's
cursor. SQLite is one machine's store; the calls are shaped so that PostgreSQL fits behind them.
"""
