"""A mail server that accepts everything and keeps nothing."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import StreamRequestHandler, ThreadingTCPServer

ANSWERS = {b"DATA": b"354 go on", b"QUIT": b"221 bye"}


class Conversation(StreamRequestHandler):
    """One connection of a client."""

    def handle(self) -> None:
        self.wfile.write(b"220 ready\r\n")
        is_mail = False
        for line in self.rfile:
            verb = line[:4].upper()
            if is_mail and line != b".\r\n":
                continue
            self.wfile.write((b"250 ok" if is_mail else ANSWERS.get(verb, b"250 ok")) + b"\r\n")
            is_mail = not is_mail and verb == b"DATA"


@contextmanager
def mail_server() -> Iterator[int]:
    """Run the server on this machine; yield its port."""
    with ThreadingTCPServer(("127.0.0.1", 0), Conversation) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()
