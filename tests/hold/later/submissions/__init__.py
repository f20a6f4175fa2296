"""The migrations of the room `submissions`, and the one of the later release."""

from submissions import migrations

__path__ += migrations.__path__
