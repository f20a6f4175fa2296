"""Form data for tests: an update form, a chosen row, and a file with a hostile name."""

from typing import Any
from uuid import uuid4

from plan.models import ActionItem

HTMX = {"HX-Request": "true"}


def typed(action: ActionItem, **changed: Any) -> dict[str, Any]:
    """Return the data of a newly opened update form, with the user's changes."""
    action.refresh_from_db()
    return {
        "version": action.version,
        "op_id": str(uuid4()),
        "status_to": action.status,
        "progress_to": action.progress,
        **changed,
    }


def choice(action: ActionItem) -> str:
    """Return the value of a row's checkbox."""
    return f"{action.ref}|{action.version}|{uuid4()}"


def multipart(data, name, content):
    """Return a multipart body with one file, whose name is not escaped or cleaned."""
    line = "a-line-between"
    parts = [
        f'--{line}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in data.items()
    ]
    head = f'--{line}\r\nContent-Disposition: form-data; name="files"; filename="'.encode()
    escaped = name.replace("\\", "\\\\").replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    parts.append(head + escaped.encode() + b'"\r\nContent-Type: text/html\r\n\r\n' + content + b"\r\n")
    return b"".join(parts) + f"--{line}--\r\n".encode(), f"multipart/form-data; boundary={line}"
