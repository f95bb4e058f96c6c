"""Migrations of billing's database."""

from services.billing.models import Table
from services.runtime.migrations import run_env

run_env(Table.metadata)
