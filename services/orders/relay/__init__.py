"""What leaves the outbox: mails to notifications; starts, signals and updates to Temporal."""
