"""How the web server runs. Its command line may override every line."""

import os

bind = os.environ.get("PORTER_BIND", "127.0.0.1:8000")
workers = int(os.environ.get("PORTER_WEB_WORKERS", "2"))
worker_class = "gthread"
threads = int(os.environ.get("PORTER_WEB_THREADS", "4"))
# Loaded once before the workers are forked: broken settings then end the server with their sentences, where a
# worker that can't start would be started again for ever.
preload_app = True
timeout = 60
graceful_timeout = 5
# Against what a library may leak; a new one has to read places, rules and forms again.
max_requests = 50_000
max_requests_jitter = 5_000
# In memory where there is such a place: a heartbeat on a slow disk looks like a worker that hangs.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108
# No access log: an address may name a patient's row, and the audit trail knows who read what.
accesslog = None
# Nobody steers a running server through a socket in a home directory.
control_socket_disable = True
