// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRefereeTypes} from "../interfaces/IRefereeTypes.sol";
import {IScalarMachine} from "../interfaces/IScalarMachine.sol";
import {Philox} from "../libraries/Philox.sol";
import {Records} from "../libraries/Records.sol";
import {SoftFloat} from "../libraries/SoftFloat.sol";

/// @title The machine that does one operation of a program; documented on IScalarMachine.
/// @notice Operators are data: a record brings its index maps and its instructions, and this runs them.
contract ScalarMachine is IScalarMachine {
    using Records for bytes;

    uint256 private constant BATCHES = 2;

    /// Reads a record from one word to the next.
    struct Cursor {
        uint256 place;
        uint256 element;
        uint256 term;
    }

    struct OperandHead {
        bool isIndex;
        uint256 traceLeaf;
        uint256 indirect;
        int256 coefficient;
        uint256 limit;
    }

    /// @inheritdoc IScalarMachine
    function evaluate(Query calldata query, bytes calldata record, IRefereeTypes.Operand[] calldata leaves)
        external
        pure
        returns (uint32)
    {
        uint256 kind = record.word(0);
        if (kind == Records.ELEMENT) {
            Cursor memory cursor = Cursor(4, query.element, query.term);
            uint256 term = _term(cursor, record, leaves);
            return uint32(query.folded ? _fold(record.word(2), query.partialWord, term) : term);
        }
        if (kind == Records.AFTER) return uint32(_ofState(record, query.element, leaves));
        if (kind == Records.TOKENS) return uint32(_token(query, record, leaves));
        if (kind == Records.UNIFORM) return uint32(_uniform(query, record));
        revert IRefereeTypes.RecordKind(kind);
    }

    /// @inheritdoc IScalarMachine
    function combine(uint256 reduction, bytes calldata partials) external pure returns (uint32) {
        uint256[8] memory p;
        for (uint256 i = 0; i < 8; ++i) {
            p[i] = partials.word(i);
        }
        for (uint256 apart = 4; apart > 0; apart >>= 1) {
            for (uint256 i = 0; i < apart; ++i) {
                p[i] = _fold(reduction, p[i], p[i + apart]);
            }
        }
        return uint32(p[0]);
    }

    function _fold(uint256 reduction, uint256 a, uint256 b) private pure returns (uint256) {
        if (reduction != Records.ROW_MAXIMUM) return SoftFloat.add(a, b);
        return SoftFloat.canonical(SoftFloat.less(a, b) == 1 ? b : a);
    }

    /// The output register at (element, term).
    function _term(Cursor memory cursor, bytes calldata record, IRefereeTypes.Operand[] calldata leaves)
        private
        pure
        returns (uint256)
    {
        uint256[] memory operands = new uint256[](_list(cursor, record));
        for (uint256 i = 0; i < operands.length; ++i) {
            operands[i] = _operand(cursor, record, operands, i, leaves);
        }
        return SoftFloat.canonical(_run(cursor, record, operands));
    }

    /// The next word, unsigned.
    function _next(Cursor memory cursor, bytes calldata record) private pure returns (uint256) {
        return record.word(cursor.place++);
    }

    function _signed(Cursor memory cursor, bytes calldata record) private pure returns (int256) {
        return int32(uint32(record.word(cursor.place++)));
    }

    /// The next word as the length of a list that the record can hold.
    function _list(Cursor memory cursor, bytes calldata record) private pure returns (uint256 length) {
        length = _next(cursor, record);
        if (4 * length > record.length) revert IRefereeTypes.RecordInvalid(cursor.place - 1);
    }

    /// The word of the next operand in the list (D-09).
    function _operand(
        Cursor memory cursor,
        bytes calldata record,
        uint256[] memory earlier,
        uint256 number,
        IRefereeTypes.Operand[] calldata leaves
    ) private pure returns (uint256) {
        OperandHead memory head;
        head.isIndex = _next(cursor, record) == 1;
        head.traceLeaf = _next(cursor, record);
        // Levels of the leaf's tree: for whoever proves it.
        _next(cursor, record);
        int256 index = int256(_next(cursor, record));
        if (head.isIndex) index = 0;
        head.indirect = _next(cursor, record);
        head.coefficient = _signed(cursor, record);
        head.limit = _next(cursor, record);
        (bool inside, int256 sum) = _axes(cursor, record);
        if (!inside) return 0;
        index += sum;
        if (head.indirect > 0) {
            if (head.indirect > number) revert IRefereeTypes.RecordInvalid(cursor.place);
            uint256 place = earlier[head.indirect - 1];
            // Unsigned: a negative integer is beyond every limit.
            if (place >= head.limit) return 0;
            index += int256(place) * head.coefficient;
        }
        if (head.isIndex) return uint32(uint256(index));
        if (index < 0) revert IRefereeTypes.RecordInvalid(cursor.place);
        return _read(leaves, head.traceLeaf, uint256(index));
    }

    /// Sum over the axes of (s / divisor) · coefficient; not inside when an axis is not.
    function _axes(Cursor memory cursor, bytes calldata record) private pure returns (bool inside, int256 sum) {
        inside = true;
        uint256 axes = _list(cursor, record);
        for (uint256 i = 0; i < axes; ++i) {
            int256 s = _signed(cursor, record);
            uint256 divisor = _next(cursor, record);
            uint256 limit = _next(cursor, record);
            int256 coefficient = _signed(cursor, record);
            if (divisor == 0) revert IRefereeTypes.RecordInvalid(cursor.place - 3);
            s += _terms(cursor, record);
            // Goes on to the end of the operand in the record all the same.
            if (s < 0 || uint256(s) % divisor != 0 || (limit != 0 && uint256(s) / divisor >= limit)) inside = false;
            else sum += int256(uint256(s) / divisor) * coefficient;
        }
    }

    function _terms(Cursor memory cursor, bytes calldata record) private pure returns (int256 sum) {
        uint256 terms = _list(cursor, record);
        for (uint256 i = 0; i < terms; ++i) {
            uint256 v = _next(cursor, record) == 1 ? cursor.term : cursor.element;
            uint256 divide = _next(cursor, record);
            uint256 modulo = _next(cursor, record);
            if (divide == 0) revert IRefereeTypes.RecordInvalid(cursor.place - 2);
            v /= divide;
            if (modulo != 0) v %= modulo;
            sum += int256(v) * _signed(cursor, record);
        }
    }

    /// Runs the instructions and gives the output register (D-10, E-04).
    function _run(Cursor memory cursor, bytes calldata record, uint256[] memory operands) private pure returns (uint256) {
        uint256 count = _list(cursor, record);
        if (count > 255) revert IRefereeTypes.RecordInvalid(cursor.place - 1);
        // One for every number that a byte can name: none has to be checked.
        uint256[256] memory r;
        for (uint256 i = 0; i < count; ++i) {
            uint256 code = _next(cursor, record);
            uint256 immediate = _next(cursor, record);
            uint256 operation = code >> 24;
            if (operation == 0) {
                if (immediate >= operands.length) revert IRefereeTypes.RecordInvalid(cursor.place - 1);
                r[i] = operands[immediate];
            } else if (operation <= 2) {
                r[i] = operation == 1 ? SoftFloat.canonical(immediate) : immediate;
            } else {
                r[i] = _instruction(operation, r[(code >> 16) & 255], r[(code >> 8) & 255], r[code & 255], immediate);
            }
        }
        uint256 output = _next(cursor, record);
        if (output >= count) revert IRefereeTypes.RecordInvalid(cursor.place - 1);
        return r[output];
    }

    function _instruction(uint256 operation, uint256 a, uint256 b, uint256 c, uint256 immediate)
        private
        pure
        returns (uint256)
    {
        unchecked {
            if (operation < 8) {
                if (operation == 5) return SoftFloat.multiply(a, b);
                if (operation == 3) return SoftFloat.add(a, b);
                if (operation == 4) return SoftFloat.subtract(a, b);
                if (operation == 6) return SoftFloat.divide(a, b);
                return SoftFloat.sqrt(a);
            }
            if (operation < 14) {
                if (operation == 8) return SoftFloat.negate(a);
                if (operation == 9) return SoftFloat.absolute(a);
                if (operation == 10) return SoftFloat.less(a, b);
                if (operation == 11) return SoftFloat.lessOrEqual(a, b);
                if (operation == 12) return SoftFloat.equal(a, b);
                return a == 1 ? b : c;
            }
            if (operation < 16) return SoftFloat.canonical(a);
            if (operation == 16) return SoftFloat.fromInteger(a);
            if (operation == 17) return uint32(a + b);
            if (operation == 18) return uint32(a - b);
            if (operation == 19) return uint32(a << (immediate & 31));
            if (operation == 20) return uint32(int32(uint32(a)) >> (immediate & 31));
            if (operation == 21) return a == b ? 1 : 0;
            if (operation == 22) return int32(uint32(a)) <= int32(uint32(b)) ? 1 : 0;
        }
        revert IRefereeTypes.RecordKind(operation);
    }

    /// Element of the state after: that of the trace leaf that its segment names; +0 in a gap within a leaf.
    function _ofState(bytes calldata record, uint256 element, IRefereeTypes.Operand[] calldata leaves)
        private
        pure
        returns (uint256)
    {
        uint256 place = record.segmentOf(element);
        if (place == 0) return 0;
        return _read(leaves, record.word(place + 2), record.word(place + 4) + element - record.word(place));
    }

    function _token(Query calldata query, bytes calldata record, IRefereeTypes.Operand[] calldata leaves)
        private
        pure
        returns (uint256)
    {
        (uint256 T, uint256 N) = (record.word(2), record.word(3));
        if (T == 0 || N <= T) revert IRefereeTypes.RecordInvalid(2);
        uint256 drawn = Philox.word(query.streamKey, BATCHES, query.step, query.element / T);
        uint256 place = ((drawn * (N - T)) >> 32) + query.element % T + record.word(4);
        for (uint256 i = 0; i < leaves.length; ++i) {
            if (leaves[i].leaf != place >> 10) continue;
            if (leaves[i].data.length <= place & 1023) break;
            return uint8(leaves[i].data[place & 1023]);
        }
        revert IRefereeTypes.OperandMissing(0, place >> 10);
    }

    /// word(e) / 2^8 as an integer, over 2^24.
    function _uniform(Query calldata query, bytes calldata record) private pure returns (uint256) {
        uint256 drawn = Philox.word(query.streamKey, record.word(2), query.step, query.element) >> 8;
        return drawn == 0 ? 0 : SoftFloat.fromInteger(drawn) - (24 << 23);
    }

    /// The word at `index` of a trace leaf; little-endian in its 1 KiB leaf.
    function _read(IRefereeTypes.Operand[] calldata leaves, uint256 traceLeaf, uint256 index) private pure returns (uint256) {
        (uint256 leaf, uint256 place) = (index >> 8, 4 * (index & 255));
        for (uint256 i = 0; i < leaves.length; ++i) {
            if (leaves[i].traceLeaf != traceLeaf || leaves[i].leaf != leaf) continue;
            bytes calldata data = leaves[i].data;
            if (place + 4 > data.length) break;
            uint256 bigEndian = uint32(bytes4(data[place:place + 4]));
            return (bigEndian >> 24) | ((bigEndian >> 8) & 0xff00) | ((bigEndian << 8) & 0xff0000) | ((bigEndian & 255) << 24);
        }
        revert IRefereeTypes.OperandMissing(traceLeaf, leaf);
    }
}
