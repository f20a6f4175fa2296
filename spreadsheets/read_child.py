"""What reads a workbook, in a process of its own that may be killed: it knows nothing of the site.

It answers with JSON, so that nothing a workbook holds becomes code in the process that asked.
"""

import json
import resource
import zipfile
from io import BytesIO
from typing import Any

from spreadsheets.parts import Parts
from spreadsheets.values import TooLargeError, read_sheets


def answer(connection: Any, data: bytes, limits: dict[str, int]) -> None:
    """Read a workbook within its limits and send what it holds; {"error": …} where it cannot be read."""
    memory = limits["memory_megabytes"] * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (limits["seconds"], limits["seconds"] + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        told = read(data, limits)
    except TooLargeError as error:
        told = {"error": "LARGE", "place": str(error)}
    except MemoryError:
        told = {"error": "MEMORY"}
    except RecursionError:
        told = {"error": "DAMAGED"}
    except Exception as error:
        told = {"error": "DAMAGED", "reason": type(error).__name__}
    connection.send_bytes(json.dumps(told).encode())
    connection.close()


def read(data: bytes, limits: dict[str, int]) -> dict[str, Any]:
    """The sheets of a workbook as JSON takes them."""
    with zipfile.ZipFile(BytesIO(data)) as archive:
        return {"sheets": read_sheets(Parts(archive), limits)}
