"""Does a piece of work whenever a line comes in, and answers with the time it took (benchmarks/peer.py)."""

import json
import os
import sys
import time

ANSWERS = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # libraries print what they like; answers have a way of their own


def serve(work):
    """Call `work` for each line of standard input; it returns a mapping of what else to say."""
    print("ready", file=ANSWERS, flush=True)
    for _ in sys.stdin:
        wall, cpu = time.perf_counter(), time.process_time()
        result = work()
        taken = {"seconds": time.perf_counter() - wall, "processor": time.process_time() - cpu}
        if callable(result):  # what is only checked is not timed
            result = result()
        print(json.dumps(taken | result), file=ANSWERS, flush=True)
