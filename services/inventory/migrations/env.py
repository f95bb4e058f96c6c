"""Runs inventory's migrations."""

from services.inventory.sourcing_models import Table
from services.runtime.migrations import run_env

run_env(Table.metadata)
