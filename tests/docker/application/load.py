"""Ask for URLs from several threads until stdin closes, and tell what came of it as JSON.

Runs inside a container, beside the application. A connection that is refused is tried again, as
a load balancer does, which would take the next container.
"""

import collections
import http.client
import json
import socket
import sys
import threading
import time

host, site, threads, *paths = sys.argv[1:]
address = socket.gethostbyname(host)  # The name of a container goes with it.
stop = threading.Event()
outcomes: collections.Counter = collections.Counter()
lock = threading.Lock()


def ask(path: str) -> str:
    while not stop.is_set():
        connection = http.client.HTTPConnection(address, timeout=1)
        try:
            connection.connect()
            connection.sock.settimeout(35)
        except OSError:
            time.sleep(0.02)
            continue
        try:
            headers = {"Host": site, "X-Forwarded-Proto": "https"}
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            answer.read()
            return str(answer.status)
        except (OSError, http.client.HTTPException) as error:
            return repr(error)
        finally:
            connection.close()
    return ""


def work(path: str) -> None:
    while not stop.is_set():
        outcome = ask(path)
        if outcome:
            with lock:
                outcomes[f"{path} {outcome}"] += 1


workers = [threading.Thread(target=work, args=(path,)) for path in paths * int(threads)]
for worker in workers:
    worker.start()
print("started", flush=True)
sys.stdin.read()
stop.set()
for worker in workers:
    worker.join()
print(json.dumps(outcomes), flush=True)
