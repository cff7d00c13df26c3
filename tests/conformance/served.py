"""Serves a checkout of the web platform tests on two free ports of this machine, as their own server does, until its standard input ends.

The first line of the output has the ports.
"""

import logging
import sys
from pathlib import Path

root = Path(sys.argv[1]).resolve()
sys.path.insert(0, str(root / "tools"))
import localpaths  # noqa: E402,F401  (puts the packages of the suite on the path)
from wptserve import config, handlers, server, stash  # noqa: E402

HOST = "127.0.0.1"
ROUTES = [
    ("*", "*.py", handlers.python_script_handler),
    ("GET", "*.asis", handlers.as_is_handler),
    ("*", "/*", handlers.file_handler),
]


def serve():
    # Handlers of the suite import what lies beside them.
    sys.path.insert(0, str(root))
    settings = {
        "browser_host": HOST,
        "alternate_hosts": {"alt": HOST},
        "check_subdomains": False,
        "doc_root": str(root),
        "ports": {"http": ["auto", "auto"], "https": [1], "ws": [2], "wss": [3]},
        "ssl": {"type": "none"},
    }
    silent = logging.getLogger("wptserve")
    silent.setLevel(logging.CRITICAL)
    with config.ConfigBuilder(silent, subdomains=set(), not_subdomains=set(), **settings) as built:
        ports = built["ports"]["http"]
        with stash.StashServer(None, authkey="suite"):
            for port in ports:
                httpd = server.WebTestHttpd(host=HOST, port=port, doc_root=str(root), routes=ROUTES, config=built)
                httpd.start()
            print(*ports, flush=True)
            sys.stdin.read()


if __name__ == "__main__":
    serve()
