"""The network's layers: products of small whole numbers, two at a time where the processor can.

The products are written in the compiler's own language, as no loop in Python makes it keep the sums in registers. Each
step of them takes a pair of 16-bit numbers of each of some lines and multiplies it by the pairs of weights of some
columns (a register tile, Goto and van de Geijn 2008, Anatomy of High-Performance Matrix Multiplication).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numpy.typing import NDArray

from cleaner.compiled.jit import compiled, has, in_llvm

_I16, _I32, _I64, _F32 = ir.IntType(16), ir.IntType(32), ir.IntType(64), ir.FloatType()

#: How many sums a register holds, and how many lines and registers of sums are worked on at once: as many as fit into
#: the registers of a processor with AVX-512 (32 of 16 sums), or another (16 of 8, 32 of 4).
_LANES, _LINES, _REGISTERS = (16, 8, 3) if has("avx512bw") else (8, 4, 3) if has("avx2") else (4, 4, 4)
#: How many lines go through all layers together: few enough for a processor's cache.
_STRETCH = 1024
#: How many columns of a layer, and of the output, are worked on at once.
_COLUMNS, _CLASSES = _LANES * _REGISTERS, _LANES

_SUMS, _PAIRS = ir.VectorType(_I32, _LANES), ir.VectorType(_I16, 2 * _LANES)
_FLOATS, _UNITS = ir.VectorType(_F32, _LANES), ir.VectorType(_I16, _LANES)


def _number(value: int) -> Any:
    return ir.Constant(_I64, value)


def _address(builder: ir.IRBuilder, base: Any, items: Any, size: int) -> Any:
    return builder.add(base, builder.mul(items, _number(size)))


def _load(builder: ir.IRBuilder, address: Any, kind: ir.Type, align: int) -> Any:
    return builder.load(builder.inttoptr(address, kind.as_pointer()), align=align)


def _spread(builder: ir.IRBuilder, value: Any, kind: ir.Type) -> Any:
    """A vector with the same value in each place."""
    nothing = ir.Constant(kind, ir.Undefined)
    single = builder.insert_element(nothing, value, ir.Constant(_I32, 0))
    return builder.shuffle_vector(single, nothing, ir.Constant(_SUMS, [0] * _LANES))


def _call(builder: ir.IRBuilder, name: str, result: ir.Type, *arguments: Any) -> Any:
    kind = ir.FunctionType(result, [each.type for each in arguments])
    function = cgutils.get_or_insert_function(builder.module, kind, name)  # type: ignore[no-untyped-call]
    return builder.call(function, arguments)


def _add_products(builder: ir.IRBuilder, total: Any, a: Any, b: Any) -> Any:
    """Add the products of pairs of 16 bits to sums of 32 bits."""
    if _LANES == 16 and has("avx512vnni"):
        return _call(builder, "llvm.x86.avx512.vpdpwssd.512", _SUMS, total, a, b)
    if _LANES == 16:
        return builder.add(total, _call(builder, "llvm.x86.avx512.pmaddw.d.512", _SUMS, a, b))
    if _LANES == 8:
        return builder.add(total, _call(builder, "llvm.x86.avx2.pmadd.wd", _SUMS, a, b))
    nothing = ir.Constant(_PAIRS, ir.Undefined)
    for odd in (0, 1):
        places = ir.Constant(_SUMS, list(range(odd, 2 * _LANES, 2)))
        halves = [builder.sext(builder.shuffle_vector(each, nothing, places), _SUMS) for each in (a, b)]
        total = builder.add(total, builder.mul(*halves))
    return total


def _products(
    builder: ir.IRBuilder, rows: Any, segments: Any, pairs: Any, weight: Any, registers: int
) -> list[list[Any]]:
    """The sums of `_LINES` lines in `registers` times `_LANES` columns, left in registers.

    Args:
        builder: at the end of a block.
        rows: the address of int64 [segments, _LINES], the addresses of int16 [2 * pairs].
        segments: of how many stretches, in different places, each line's numbers are made up.
        pairs: half the numbers of a stretch.
        weight: the address of int16 [segments, pairs, columns, 2].
        registers: how many.
    """
    columns = registers * _LANES
    enter, outer, inner, leave, after = builder.block, *(builder.append_basic_block() for _ in range(4))
    zero = ir.Constant(_SUMS, [0] * _LANES)
    builder.branch(outer)

    builder.position_at_end(outer)
    segment = builder.phi(_I64)
    kept = [[builder.phi(_SUMS) for _ in range(registers)] for _ in range(_LINES)]
    first = _address(builder, rows, segment, 8 * _LINES)
    lines = [_load(builder, builder.add(first, _number(8 * line)), _I64, 8) for line in range(_LINES)]
    weights = _address(builder, weight, builder.mul(segment, pairs), 4 * columns)
    builder.branch(inner)

    builder.position_at_end(inner)
    at = builder.phi(_I64)
    totals = [[builder.phi(_SUMS) for _ in range(registers)] for _ in range(_LINES)]
    here = _address(builder, weights, at, 4 * columns)
    taken = [_load(builder, builder.add(here, _number(4 * _LANES * k)), _PAIRS, 4) for k in range(registers)]
    sums = []
    for line, known in zip(lines, totals, strict=True):
        pair = _load(builder, _address(builder, line, at, 4), _I32, 2)
        spread = builder.bitcast(_spread(builder, pair, _SUMS), _PAIRS)
        sums.append([_add_products(builder, total, spread, each) for total, each in zip(known, taken, strict=True)])
    following = builder.add(at, _number(1))
    builder.cbranch(builder.icmp_signed("<", following, pairs), inner, leave)

    builder.position_at_end(leave)
    next_segment = builder.add(segment, _number(1))
    builder.cbranch(builder.icmp_signed("<", next_segment, segments), outer, after)

    for phi, start, again in ((segment, _number(0), next_segment), (at, _number(0), following)):
        phi.add_incoming(start, enter if phi is segment else outer)
        phi.add_incoming(again, leave if phi is segment else inner)
    for line in range(_LINES):
        for k in range(registers):
            kept[line][k].add_incoming(zero, enter)
            kept[line][k].add_incoming(sums[line][k], leave)
            totals[line][k].add_incoming(kept[line][k], outer)
            totals[line][k].add_incoming(sums[line][k], inner)
    builder.position_at_end(after)
    return sums


@in_llvm
def _units(
    context: Any, rows: Any, segments: Any, pairs: Any, weight: Any, bias: Any, scale: Any, largest: Any, before: Any,
    before_width: Any, out: Any, width: Any,
) -> tuple[Any, Callable[..., Any]]:  # fmt: skip
    """`_COLUMNS` units of `_LINES` lines: their sums, rounded as numpy does in float32, upon what was there before.

    Args:
        context: numba's.
        rows, segments, pairs, weight: as for `_products`.
        bias, scale: the addresses of float32 [_COLUMNS].
        largest: float32, of a unit.
        before: the address of int16 [_LINES, before_width]; `_COLUMNS` of each row are read.
        before_width: how many numbers lie between two of its rows.
        out: the address of int16 [_LINES, width]; `_COLUMNS` of each row are written.
        width: as before.
    """

    def generate(target: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        rows, segments, pairs, weight, bias, scale, largest, before, before_width, out, width = arguments
        totals = _products(builder, rows, segments, pairs, weight, _REGISTERS)
        limit, zero = _spread(builder, largest, _FLOATS), ir.Constant(_FLOATS, [0.0] * _LANES)
        for k in range(_REGISTERS):
            offset = _number(4 * _LANES * k)
            added = _load(builder, builder.add(bias, offset), _FLOATS, 4)
            factor = _load(builder, builder.add(scale, offset), _FLOATS, 4)
            for line, known in enumerate(totals):
                value = builder.fmul(builder.fadd(builder.sitofp(known[k], _FLOATS), added), factor)
                value = _call(builder, f"llvm.rint.v{_LANES}f32", _FLOATS, value)
                value = builder.select(builder.fcmp_ordered(">", value, zero), value, zero)
                place = _address(builder, before, _line(builder, before_width, line, k), 2)
                value = builder.fadd(value, builder.sitofp(_load(builder, place, _UNITS, 2), _FLOATS))
                value = builder.select(builder.fcmp_ordered("<", value, limit), value, limit)
                place = builder.inttoptr(_address(builder, out, _line(builder, width, line, k), 2), _UNITS.as_pointer())
                builder.store(builder.trunc(builder.fptosi(value, _SUMS), _UNITS), place, align=2)
        return target.get_dummy_value()

    numbers = (types.int64,) * 4
    return types.void(types.int64, types.int64, *numbers, types.float32, *numbers), generate


@in_llvm
def _scores(
    context: Any, rows: Any, segments: Any, pairs: Any, weight: Any, out: Any, width: Any
) -> tuple[Any, Callable[..., Any]]:
    """`_CLASSES` sums of `_LINES` lines.

    Args:
        context: numba's.
        rows, segments, pairs, weight: as for `_products`.
        out: the address of int32 [_LINES, width]; `_CLASSES` of each row are written.
        width: how many numbers lie between two of its rows.
    """

    def generate(target: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        rows, segments, pairs, weight, out, width = arguments
        for line, (total,) in enumerate(_products(builder, rows, segments, pairs, weight, 1)):
            place = _address(builder, out, _line(builder, width, line, 0), 4)
            builder.store(total, builder.inttoptr(place, _SUMS.as_pointer()), align=4)
        return target.get_dummy_value()

    return types.void(*(types.int64,) * 6), generate


def _line(builder: ir.IRBuilder, width: Any, line: int, register: int) -> Any:
    return builder.add(builder.mul(width, _number(line)), _number(_LANES * register))


@dataclass(frozen=True, eq=False)
class Packed:
    """A network's weights as the loops read them.

    Units come in groups, each padded to a multiple of `_COLUMNS` with units that are always 0.

    Attributes:
        hidden: int16 [blocks of columns, pairs, _COLUMNS, 2].
        layers: each int16 [groups, blocks of columns, 3, pairs, _COLUMNS, 2].
        output: int16 [blocks of columns, groups, pairs, _CLASSES, 2].
        bias, scale: float32 [layers + 1, units].
        output_bias: float32 [classes].
        steps: int64 [layers].
    """

    hidden: NDArray[np.int16]
    layers: tuple[NDArray[np.int16], ...]
    output: NDArray[np.int16]
    bias: NDArray[np.float32]
    scale: NDArray[np.float32]
    output_bias: NDArray[np.float32]
    steps: tuple[int, ...]


def _paired(weight: NDArray[np.float32], columns: int) -> NDArray[np.int16]:
    """Weights [..., inputs, outputs] as int16 [blocks of columns, ..., pairs, columns, 2]."""
    *others, inputs, outputs = weight.shape
    padded = np.zeros((*others, inputs + inputs % 2, -(-outputs // columns) * columns), dtype=np.int16)
    padded[..., :inputs, :outputs] = weight
    paired = padded.reshape(*others, (inputs + 1) // 2, 2, -1, columns)
    return np.ascontiguousarray(np.moveaxis(np.moveaxis(paired, -2, 0), -2, -1))


def pack(
    hidden: tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]],
    layers: Sequence[tuple[int, NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]],
    output: tuple[NDArray[np.float32], NDArray[np.float32]],
) -> Packed | None:
    """A network's weights as the loops read them; None if they do not fit into 16 bits.

    Args:
        hidden: weight [inputs, units], bias and scale of the first layer.
        layers: step, weight [groups, 3, units of a group, units of a group], bias and scale of each further one.
        output: weight [units, classes] and bias of the last.
    """
    weights = (hidden[0], *(layer[1] for layer in layers), output[0])
    if max(np.abs(weight).max(initial=0) for weight in weights) > np.iinfo(np.int16).max:
        return None
    groups = len(layers[0][1]) if layers else 1
    classes = output[0].shape[1]

    def in_groups(values: NDArray[np.float32]) -> NDArray[np.float32]:
        size = values.shape[-1] // groups
        padded = np.zeros((*values.shape[:-1], groups, -(-size // _COLUMNS) * _COLUMNS), dtype=np.float32)
        padded[..., :size] = values.reshape(*values.shape[:-1], groups, size)
        return padded.reshape(*values.shape[:-1], -1)

    return Packed(
        _paired(in_groups(hidden[0]), _COLUMNS),
        tuple(np.stack([_paired(group, _COLUMNS) for group in layer[1]]) for layer in layers),
        _paired(output[0].reshape(groups, -1, classes), _CLASSES),
        in_groups(np.stack([hidden[1], *(layer[2] for layer in layers)])),
        in_groups(np.stack([hidden[2], *(layer[3] for layer in layers)])),
        output[1],
        tuple(layer[0] for layer in layers),
    )


@compiled
def _first(features: Any, weight: Any, bias: Any, scale: Any, largest: int, given: Any, units: Any) -> None:
    """The first layer's units of some lines, by way of `given`: int16 [lines and more, 2 * pairs]."""
    count, inputs = features.shape
    blocks, pairs = weight.shape[:2]
    for line in range(count):
        row, taken = given[line], features[line]
        for k in range(inputs):
            row[k] = taken[k]
    none = np.zeros(_COLUMNS, dtype=np.int16)
    rows = np.empty((1, _LINES), dtype=np.int64)
    for block in range(blocks):
        for at in range(0, count, _LINES):
            for line in range(_LINES):
                rows[0, line] = given.ctypes.data + 4 * pairs * (at + line)
            _units(
                rows.ctypes.data, 1, pairs, weight.ctypes.data + 4 * block * pairs * _COLUMNS,
                bias.ctypes.data + 4 * block * _COLUMNS, scale.ctypes.data + 4 * block * _COLUMNS, np.float32(largest),
                none.ctypes.data, 0,
                units.ctypes.data + 2 * (at * len(bias) + block * _COLUMNS), len(bias),
            )  # fmt: skip


