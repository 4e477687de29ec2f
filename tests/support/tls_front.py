# SPDX-License-Identifier: MIT
"""A TLS front before a plain server: what a reverse proxy on another machine would be.

It ends TLS with a certificate of its own, made by openssl(1) for the names given, and passes the bytes on. The head of each
request gets the Host that the server behind expects.
"""

import re
import socket
import ssl
import subprocess
import threading


def make_certificate(folder, name="localhost"):
    """Writes cert.pem and key.pem: signed by itself, good for DNS:name only."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-keyout", str(key), "-out", str(cert)],
        check=True, capture_output=True,
    )
    return cert, key


class TlsFront:
    """Listens on 127.0.0.1; with TlsFront(port, cert, key) as front: front.port. The first connections get these
    `answers`, whatever they ask, and then end; later ones are passed on to the server behind."""

    def __init__(self, behind, cert, key, *answers):
        self.behind = behind
        self.answers = list(answers)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(cert, key)
        self.context.set_alpn_protocols(["http/1.1"])
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.heads = []  # the request heads as they came

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *reason):
        self.listener.shutdown(socket.SHUT_RDWR)  # wakes accept(), which holds it open
        self.listener.close()

    def _accept(self):
        while True:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(plain,), daemon=True).start()

    def _serve(self, plain):
        try:
            with self.context.wrap_socket(plain, server_side=True) as client:
                head = b""
                while b"\r\n\r\n" not in head:
                    piece = client.recv(4096)
                    if not piece:
                        return
                    head += piece
                self.heads.append(head.partition(b"\r\n\r\n")[0].decode("latin-1"))
                if self.answers:
                    self._take_body(client, head)  # what is left unread would reset the connection
                    client.sendall(self.answers.pop(0))
                    return
                self._pass_on(client, head)
        except (OSError, ssl.SSLError):
            pass  # a client that does not trust us goes away

    @staticmethod
    def _take_body(client, head):
        start, _, body = head.partition(b"\r\n\r\n")
        size = re.search(rb"(?im)^content-length: *(\d+)", start)
        left = int(size[1]) - len(body) if size else 0
        while left > 0:
            left -= len(client.recv(left)) or left

    def _pass_on(self, client, head):
        with socket.create_connection(("127.0.0.1", self.behind)) as server:
            host = f"Host: 127.0.0.1:{self.behind}".encode()
            server.sendall(re.sub(rb"(?im)^host:[^\r\n]*", host, head, count=1))
            back = threading.Thread(target=self._pump, args=(server, client), daemon=True)
            back.start()
            self._pump(client, server)
            back.join()

    @staticmethod
    def _pump(source, sink):
        try:
            while piece := source.recv(65536):
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_RDWR)
        except (OSError, ssl.SSLError):
            pass
