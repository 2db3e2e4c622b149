"""Subscribers to the event stream."""

import selectors
import socket
import threading
from contextlib import contextmanager


@contextmanager
def open_all(server, paths, cookie):
    """Holds a stream for each path and reads what it sends; provides the streams."""
    streams = [Stream(server, path, cookie) for path in paths]
    stopped = threading.Event()
    reader = threading.Thread(target=read_all, args=(streams, stopped), daemon=True)
    reader.start()
    try:
        yield streams
        if any(stream.ended for stream in streams):
            raise RuntimeError("the server closed a stream")
    finally:
        stopped.set()
        reader.join()
        for stream in streams:
            stream.socket.close()


class Stream:
    """A subscriber, and the number of bottles that it has been sent."""

    def __init__(self, server, path, cookie):
        self.bottles, self.ended = 0, False
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=30)
        request = f"GET {path} HTTP/1.1\r\nHost: sea\r\nCookie: {cookie}\r\n\r\n"
        self.socket.sendall(request.encode())
        head = self.socket.recv(65536)
        if b" 200 " not in head.split(b"\r\n")[0]:
            raise RuntimeError(f"{path} returned {head[:300]!r}")

    def read(self):
        data = self.socket.recv(65536)
        self.ended = self.ended or not data
        self.bottles += data.count(b"event:thrown") + data.count(b"event: thrown")


def read_all(streams, stopped):
    with selectors.DefaultSelector() as ready:
        for stream in streams:
            ready.register(stream.socket, selectors.EVENT_READ, stream)
        while not stopped.is_set():
            for key, _ in ready.select(0.2):
                key.data.read()
                if key.data.ended:
                    ready.unregister(key.fileobj)
