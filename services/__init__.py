"""The five services, and the kernel and runtime they share."""
