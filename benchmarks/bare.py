"""What a script would do: smtplib in a thread pool, only the sends.

`python -m benchmarks.bare PORT CA COUNT THREADS` prints the seconds that they took, by the clock and by the processor.
"""

from __future__ import annotations

import smtplib  # noqa: TID251 - what is measured beside opsmail is just this
import ssl
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage


def _send(number: int, port: int, tls: ssl.SSLContext) -> None:
    message = EmailMessage()
    message["From"] = f"op-{number:04}@empresa.com.br"
    message["To"] = "teste@empresa.com.br"
    message["Subject"] = "Test message"
    message.set_content("This is a test message.\n" * 10)
    with smtplib.SMTP("127.0.0.1", port, timeout=60) as server:
        server.starttls(context=tls)
        server.login(f"op-{number:04}@empresa.com.br", "s3nh4")
        server.send_message(message)


def _main(port: int, ca: str, count: int, threads: int) -> tuple[float, float]:
    tls = ssl.create_default_context(cafile=ca)
    started, before = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda number: _send(number, port, tls), range(count)))
    return time.perf_counter() - started, time.process_time() - before


if __name__ == "__main__":
    print(*_main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
