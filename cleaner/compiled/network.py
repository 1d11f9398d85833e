"""The network's layers: products of small whole numbers, two or four at a time where the processor can.

The products are written in the compiler's own language, as no loop in Python makes it keep the sums in registers. Each
step of them takes four bytes of each of some lines, a pair of numbers of 16 bits or four of 8, and multiplies them by
the weights of some columns (a register tile; Goto and van de Geijn 2008, Anatomy of High-Performance Matrix
Multiplication).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from llvmlite import ir
from llvmlite.binding import llvm_version_info
from numba import types
from numba.core import cgutils
from numpy.typing import NDArray

from cleaner.compiled.jit import compiled, has, in_llvm

_I8, _I16, _I32, _I64, _F32 = ir.IntType(8), ir.IntType(16), ir.IntType(32), ir.IntType(64), ir.FloatType()

#: How many sums a register holds, and how many lines and registers of sums are worked on at once: as many as fit into
#: the registers of a processor with AVX-512 (32 of 16 sums), or another (16 of 8, 32 of 4).
_LANES, _LINES, _REGISTERS = (16, 8, 3) if has("avx512bw") else (8, 4, 3) if has("avx2") else (4, 4, 4)
#: How many lines go through all layers together: few enough for a processor's cache.
_STRETCH = 1024
#: How many columns of a layer, and of the output, are worked on at once.
_COLUMNS, _CLASSES = _LANES * _REGISTERS, _LANES

_SUMS, _FLOATS = ir.VectorType(_I32, _LANES), ir.VectorType(_F32, _LANES)
_PAIRS, _FOURS = ir.VectorType(_I16, 2 * _LANES), ir.VectorType(_I8, 4 * _LANES)
#: Whether numbers of 8 bits are multiplied four at a time.
_BYTES = _LANES == 16 and has("avx512vnni")


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
    """Add the products of pairs of 16 bits, or of fours of 8, the first without a sign, to sums of 32 bits."""
    if a.type == _FOURS:
        # what the instruction takes was called numbers of 32 bits up to LLVM 21
        kind = _FOURS if llvm_version_info >= (22,) else _SUMS
        a, b = builder.bitcast(a, kind), builder.bitcast(b, kind)
        return _call(builder, "llvm.x86.avx512.vpdpbusd.512", _SUMS, total, a, b)
    if _LANES == 16:  # one instruction where there is one that also adds
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
    builder: ir.IRBuilder, rows: Any, segments: Any, steps: Any, weight: Any, registers: int, operands: ir.Type
) -> list[list[Any]]:
    """The sums of `_LINES` lines in `registers` times `_LANES` columns, left in registers.

    Args:
        builder: at the end of a block.
        rows: the address of int64 [segments, _LINES], the addresses of the lines' numbers.
        segments: of how many stretches, in different places, each line's numbers are made up.
        steps: how many times four bytes a stretch has.
        weight: the address of [segments, steps, columns, four bytes].
        registers: how many.
        operands: `_PAIRS` or `_FOURS`.
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
    weights = _address(builder, weight, builder.mul(segment, steps), 4 * columns)
    builder.branch(inner)

    builder.position_at_end(inner)
    at = builder.phi(_I64)
    totals = [[builder.phi(_SUMS) for _ in range(registers)] for _ in range(_LINES)]
    here = _address(builder, weights, at, 4 * columns)
    taken = [_load(builder, builder.add(here, _number(4 * _LANES * k)), operands, 4) for k in range(registers)]
    sums = []
    for line, known in zip(lines, totals, strict=True):
        few = _load(builder, _address(builder, line, at, 4), _I32, 1)
        spread = builder.bitcast(_spread(builder, few, _SUMS), operands)
        sums.append([_add_products(builder, total, spread, each) for total, each in zip(known, taken, strict=True)])
    following = builder.add(at, _number(1))
    builder.cbranch(builder.icmp_signed("<", following, steps), inner, leave)

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
    context: Any, kinds: Any, rows: Any, segments: Any, steps: Any, weight: Any, bias: Any, scale: Any, largest: Any,
    before: Any, before_width: Any, out: Any, width: Any,
) -> tuple[Any, Callable[..., Any]]:  # fmt: skip
    """`_COLUMNS` units of `_LINES` lines: their sums, rounded as numpy does in float32, upon what was there before.

    Args:
        context: numba's.
        kinds: an array of weights and one of units, for their types.
        rows, segments, steps, weight: as for `_products`.
        bias, scale: the addresses of float32 [_COLUMNS].
        largest: float32, of a unit.
        before: the address of units [_LINES, before_width]; `_COLUMNS` of each row are read.
        before_width: how many numbers lie between two of its rows.
        out: the address of units [_LINES, width]; `_COLUMNS` of each row are written.
        width: as before.
    """
    operands = _FOURS if kinds[0].dtype == types.int8 else _PAIRS
    unit, size = (_I8, 1) if kinds[1].dtype == types.uint8 else (_I16, 2)
    units = ir.VectorType(unit, _LANES)

    def generate(target: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        _, rows, segments, steps, weight, bias, scale, largest, before, before_width, out, width = arguments
        totals = _products(builder, rows, segments, steps, weight, _REGISTERS, operands)
        limit, zero = _spread(builder, largest, _FLOATS), ir.Constant(_FLOATS, [0.0] * _LANES)
        for k in range(_REGISTERS):
            offset = _number(4 * _LANES * k)
            added = _load(builder, builder.add(bias, offset), _FLOATS, 4)
            factor = _load(builder, builder.add(scale, offset), _FLOATS, 4)
            for line, known in enumerate(totals):
                value = builder.fmul(builder.fadd(builder.sitofp(known[k], _FLOATS), added), factor)
                value = _call(builder, f"llvm.rint.v{_LANES}f32", _FLOATS, value)
                value = builder.select(builder.fcmp_ordered(">", value, zero), value, zero)
                place = _address(builder, before, _line(builder, before_width, line, k), size)
                there = builder.zext(_load(builder, place, units, 1), _SUMS)  # a unit is never below 0
                value = builder.fadd(value, builder.sitofp(there, _FLOATS))
                value = builder.select(builder.fcmp_ordered("<", value, limit), value, limit)
                place = _address(builder, out, _line(builder, width, line, k), size)
                small = builder.trunc(builder.fptosi(value, _SUMS), units)
                builder.store(small, builder.inttoptr(place, units.as_pointer()), align=1)
        return target.get_dummy_value()

    numbers = (types.int64,) * 4
    return types.void(kinds, types.int64, types.int64, *numbers, types.float32, *numbers), generate


@in_llvm
def _scores(
    context: Any, rows: Any, segments: Any, steps: Any, weight: Any, out: Any, width: Any
) -> tuple[Any, Callable[..., Any]]:
    """`_CLASSES` sums of `_LINES` lines.

    Args:
        context: numba's.
        rows, segments, steps, weight: as for `_products`, of 16 bits.
        out: the address of int32 [_LINES, width]; `_CLASSES` of each row are written.
        width: how many numbers lie between two of its rows.
    """

    def generate(target: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        rows, segments, steps, weight, out, width = arguments
        for line, (total,) in enumerate(_products(builder, rows, segments, steps, weight, 1, _PAIRS)):
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
        hidden: int16 [blocks of columns, steps, _COLUMNS, 2].
        layers: each int16 [groups, blocks of columns, 3, steps, _COLUMNS, 2], or int8 with 4 for the 2.
        output: int16 [blocks of columns, groups, steps, _CLASSES, 2].
        bias, scale: float32 [layers + 1, units].
        output_bias: float32 [classes].
        distances: how many lines away each layer looks.
        largest: of the units.
        unit: what they are kept in, int16 or uint8.
    """

    hidden: NDArray[np.int16]
    layers: tuple[NDArray[np.signedinteger], ...]
    output: NDArray[np.int16]
    bias: NDArray[np.float32]
    scale: NDArray[np.float32]
    output_bias: NDArray[np.float32]
    distances: tuple[int, ...]
    largest: int
    unit: type[np.int16] | type[np.uint8]


def _in_steps(
    weight: NDArray[np.float32], columns: int, kind: type[np.int16] | type[np.int8] = np.int16
) -> NDArray[np.signedinteger]:
    """Weights [..., inputs, outputs] as [blocks of columns, ..., steps, columns, four bytes]."""
    *others, inputs, outputs = weight.shape
    together = 4 // np.dtype(kind).itemsize
    steps = -(-inputs // together)
    padded = np.zeros((*others, steps * together, -(-outputs // columns) * columns), dtype=kind)
    padded[..., :inputs, :outputs] = weight
    apart = padded.reshape(*others, steps, together, -1, columns)
    return np.ascontiguousarray(np.moveaxis(np.moveaxis(apart, -2, 0), -2, -1))


def pack(
    hidden: tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]],
    layers: Sequence[tuple[int, NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]],
    output: tuple[NDArray[np.float32], NDArray[np.float32]],
    largest: int,
) -> Packed | None:
    """A network's weights as the loops read them; None if they do not fit into 16 bits.

    Args:
        hidden: weight [inputs, units], bias and scale of the first layer.
        layers: distance, weight [groups, 3, units of a group, units of a group], bias and scale of each further one.
        output: weight [units, classes] and bias of the last.
        largest: of the units.
    """

    def most(weights: Iterable[NDArray[np.float32]]) -> int:
        return int(max((np.abs(weight).max(initial=0) for weight in weights), default=0))

    if max(most([hidden[0], *(layer[1] for layer in layers), output[0]]), largest) > np.iinfo(np.int16).max:
        return None
    in_bytes = _BYTES and most(layer[1] for layer in layers) <= np.iinfo(np.int8).max and largest <= 255
    groups = len(layers[0][1]) if layers else 1
    classes = output[0].shape[1]

    def in_groups(values: NDArray[np.float32]) -> NDArray[np.float32]:
        size = values.shape[-1] // groups
        padded = np.zeros((*values.shape[:-1], groups, -(-size // _COLUMNS) * _COLUMNS), dtype=np.float32)
        padded[..., :size] = values.reshape(*values.shape[:-1], groups, size)
        return padded.reshape(*values.shape[:-1], -1)

    kind = np.int8 if in_bytes else np.int16
    return Packed(
        _in_steps(in_groups(hidden[0]), _COLUMNS),
        tuple(np.stack([_in_steps(group, _COLUMNS, kind) for group in layer[1]]) for layer in layers),
        _in_steps(output[0].reshape(groups, -1, classes), _CLASSES),
        in_groups(np.stack([hidden[1], *(layer[2] for layer in layers)])),
        in_groups(np.stack([hidden[2], *(layer[3] for layer in layers)])),
        output[1],
        tuple(layer[0] for layer in layers),
        largest,
        np.uint8 if in_bytes else np.int16,
    )


@compiled
def _first(features: Any, weight: Any, bias: Any, scale: Any, largest: int, given: Any, units: Any) -> None:
    """The first layer's units of some lines, by way of `given`: int16 [lines and more, 2 * steps]."""
    count, inputs = features.shape
    blocks, steps = weight.shape[:2]
    for line in range(count):
        row, taken = given[line], features[line]
        for k in range(inputs):
            row[k] = taken[k]
    none = np.zeros(_COLUMNS, dtype=units.dtype)
    rows = np.empty((1, _LINES), dtype=np.int64)
    for block in range(blocks):
        for at in range(0, count, _LINES):
            for line in range(_LINES):
                rows[0, line] = given.ctypes.data + 4 * steps * (at + line)
            _units(
                (weight, units), rows.ctypes.data, 1, steps, weight.ctypes.data + 4 * block * steps * _COLUMNS,
                bias.ctypes.data + 4 * block * _COLUMNS, scale.ctypes.data + 4 * block * _COLUMNS, np.float32(largest),
                none.ctypes.data, 0,
                units.ctypes.data + units.itemsize * (at * len(bias) + block * _COLUMNS), len(bias),
            )  # fmt: skip


@compiled
def _layer(units: Any, place: Any, distance: int, weight: Any, bias: Any, scale: Any, largest: int, out: Any) -> None:
    """The units of some lines with what they gain from the lines before and after, where these are among them."""
    groups, blocks, segments, steps = weight.shape[:4]
    count, width = len(place), units.shape[1]
    size, away = blocks * _COLUMNS, units.itemsize * distance * width
    none = np.zeros(width, dtype=units.dtype)
    rows = np.empty((segments, _LINES), dtype=np.int64)
    for group in range(groups):
        for block in range(blocks):  # its weights stay in the processor's nearest cache
            column = group * size + block * _COLUMNS
            for at in range(0, count, _LINES):
                for line in range(_LINES):
                    i = at + line
                    here, nothing = units.ctypes.data + units.itemsize * (i * width + group * size), none.ctypes.data
                    rows[0, line] = here - away if distance <= i < count and place[i] >= distance else nothing
                    rows[1, line] = here
                    after = i + distance
                    rows[2, line] = here + away if after < count and place[after] >= distance else nothing
                _units(
                    (weight, units), rows.ctypes.data, segments, steps,
                    weight.ctypes.data + 4 * (group * blocks + block) * segments * steps * _COLUMNS,
                    bias.ctypes.data + 4 * column, scale.ctypes.data + 4 * column, np.float32(largest),
                    units.ctypes.data + units.itemsize * (at * width + column), width,
                    out.ctypes.data + units.itemsize * (at * width + column), width,
                )  # fmt: skip


@compiled
def _last(units: Any, begin: int, weight: Any, bias: Any, out: Any) -> None:
    """What the output layer sums up for the lines from `begin` on: float64 [lines, classes]."""
    blocks, segments, steps = weight.shape[:3]
    width = units.shape[1]
    given = np.empty((_LINES, width), dtype=np.int16)
    rows = np.empty((segments, _LINES), dtype=np.int64)
    for segment in range(segments):
        for line in range(_LINES):
            rows[segment, line] = given.ctypes.data + 2 * (line * width + segment * (width // segments))
    sums = np.empty((_LINES, blocks * _CLASSES), dtype=np.int32)
    for at in range(0, len(out), _LINES):
        for line in range(_LINES):
            row, taken = given[line], units[begin + at + line]
            for k in range(width):
                row[k] = taken[k]
        for block in range(blocks):
            _scores(
                rows.ctypes.data, segments, steps, weight.ctypes.data + 4 * block * segments * steps * _CLASSES,
                sums.ctypes.data + 4 * block * _CLASSES, blocks * _CLASSES,
            )  # fmt: skip
        for line in range(min(_LINES, len(out) - at)):
            for k in range(len(bias)):
                out[at + line, k] = np.float32(sums[line, k]) + bias[k]


def logits(weights: Packed, features: NDArray[np.int8], place: NDArray[np.int64]) -> NDArray[np.float64]:
    """What a network's output layer sums up, float64 [lines, classes], whole numbers.

    Args:
        weights: from `pack`.
        features: int8 [lines, inputs], of whole documents.
        place: int64 [lines], each line's place in its document, from 0.
    """
    reach = sum(weights.distances)
    most = min(_STRETCH + 2 * reach, len(features)) + 2 * _LINES
    steps, width = weights.hidden.shape[1], weights.bias.shape[1]
    given = np.zeros((most, 2 * steps), dtype=np.int16)
    units, others = np.zeros((2, most, width), dtype=weights.unit)
    out = np.empty((len(features), len(weights.output_bias)), dtype=np.float64)
    for at in range(0, len(features), _STRETCH):
        begin, end = max(at - reach, 0), at + _STRETCH + reach  # a stretch, and all that it looks at
        places = place[begin:end]
        _first(features[begin:end], weights.hidden, weights.bias[0], weights.scale[0], weights.largest, given, units)
        for k, (distance, weight) in enumerate(zip(weights.distances, weights.layers, strict=True), start=1):
            _layer(units, places, distance, weight, weights.bias[k], weights.scale[k], weights.largest, others)
            units, others = others, units
        _last(units, at - begin, weights.output, weights.output_bias, out[at : at + _STRETCH])
    return out
