"""Alembic's entry for orders."""

from services.orders.models import Table
from services.runtime.migrations import run_env

run_env(Table.metadata)
