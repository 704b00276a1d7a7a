"""What strangers wrote, made safe to print."""


def one_line(text: str) -> str:
    """No control character of an entry, a file's name or a server may reach a terminal or start a new line.

    >>> one_line("a\\x1b[31mb")
    'a\\\\u001b[31mb'
    """
    return "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in text)
