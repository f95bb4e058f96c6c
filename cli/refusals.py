"""What ends a command with a sentence on stderr and exit code 1, never with a traceback."""


class CommandRefused(Exception):
    """The command will not do what it was asked; its message is the sentence a person reads."""


class NotRunning(CommandRefused):
    """Nobody answers where the system should be."""

    def __init__(self) -> None:
        super().__init__("the system is not running: start it with `oms up`")
