"""How a process of ours lives: settings, database, gRPC, outbox, telemetry, tokens. Knows no business word."""
