"""The one exception a user is meant to read."""


class LikenessError(Exception):
    """A problem the user can mend.

    The message is one plain sentence that says what was given, what was expected and what to do.
    The command line prints it and exits with code 2; the dashboard shows it in place of the result.
    """


class UnreadableImage(LikenessError):
    """An image that cannot be used; the message is the reason listed beside the file's name."""
