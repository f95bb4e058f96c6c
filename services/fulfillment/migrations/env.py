"""Alembic's entry for fulfillment."""

from services.fulfillment.models import Table
from services.runtime.migrations import run_env

run_env(Table.metadata)
