"""How Alembic runs the migrations: on the connection it is handed, or as SQL for a dialect that is named."""

from alembic import context

from gateway.db.tables import metadata

connection = context.config.attributes.get("connection")
if connection is not None:
    context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=False)
else:
    context.configure(dialect_name=context.config.attributes["dialect"], target_metadata=metadata, literal_binds=True)

with context.begin_transaction():
    context.run_migrations()
