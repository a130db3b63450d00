"""Asks for the health of a server until its stdin ends; prints how many seconds each reply took.

Argument: the port. A process of its own, because one that makes thousands of connections meanwhile is no good clock.
"""

from __future__ import annotations

import http.client
import select
import sys
from time import monotonic


def main(port: int) -> None:
    """Probe twenty times a second."""
    while not select.select([sys.stdin], [], [], 0.05)[0]:
        began = monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("GET", "/healthz")
        assert connection.getresponse().status == 200
        connection.close()
        print(monotonic() - began)


if __name__ == "__main__":
    main(int(sys.argv[1]))
