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
from cleaner.errors import CleanerError

_KILLED = "the process that worked on it was killed, perhaps for want of memory."

#: A group and what else a call is given.
Order = tuple[Group, tuple[Any, ...]]


def ordered(
    orders: Iterable[Order],
    call: Callable[..., Any],
    jobs: int,
    without: Callable[..., Any] | None = None,
) -> Iterator[tuple[Group, Any]]:
    """Call a function on groups, in several processes if asked, yielding each with its result, in order.

    Args:
        orders: the groups, each with the call's other arguments; taken lazily.
        call: what is called in a worker.
        jobs: how many processes to use; one is this process.
        without: makes the result of a group that kills its worker, in this process.

    Raises:
        CleanerError: if a group kills its worker and there is no `without`.
    """
    if jobs == 1:
        # `jobs` says how many cores to use; threads of the matrix library would take more and gain nothing
        with threadpool_limits(1):
            for group, arguments in orders:
                yield group, call(group, *arguments)
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
            for result in parallel(delayed(_in_worker)(call, group, arguments) for group, arguments in given):
                yield waiting.popleft()[0], result
            return
        except BrokenProcessPool:
            for _ in range(len(waiting)):
                group, arguments = waiting.popleft()
                yield group, _apart(call, group, arguments, without)


def _in_worker(call: Callable[..., Any], group: Group, arguments: tuple[Any, ...]) -> Any:
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all; the parent decides what it means
    return call(group, *arguments)


def _apart(
    call: Callable[..., Any], group: Group, arguments: tuple[Any, ...], without: Callable[..., Any] | None
) -> Any:
    """Do a group again that may have killed its worker."""
    from joblib import Parallel, delayed
    from joblib.externals.loky.process_executor import BrokenProcessPool

    try:
        return Parallel(n_jobs=2)([delayed(_in_worker)(call, group, arguments)])[0]
    except BrokenProcessPool:
        if without is None:
            raise CleanerError("a worker was killed, perhaps for want of memory; try fewer --jobs.") from None
        return without(group, *arguments)


def spread(orders: Iterable[tuple[Group, Task]], job: Job, jobs: int) -> Iterator[tuple[Group, Done]]:
    """Clean groups, yielding each with what became of it, in order.

    Args:
        orders: the groups and where their results go; taken lazily.
        job: what to do.
        jobs: how many processes to use; one is this process.
    """
    return ordered(((group, (job, task)) for group, task in orders), work, jobs, _one_by_one)


def _one_by_one(group: Group, job: Job, task: Task) -> Done:
    """Do the documents of a group each for itself: the one that kills its worker fails, and no other."""
    if len(group) == 1:
        return work(group, job, task, _KILLED)
    parts = [_apart(work, group.one(index), (job, task), _one_by_one) for index in range(len(group))]
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
