"""Ask for URLs from several threads until stdin closes, and tell what came of it as JSON.

Needs no other file, so it can run in a container beside the application. A request that gets no
byte of an answer was turned away: a load balancer would ask the next container.
"""

import collections
import http.client
import json
import socket
import sys
import threading
import time

TURNED_AWAY = "turned away"  # load.py has it too

host, site, threads, *paths = sys.argv[1:]
name, _, port = host.partition(":")
address = socket.gethostbyname(name)  # The name of a container goes with it.
stop = threading.Event()
outcomes = {path: collections.Counter() for path in paths}
lock = threading.Lock()


def ask(path: str) -> str:
    connection = http.client.HTTPConnection(address, int(port or 80), timeout=1)
    try:
        try:
            connection.connect()
            connection.sock.settimeout(35)
            connection.request("GET", path, headers={"Host": site, "X-Forwarded-Proto": "https"})
        except OSError:
            return TURNED_AWAY
        try:
            if not connection.sock.recv(1, socket.MSG_PEEK):
                return TURNED_AWAY
        except ConnectionError:
            return TURNED_AWAY
        answer = connection.getresponse()
        answer.read()
        return str(answer.status)
    except (OSError, http.client.HTTPException) as error:
        return repr(error)
    finally:
        connection.close()


def work(path: str) -> None:
    while not stop.is_set():
        outcome = ask(path)
        with lock:
            outcomes[path][outcome] += 1
        if outcome == TURNED_AWAY:
            time.sleep(0.02)


workers = [threading.Thread(target=work, args=(path,)) for path in paths * int(threads)]
for worker in workers:
    worker.start()
print("started", flush=True)
sys.stdin.read()
stop.set()
for worker in workers:
    worker.join()
print(json.dumps(outcomes), flush=True)
