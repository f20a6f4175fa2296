"""gunicorn worker whose own error pages are in Thai and English, with the security headers of the site."""

import re
import socket
from contextlib import suppress
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

from pmqa_tracker.headers import NO_STORE, security_headers

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
NOT_UNDERSTOOD = {
    "thai_title": "ระบบไม่สามารถอ่านคำขอนี้ได้",
    "thai": "ระบบยังไม่ได้บันทึกสิ่งใด โปรดเปิดหน้าแรกแล้วลองอีกครั้ง หากยังพบปัญหา โปรดแจ้งผู้ดูแลระบบ",
    "title": "The request could not be read.",
    "english": "Nothing was recorded. Open the first page and try again; if it happens again, tell the administrator.",
}
TEXTS = {"414": ADDRESS_TOO_LONG, "431": HEADERS_TOO_LARGE}


class Answer:
    """Stands for the client's socket, and keeps the answer that gunicorn would send."""

    def __init__(self) -> None:
        self.data = b""

    def gettimeout(self) -> float:
        return 0.0

    def sendall(self, data: bytes) -> None:
        self.data += data

    @property
    def status(self) -> str:
        """Status line of the answer, such as "414 URI Too Long"."""
        found = re.match(rb"HTTP/1.1 (\d{3} [ -~]+)", self.data)
        return found[1].decode() if found else "400 Bad Request"


class Worker(ThreadWorker):
    """gunicorn's threaded worker with error pages of our own."""

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: Exception) -> None:
        """Let gunicorn log the error and choose the status, and send a page of our own with it."""
        answer = Answer()
        super().handle_error(req, answer, addr, exc)
        page = PAGE.format(**TEXTS.get(answer.status[:3], NOT_UNDERSTOOD)).encode()
        headers = {
            "Connection": "close",
            "Content-Type": "text/html; charset=utf-8",
            "Content-Length": len(page),
            "Cache-Control": NO_STORE,
            **security_headers(is_secure=True),
        }
        lines = [f"HTTP/1.1 {answer.status}", *(f"{name}: {value}" for name, value in headers.items())]
        with suppress(OSError):
            client.settimeout(DRAIN_SECONDS)
            client.sendall("\r\n".join([*lines, "\r\n"]).encode() + page)
            client.shutdown(socket.SHUT_WR)
            left = MAX_DRAINED_BYTES
            while left > 0 and (part := client.recv(65536)):
                left -= len(part)
