"""The weights of hashed features, summed line by line, and made probabilities."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numpy.typing import NDArray

from cleaner.compiled.jit import compiled, in_llvm

_I8, _I32, _I64 = ir.IntType(8), ir.IntType(32), ir.IntType(64)
#: How many classes are summed at once.
_LANES = 16
#: How many bytes of a table a processor fetches at once.
_CACHE_LINE = 64


@in_llvm
def _add_rows(
    context: Any, table: Any, width: Any, row: Any, count: Any, shift: Any, sums: Any
) -> tuple[Any, Callable[..., Any]]:
    """Add up some of the rows of a table, `_LANES` columns of it.

    Args:
        context: numba's.
        table: the address of int8 [rows, width], from the first of the columns on.
        width: of the table.
        row: the address of int32 [count], which rows.
        count: how many, one at least.
        shift: by how many bits each of those numbers is too long.
        sums: the address of int32 [_LANES], where the sums go.
    """

    def generate(target: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        table, width, row, count, shift, sums = arguments
        narrow, wide = ir.VectorType(_I8, _LANES), ir.VectorType(_I32, _LANES)
        rows = builder.inttoptr(row, _I32.as_pointer())
        before, loop, after = builder.block, builder.append_basic_block(), builder.append_basic_block()
        builder.branch(loop)
        builder.position_at_end(loop)
        at, total = builder.phi(_I64), builder.phi(wide)
        at.add_incoming(ir.Constant(_I64, 0), before)
        total.add_incoming(ir.Constant(wide, [0] * _LANES), before)
        number = builder.lshr(builder.zext(builder.load(builder.gep(rows, [at]), align=4), _I64), shift)
        place = builder.add(table, builder.mul(number, width))
        weights = builder.load(builder.inttoptr(place, narrow.as_pointer()), align=1)
        following, sum_ = builder.add(at, ir.Constant(_I64, 1)), builder.add(total, builder.sext(weights, wide))
        at.add_incoming(following, loop)
        total.add_incoming(sum_, loop)
        builder.cbranch(builder.icmp_signed("<", following, count), loop, after)
        builder.position_at_end(after)
        builder.store(sum_, builder.inttoptr(sums, wide.as_pointer()), align=4)
        return target.get_dummy_value()

    return types.void(*(types.int64,) * 6), generate


def padded(weight: NDArray[np.int8]) -> NDArray[np.int8]:
    """A table as `sum_lines` reads it: [buckets + 1, columns], with a last row of zeros, for no feature.

    Each row is padded so that none lies in more of the processor's cache lines than it must.
    """
    buckets, classes = weight.shape
    width = _LANES
    while width < classes:
        width *= 2
    room = np.zeros((buckets + 1) * width + _CACHE_LINE, dtype=np.int8)
    begin = -room.ctypes.data % _CACHE_LINE
    table = room[begin : begin + (buckets + 1) * width].reshape(buckets + 1, width)
    table[:-1, :classes] = weight
    return table


@compiled
def sum_lines(table: Any, classes: int, bucket: Any, first: Any, shift: int) -> Any:
    """Sum the weights of each line's features: int32 [lines, classes].

    Args:
        table: from `padded`.
        classes: how many columns count.
        bucket: int32 [features], the row of each feature, shifted left.
        first: int64 [lines], the place of each line's first feature, rising; a line ends where the next begins.
        shift: by how many bits.
    """
    count, width = len(first), -(-classes // _LANES) * _LANES
    sums = np.empty((count + 1, width), dtype=np.int32)
    for line in range(count):
        end = first[line + 1] if line + 1 < count else len(bucket)
        for block in range(0, width, _LANES):
            _add_rows(
                table.ctypes.data + block, table.shape[1], bucket.ctypes.data + 4 * first[line], end - first[line],
                shift, sums.ctypes.data + 4 * (line * width + block),
            )  # fmt: skip
    return sums[:count, :classes]


@compiled
def add_scaled(sums: Any, others: Any, root: Any, scale: float, bias: Any) -> Any:
    """`(sums + others) / root * scale + bias`, row by row: float64 [lines, classes]."""
    out = np.empty(sums.shape, dtype=np.float64)
    for line in range(len(sums)):
        for k in range(sums.shape[1]):
            out[line, k] = np.float64(sums[line, k] + others[line, k]) / root[line] * scale + bias[k]
    return out


@compiled
def beside(sums: Any, root: Any, has_before: Any, has_after: Any, scale: float, bias: Any) -> Any:
    """What the lines before and after say of each line: float64 [lines, classes].

    Args:
        sums: int32 [lines, 2 * classes], what each line says of the one after it, and of the one before it.
        root: float64 [lines], what its sums are divided by.
        has_before, has_after: bool [lines].
        scale, bias: from those quotients to logits.
    """
    count, half = len(sums), sums.shape[1] // 2
    out = np.empty((count, half), dtype=np.float64)
    for line in range(count):
        for k in range(half):
            value = 0.0
            if has_before[line]:
                value += np.float64(sums[line - 1, k]) / root[line - 1]
            if has_after[line]:
                value += np.float64(sums[line + 1, half + k]) / root[line + 1]
            out[line, k] = value * scale + bias[k]
    return out


@compiled
def shifted(logits: Any, limit: float) -> Any:
    """Logits between -`limit` and `limit`, less the largest of their row: float64 [rows, columns]."""
    out = np.empty_like(logits)
    for row in range(len(logits)):
        largest = -np.inf
        for column in range(logits.shape[1]):
            value = max(-limit, min(limit, logits[row, column]))
            out[row, column] = value
            largest = max(largest, value)
        for column in range(logits.shape[1]):
            out[row, column] -= largest
    return out


@compiled
def row_sums(values: Any) -> Any:
    """The sum of each row, added up from the first column on: float64 [rows]."""
    out = np.empty(len(values), dtype=np.float64)
    for row in range(len(values)):
        total = values[row, 0]
        for column in range(1, values.shape[1]):
            total += values[row, column]
        out[row] = total
    return out
