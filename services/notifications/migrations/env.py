"""Alembic asks the runtime how to run this history."""

from services.notifications.models import Table
from services.runtime.migrations import run_env

run_env(Table.metadata)
