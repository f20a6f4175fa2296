"""The process that reads a workbook; it may be killed at any time and imports nothing from the site.

It answers with JSON, so that no content of a workbook can become code in the process of the site.
"""

import json
import resource
import zipfile
from io import BytesIO
from typing import Any

from spreadsheets.parts import Parts
from spreadsheets.values import TooLargeError, read_sheets


def answer(connection: Any, data: bytes, limits: dict[str, int]) -> None:
    """Read a workbook within the limits and send its sheets, or {"error": …} if it cannot be read."""
    memory = limits["memory_megabytes"] * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (limits["seconds"], limits["seconds"] + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        result = read(data, limits)
    except TooLargeError as error:
        result = {"error": "LARGE", "place": str(error)}
    except MemoryError:
        result = {"error": "MEMORY"}
    except RecursionError:
        result = {"error": "DAMAGED"}
    except Exception as error:
        result = {"error": "DAMAGED", "reason": type(error).__name__}
    connection.send_bytes(json.dumps(result).encode())
    connection.close()


def read(data: bytes, limits: dict[str, int]) -> dict[str, Any]:
    """Return the sheets of a workbook as values for JSON."""
    with zipfile.ZipFile(BytesIO(data)) as archive:
        return {"sheets": read_sheets(Parts(archive), limits)}
