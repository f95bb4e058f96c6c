"""A Temporal dev server for the workflow tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from tests.temporal import temporal_environment


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def temporal() -> AsyncIterator[Client]:
    """A client of a dev server in memory."""
    async with temporal_environment(skips_time=False) as environment:
        yield environment.client


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def skipping() -> AsyncIterator[WorkflowEnvironment]:
    """A dev server whose workflows can be moved forward in time."""
    async with temporal_environment(skips_time=True) as environment:
        yield environment
