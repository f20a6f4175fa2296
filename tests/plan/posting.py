"""Forms as a browser posts them: an update, the choice of a row, and a file as a hostile client sends it."""

from typing import Any
from uuid import uuid4

from plan.models import ActionItem

HTMX = {"HX-Request": "true"}


def typed(action: ActionItem, **changed: Any) -> dict[str, Any]:
    """The form of an update as it opens, with what the user changed."""
    action.refresh_from_db()
    return {
        "version": action.version,
        "op_id": str(uuid4()),
        "status_to": action.status,
        "progress_to": action.progress,
        **changed,
    }


def choice(action: ActionItem) -> str:
    """The value of a row's tick."""
    return f"{action.ref}|{action.version}|{uuid4()}"


def multipart(data, name, content):
    """A form with one file whose name is sent as it is, as a hostile client would."""
    line = "a-line-between"
    parts = [
        f'--{line}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in data.items()
    ]
    head = f'--{line}\r\nContent-Disposition: form-data; name="files"; filename="'.encode()
    told = name.replace("\\", "\\\\").replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    parts.append(head + told.encode() + b'"\r\nContent-Type: text/html\r\n\r\n' + content + b"\r\n")
    return b"".join(parts) + f"--{line}--\r\n".encode(), f"multipart/form-data; boundary={line}"
