"""Runs inventory's migrations."""

from services.inventory.models import Table
from services.runtime.migrations import run_env

run_env(Table.metadata)
