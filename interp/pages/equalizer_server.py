"""Serves the equalizer on this machine: `interp equalizer FOLDER`."""

import logging
import socket
import webbrowser
from typing import TYPE_CHECKING

from interp.optional import needing
from interp.pages.equalizer_app import BODY, HOST, app
from recmodels.errors import InputError

with needing("waitress"):
    from waitress import create_server
    from waitress.server import BaseWSGIServer

if TYPE_CHECKING:
    from interp.study.study import Study

THREADS = 8
CONNECTIONS = 1000  # idle ones cost no thread, and are closed after as many seconds as
IDLE = 20


def serve(study: "Study", port: int = 8050, browser: bool = True) -> None:
    """Serve the equalizer on this machine until it is interrupted.

    Args:
        study: a finished study.
        port: the port to serve on; 0 for any free one.
        browser: open the page in the user's browser.

    Raises:
        InputError: the port is in use or not valid, or a package is not installed.
    """
    server = server_of(study, port)
    address = f"http://{HOST}:{server.effective_port}/"
    print(f"{address}  (Ctrl+C ends it)", flush=True)
    if browser:
        webbrowser.open(address)
    server.run()  # until Ctrl+C
    print()


def server_of(study: "Study", port: int = 0) -> BaseWSGIServer:
    """A server of the equalizer that listens on this machine only, with few threads; idle connections are closed.

    Raises:
        InputError: the port is in use or not valid.
    """
    try:
        listening = socket.create_server((HOST, port))
    except (OSError, OverflowError) as error:
        raise InputError(f"cannot serve on port {port} ({error}): choose another one with --port") from None
    logging.getLogger("waitress").setLevel(logging.CRITICAL)  # requests of other programs are not logged
    try:
        return create_server(
            app(study),
            sockets=[listening],
            threads=THREADS,
            connection_limit=CONNECTIONS,
            channel_timeout=IDLE,
            cleanup_interval=IDLE // 4,
            max_request_body_size=BODY,
            asyncore_use_poll=True,
            ident="",
        )
    except BaseException:
        listening.close()
        raise
