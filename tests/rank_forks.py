"""Ranks as forks of this process, which find each other as those of torchrun do."""

import json
import os
import socket
import traceback

from recmodels import ranks
from recmodels.errors import InputError


def launch(folder, function, size, silence="60"):
    """Call a function on some ranks; what each returned, the message of its error, or −9 if it was killed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    children = []
    for rank in range(size):
        if (child := os.fork()) == 0:
            status = 1
            try:
                os.environ |= {"RANK": str(rank), "WORLD_SIZE": str(size), "LOCAL_RANK": str(rank)}
                os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "INTERP_RANK_SILENCE": silence}
                try:
                    with ranks.joined():
                        answer = function(rank)
                except InputError as error:
                    answer = f"{type(error).__name__}: {error}"
                (folder / f"{rank}.json").write_text(json.dumps(answer))
                status = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(status)
        children.append(child)
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    return [code if code else json.loads((folder / f"{rank}.json").read_text()) for rank, code in enumerate(codes)]