@compiled
def _layer(units: Any, place: Any, step: int, weight: Any, bias: Any, scale: Any, largest: int, out: Any) -> None:
    """The units of some lines with what they gain from the lines before and after, where these are among them."""
    groups, blocks, segments, pairs = weight.shape[:4]
    count, width = len(place), units.shape[1]
    size = blocks * _COLUMNS
    none = np.zeros(width, dtype=np.int16)
    rows = np.empty((segments, _LINES), dtype=np.int64)
    for group in range(groups):
        for block in range(blocks):  # its weights stay in the processor's nearest cache
            column = group * size + block * _COLUMNS
            for at in range(0, count, _LINES):
                for line in range(_LINES):
                    i = at + line
                    here, nothing = units.ctypes.data + 2 * (i * width + group * size), none.ctypes.data
                    rows[0, line] = here - 2 * step * width if step <= i < count and place[i] >= step else nothing
                    rows[1, line] = here
                    rows[2, line] = here + 2 * step * width if i + step < count and place[i + step] >= step else nothing
                _units(
                    rows.ctypes.data, segments, pairs,
                    weight.ctypes.data + 4 * (group * blocks + block) * segments * pairs * _COLUMNS,
                    bias.ctypes.data + 4 * column, scale.ctypes.data + 4 * column, np.float32(largest),
                    units.ctypes.data + 2 * (at * width + column), width,
                    out.ctypes.data + 2 * (at * width + column), width,
                )  # fmt: skip


