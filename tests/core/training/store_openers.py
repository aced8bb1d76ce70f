"""What the processes of a test of the store do: another process imports it."""

import threading
from pathlib import Path

from scaling_core.training.store import connect


def open_stores(barrier, folder, rounds, failures):
    """Open ``rounds`` new stores from four threads each, with other processes."""

    def open_one(store):
        try:
            with connect(store) as db:
                db.execute("SELECT count(*) FROM runs").fetchone()
        except Exception as error:  # a thread's error would be seen by nobody
            failures.put(repr(error))

    for number in range(rounds):
        barrier.wait()
        store = Path(folder) / f"{number}.sqlite"
        threads = [threading.Thread(target=open_one, args=(store,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
