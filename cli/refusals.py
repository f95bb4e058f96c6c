"""What ends a command with a sentence on stderr and exit code 1, never with a traceback."""


class CommandRefused(Exception):
    """The command will not do what it was asked; its message is the sentence a person reads."""


class NotRunning(CommandRefused):
    """Nobody answers where the system should be: on this machine, or at the address that OMS_URL names."""

    def __init__(self, url: str = "") -> None:
        at_url = f"nobody answers at {url}, the address in OMS_URL: check it, and that the system is up"
        super().__init__(at_url if url else "the system is not running: start it with `oms up`")
