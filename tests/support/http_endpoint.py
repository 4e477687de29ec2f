# SPDX-License-Identifier: MIT
"""What notifications are sent to."""

import http.server
import json
import queue
import threading

WITHIN_S = 30


class HttpEndpoint:
    """An HTTP server that puts what it is sent into a queue and answers with its status."""

    def __init__(self):
        received = self.received = queue.Queue()
        self.status = 200
        endpoint = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                received.put((self.path, dict(self.headers), body))
                self.send_response(endpoint.status)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def next_raw(self):
        """(path, headers, body)"""
        return self.received.get(timeout=WITHIN_S)

    def next(self):
        path, headers, body = self.next_raw()
        return path, headers, json.loads(body), body

    def close(self):
        self.server.shutdown()
        self.server.server_close()
