"""The external tax engine: its client, and the desk at which orders and changes ask it."""
