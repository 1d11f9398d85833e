"""The weights of hashed features, summed line by line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from cleaner.compiled.jit import compiled

_I8, _I32, _I64 = ir.IntType(8), ir.IntType(32), ir.IntType(64)
#: How many classes are summed at once.
_LANES = 16


@intrinsic
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
    """A table as `sum_lines` reads it: with a last row of zeros, for no feature, and a multiple of `_LANES` columns."""
    buckets, classes = weight.shape
    table = np.zeros((buckets + 1, -(-classes // _LANES) * _LANES), dtype=np.int8)
    table[:-1, :classes] = weight
    return table


@compiled
def sum_lines(table: Any, classes: int, bucket: Any, first: Any, shift: int) -> Any:
    """Sum the weights of each line's features: int64 [lines, classes].

    Args:
        table: from `padded`.
        classes: how many columns count.
        bucket: int32 [features], the row of each feature, shifted left.
        first: int64 [lines], the place of each line's first feature, rising; a line ends where the next begins.
        shift: by how many bits.
    """
    count, width = len(first), table.shape[1]
    sums = np.zeros(width, dtype=np.int32)
    out = np.empty((count, classes), dtype=np.int64)
    for line in range(count):
        end = first[line + 1] if line + 1 < count else len(bucket)
        for block in range(0, width, _LANES):
            _add_rows(
                table.ctypes.data + block, width, bucket.ctypes.data + 4 * first[line], end - first[line], shift,
                sums.ctypes.data + 4 * block,
            )  # fmt: skip
        for k in range(classes):
            out[line, k] = sums[k]
    return out
