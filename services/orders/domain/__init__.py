"""The rules of sales orders as pure functions over frozen values; one module a noun."""
