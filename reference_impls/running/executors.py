"""Where the tasks of `bench` run: processes of this machine, joblib's, or the workers of a dask scheduler."""

import logging
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from multiprocessing import active_children
from typing import Any

from reference_impls.running.workers import Workers
from reference_impls.safe.extras import MissingExtraError, missing

#: How long a dask scheduler may take to answer.
SCHEDULER_SECONDS = 10


@contextmanager
def executor(backend: str, jobs: int, scheduler: str) -> Iterator[Executor]:
    """Leaving the block by an error, or by Ctrl-C, drops what has not begun and ends the processes started here."""
    if scheduler and backend != "dask":
        raise ValueError(f"a scheduler's address is for the dask backend, not for {backend}")
    if backend == "processes":
        with Workers(jobs) as workers:
            yield workers
    elif backend == "loky":
        with _loky(jobs) as found:
            yield found
    elif backend == "dask":
        with _dask(jobs, scheduler) as found:
            yield found
    else:
        raise ValueError(f"no backend {backend!r}; there are: dask, loky, processes")


@contextmanager
def _loky(jobs: int) -> Iterator[Executor]:
    try:
        from joblib.externals import loky  # noqa: PLC0415 (optional)
    except ImportError:
        raise ValueError("the loky backend needs joblib: pip install joblib") from None
    executor = loky.ProcessPoolExecutor(jobs)
    whole = False
    try:
        yield executor
        whole = True
    finally:
        executor.shutdown(wait=True, kill_workers=not whole)


@contextmanager
def _dask(jobs: int, scheduler: str) -> Iterator[Executor]:
    try:
        import distributed  # noqa: PLC0415 (optional)
    except ImportError:
        raise MissingExtraError(missing("distributed", "the dask backend needs")) from None
    connect: Any = distributed.Client
    others = set(active_children())
    if scheduler:
        try:
            client = connect(scheduler, timeout=SCHEDULER_SECONDS)
        except (OSError, ValueError) as error:
            raise ValueError(f"{scheduler}: no dask scheduler answers there ({error})") from error
    else:
        client = connect(n_workers=jobs, threads_per_worker=1, dashboard_address=None, silence_logs=logging.CRITICAL)
    try:
        yield client.get_executor()
    except distributed.KilledWorker as error:
        raise ValueError(f"dask: too many workers were lost ({error})".splitlines()[0]) from error
    except BaseException:
        if not scheduler:  # dask would wait some seconds for the tasks under way
            for nanny in client.cluster.workers.values():
                nanny.auto_restart = False
            for process in set(active_children()) - others:
                process.kill()
        raise
    finally:
        client.close()
