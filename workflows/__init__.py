"""The order saga: Temporal workflows, the steps they take and the worker that runs them."""
