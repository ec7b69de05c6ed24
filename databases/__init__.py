"""SQL on two kinds of database: the tables, many rows at once, transactions, addresses. Decides nothing.

What differs between SQLite and PostgreSQL stands here and nowhere else.
"""
