"""What alembic runs: the steps on the connection that it was handed.

Inside that one's transaction when it has one (SQLite), else each step in one of its own.
"""

from __future__ import annotations

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    transactional_ddl=True,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
