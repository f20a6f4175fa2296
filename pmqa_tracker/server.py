"""gunicorn worker that answers oversized URLs and headers with a page in Thai and English."""

import socket
from contextlib import suppress
from typing import Any

from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine
from gunicorn.workers.gthread import ThreadWorker

# A browser shows no answer before it has sent the whole request, so the rest of a refused request is read too.
MAX_DRAINED_BYTES = 4 * 1024 * 1024
DRAIN_SECONDS = 2.0  # to wait for more of it
PAGE = """<!doctype html>
<html lang="th"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{thai_title}</title></head><body>
<h1>{thai_title}</h1><p>{thai}</p><p lang="en"><b>{title}</b> {english}</p><p><a href="/">หน้าแรก · First page</a></p>
</body></html>
"""
ADDRESS_TOO_LONG = {
    "thai_title": "ที่อยู่เว็บยาวเกินไป",
    "thai": "ระบบยังไม่ได้บันทึกสิ่งใด โปรดกดปุ่มย้อนกลับของเบราว์เซอร์ แล้วใช้คำค้นหรือตัวกรองที่สั้นลง",
    "title": "The address is too long.",
    "english": "Nothing was recorded. Go back in your browser and use a shorter search text or fewer filters.",
}
HEADERS_TOO_LARGE = {
    "thai_title": "เบราว์เซอร์ส่งข้อมูลประกอบมากเกินไป",
    "thai": "ระบบยังไม่ได้บันทึกสิ่งใด โปรดลบคุกกี้ของเว็บไซต์นี้ในเบราว์เซอร์ แล้วเข้าสู่ระบบอีกครั้ง",
    "title": "The request headers are too large.",
    "english": "Nothing was recorded. Remove the cookies of this site in your browser and log in again.",
}
REFUSED = {
    LimitRequestLine: ("414 URI Too Long", ADDRESS_TOO_LONG),
    LimitRequestHeaders: ("431 Request Header Fields Too Large", HEADERS_TOO_LARGE),
}


class Worker(ThreadWorker):
    """gunicorn's threaded worker with error pages of our own."""

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: Exception) -> None:
        """Answer a request that is too large in Thai and English; leave other errors to gunicorn."""
        if type(exc) not in REFUSED:
            super().handle_error(req, client, addr, exc)
            return
        status, texts = REFUSED[type(exc)]
        page = PAGE.format(**texts).encode()
        head = f"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Type: text/html; charset=utf-8\r\n"
        with suppress(OSError):
            client.settimeout(DRAIN_SECONDS)
            client.sendall(f"{head}Content-Length: {len(page)}\r\n\r\n".encode() + page)
            client.shutdown(socket.SHUT_WR)
            left = MAX_DRAINED_BYTES
            while left > 0 and (part := client.recv(65536)):
                left -= len(part)
