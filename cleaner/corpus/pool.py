"""Work spread over processes: results in order, few groups under way, and a worker that dies costs one document."""

from __future__ import annotations

import signal
import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from threadpoolctl import threadpool_limits

from cleaner.corpus.groups import Group
from cleaner.corpus.job import Job, Result, Summary, Task
from cleaner.corpus.work import Done, work

_KILLED = "the process that worked on it was killed, perhaps for want of memory."

Order = tuple[Group, Task]


def ordered(
    every: Iterable[Group], call: Callable[..., Any], arguments: tuple[Any, ...], jobs: int
) -> Iterator[tuple[Group, Any]]:
    """Call a function on each group, in several processes if asked, yielding each with its result, in order."""
    if jobs == 1:
        with threadpool_limits(1):
            for group in every:
                yield group, call(group, *arguments)
        return

    from joblib import Parallel, delayed

    waiting: deque[Group] = deque()

    def taken() -> Iterator[Group]:
        for group in every:
            waiting.append(group)
            yield group

    parallel = Parallel(n_jobs=jobs, return_as="generator", pre_dispatch="2*n_jobs", batch_size=1)
    for result in parallel(delayed(call)(group, *arguments) for group in taken()):
        yield waiting.popleft(), result


def spread(orders: Iterable[Order], job: Job, jobs: int) -> Iterator[tuple[Group, Done]]:
    """Work on groups, yielding each with what became of it, in order.

    Args:
        orders: the groups and where their results go; taken lazily.
        job: what to do.
        jobs: how many processes to use; one is this process.
    """
    if jobs == 1:
        # `jobs` says how many cores to use; threads of the matrix library would take more and gain nothing
        with threadpool_limits(1):
            for group, task in orders:
                yield group, work(group, job, task)
        return

    from joblib import Parallel, delayed  # a tenth of what a run over one document takes
    from joblib.externals.loky.process_executor import BrokenProcessPool

    waiting: deque[Order] = deque()

    def taken() -> Iterator[Order]:
        for order in orders:
            waiting.append(order)
            yield order

    given = taken()
    while True:
        parallel = Parallel(n_jobs=jobs, return_as="generator", pre_dispatch="2*n_jobs", batch_size=1)
        warnings.filterwarnings("ignore", ".*have been cancelled", UserWarning)  # the run says itself why it stopped
        try:
            for done in parallel(delayed(_in_worker)(group, job, task) for group, task in given):
                group, _ = waiting.popleft()
                yield group, done
            return
        except BrokenProcessPool:
            for group, task in list(waiting):
                waiting.popleft()
                yield group, _apart(group, job, task)


def _in_worker(group: Group, job: Job, task: Task) -> Done:
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all; the parent decides what it means
    return work(group, job, task)


def _apart(group: Group, job: Job, task: Task) -> Done:
    """Do a group that may have killed its worker; should it again, one document after the other."""
    from joblib import Parallel, delayed
    from joblib.externals.loky.process_executor import BrokenProcessPool

    try:
        done: Done = Parallel(n_jobs=2)([delayed(_in_worker)(group, job, task)])[0]
        return done
    except BrokenProcessPool:
        if len(group) > 1:
            return _joined([_apart(group.one(index), job, task) for index in range(len(group))])
        return work(group, job, task, _KILLED)


def _joined(parts: list[Done]) -> Done:
    summary = Summary()
    results: list[Result] = []
    rows: list[Any] = []
    for part in parts:
        summary.add(part.summary)
        results += part.results
        rows.append(part.rows)
    if rows[0] is None:
        return Done(results, summary)
    if isinstance(rows[0], bytes):
        return Done(results, summary, b"".join(rows))
    import pyarrow

    return Done(results, summary, pyarrow.Table.from_batches(rows).combine_chunks().to_batches()[0])
