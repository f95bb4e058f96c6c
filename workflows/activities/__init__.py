"""Thin gRPC clients: one class a service, one method an action; documents are read here so that no history holds one."""
