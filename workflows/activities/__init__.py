"""Thin gRPC clients: one class a service, one method a deed; documents are read here so that no history holds one."""