@compiled
def _last(units: Any, begin: int, weight: Any, bias: Any, out: Any) -> None:
    """What the output layer sums up for the lines from `begin` on: float64 [lines, classes]."""
    blocks, segments, pairs = weight.shape[:3]
    width = units.shape[1]
    rows = np.empty((segments, _LINES), dtype=np.int64)
    sums = np.empty((_LINES, blocks * _CLASSES), dtype=np.int32)
    for at in range(0, len(out), _LINES):
        for segment in range(segments):
            for line in range(_LINES):
                rows[segment, line] = units.ctypes.data + 2 * (
                    (begin + at + line) * width + segment * (width // segments)
                )
        for block in range(blocks):
            _scores(
                rows.ctypes.data, segments, pairs, weight.ctypes.data + 4 * block * segments * pairs * _CLASSES,
                sums.ctypes.data + 4 * block * _CLASSES, blocks * _CLASSES,
            )  # fmt: skip
        for line in range(min(_LINES, len(out) - at)):
            for k in range(len(bias)):
                out[at + line, k] = np.float32(sums[line, k]) + bias[k]


def logits(weights: Packed, features: NDArray[np.int8], place: NDArray[np.int64], largest: int) -> NDArray[np.float64]:
    """What a network's output layer sums up, float64 [lines, classes], whole numbers.

    Args:
        weights: from `pack`.
        features: int8 [lines, inputs], of whole documents.
        place: int64 [lines], each line's place in its document, from 0.
        largest: of the hidden units.
    """
    reach = sum(weights.steps)
    most = min(_STRETCH + 2 * reach, len(features)) + 2 * _LINES
    pairs, width = weights.hidden.shape[1], weights.bias.shape[1]
    given = np.zeros((most, 2 * pairs), dtype=np.int16)
    units, others = np.zeros((2, most, width), dtype=np.int16)
    out = np.empty((len(features), len(weights.output_bias)), dtype=np.float64)
    for at in range(0, len(features), _STRETCH):
        begin, end = max(at - reach, 0), at + _STRETCH + reach  # a stretch, and all that it looks at
        some, places = np.ascontiguousarray(features[begin:end]), place[begin:end]
        _first(some, weights.hidden, weights.bias[0], weights.scale[0], largest, given, units)
        for k, (step, weight) in enumerate(zip(weights.steps, weights.layers, strict=True), start=1):
            _layer(units, places, step, weight, weights.bias[k], weights.scale[k], largest, others)
            units, others = others, units
        _last(units, at - begin, weights.output, weights.output_bias, out[at : at + _STRETCH])
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
