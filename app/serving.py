"""The server's processes: uvicorn, set up once."""

from typing import Any

import uvicorn
from uvicorn.supervisors import Multiprocess

from app.core.settings import settings


class Processes(Multiprocess):
    """Several processes on one address."""

    def terminate_all(self) -> None:
        """Tells all to end. The parent's own hold on the address would keep callers waiting, for
        whom nobody is there any more: they are refused instead, and a proxy asks elsewhere."""
        super().terminate_all()
        for held in self.sockets:
            held.close()


def run(workers: int) -> None:
    """Serves until it is told to stop."""
    configured = settings()
    options: dict[str, Any] = {
        "factory": True,
        "host": configured.host,
        "port": configured.port,
        "workers": workers,
        "loop": "uvloop",
        "http": "httptools",
        "lifespan": "on",
        "access_log": False,
        "log_level": configured.log_level,
        "server_header": False,
        "proxy_headers": bool(configured.trusted_proxies),
        "forwarded_allow_ips": configured.trusted_proxies,
        "timeout_graceful_shutdown": configured.stop_seconds,
    }
    if workers == 1:
        uvicorn.run("app.main:create_app", **options)
        return
    config = uvicorn.Config("app.main:create_app", **options)
    Processes(config, sockets=[config.bind_socket()]).run()
