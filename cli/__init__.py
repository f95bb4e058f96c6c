"""The oms command: runs the system, shows it and asks it things."""
