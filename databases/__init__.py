"""SQL on two kinds of database: many rows at once, transactions, addresses. Knows no order.

What differs between SQLite and PostgreSQL stands here and nowhere else.
"""
