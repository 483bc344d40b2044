"""Runs a command and notes what it took: `python measured.py REPORT COMMAND…`.

Linux counts in a child's peak memory what its parent held when it forked, so this small
process stands between the benchmark and what it measures. It imports nothing of ours.
"""

import json
import os
import subprocess
import sys
import time

report, *command = sys.argv[1:]
started = time.perf_counter()
with subprocess.Popen(command) as child:
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
with open(report, "w") as file:  # noqa: PTH123 (a Path costs memory)
    json.dump(
        {
            "returncode": child.returncode,
            "seconds": time.perf_counter() - started,
            "cpu_seconds": usage.ru_utime + usage.ru_stime,
            "peak_mb": usage.ru_maxrss / 1024,
        },
        file,
    )
