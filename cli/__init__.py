"""The command line `oms`: runs the system on one machine and works it through its public API."""
