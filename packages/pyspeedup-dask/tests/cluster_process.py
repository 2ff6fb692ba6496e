"""A cluster of two workers for tests, in a process of its own: what it opens is not the tests' to close."""

import logging
import sys

from distributed import LocalCluster

if __name__ == "__main__":
    threads, folder = int(sys.argv[1]), sys.argv[2]
    logging.getLogger("distributed.nanny").setLevel(logging.INFO)  # tells how workers end
    cluster = LocalCluster(
        n_workers=2,
        threads_per_worker=threads,
        processes=True,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        scheduler_kwargs={"dashboard": False},
        local_directory=folder,
        silence_logs=False,
    )
    with cluster:
        sys.stdout.write(f"{cluster.scheduler_address}\n")
        sys.stdout.flush()
        sys.stdin.read()  # until whoever started us closes it, or ends
