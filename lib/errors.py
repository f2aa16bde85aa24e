"""The two ways in which work is refused for a reason that a person can act on."""


class InputError(Exception):
    """One input cannot be processed, and trying again will not help.

    The message names what is wrong and what to do, in words for a person; it does not repeat the file's name, which the
    caller knows and reports beside it.
    """


class UnavailableError(Exception):
    """An engine cannot run here: a package, a model, a key or a device is missing.

    The message says what is missing and how to get it.
    """
