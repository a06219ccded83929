// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRefereeTypes} from "../interfaces/IRefereeTypes.sol";
import {ShaTree} from "./ShaTree.sol";

/// @title What a record says of its trace leaf, short of computing it (D-08).
library Records {
    uint256 internal constant ELEMENT = 0;
    uint256 internal constant BEFORE = 1;
    uint256 internal constant AFTER = 2;
    uint256 internal constant TOKENS = 3;
    uint256 internal constant FIXED = 4;
    uint256 internal constant SCHEDULE = 5;
    uint256 internal constant UNIFORM = 6;
    uint256 internal constant BASE = 7;
    uint256 internal constant REFERENCE = 8;
    uint256 internal constant UPDATES = 9;

    uint256 internal constant ROW_SUM = 2;
    uint256 internal constant ROW_MAXIMUM = 3;

    /// Words of kind after: kind, part depth, n, then five a segment.
    uint256 private constant SEGMENTS = 3;

    /// @return value Word `i`, unsigned.
    function word(bytes calldata record, uint256 i) internal pure returns (uint256 value) {
        if (4 * i + 4 > record.length) revert IRefereeTypes.RecordInvalid(i);
        assembly ("memory-safe") { value := shr(224, calldataload(add(record.offset, mul(4, i)))) }
    }

    /// @return value The 32 bytes from word `i` on.
    function root(bytes calldata record, uint256 i) internal pure returns (bytes32 value) {
        if (4 * i + 32 > record.length) revert IRefereeTypes.RecordInvalid(i);
        assembly ("memory-safe") { value := calldataload(add(record.offset, mul(4, i))) }
    }

    /// @param parts Parts of the state.
    /// @return depth Levels of the leaf's own tree.
    /// @return count Its 1 KiB leaves; all places of the tree for a state.
    function tree(bytes calldata record, uint256 kind, uint256 parts) internal pure returns (uint256 depth, uint256 count) {
        if (kind == AFTER) {
            depth = word(record, 1) + ShaTree.depthOf(parts);
            if (depth > 31) revert IRefereeTypes.RecordInvalid(1);
            return (depth, 1 << depth);
        }
        uint256 size = word(record, 1);
        if (size == 0) revert IRefereeTypes.RecordInvalid(1);
        count = (size + 255) >> 8;
        depth = ShaTree.depthOf(count);
    }

    /// @return Bytes that 1 KiB leaf `index` has; 0 when it must be absent.
    function leafBytes(bytes calldata record, uint256 kind, uint256 index) internal pure returns (uint256) {
        (uint256 from, uint256 to) = (index << 8, (index + 1) << 8);
        uint256 end = kind == AFTER ? _lastCovered(record, from, to) : word(record, 1);
        if (end <= from) return 0;
        return 4 * (end < to ? end - from : 256);
    }

    /// @notice Whether a part of the state reaches into elements `from` to `to` exclusive.
    function covered(bytes calldata record, uint256 from, uint256 to) internal pure returns (bool) {
        return _lastCovered(record, from, to) > from;
    }

    /// @return segment Word at which the segment with this element starts; 0 when there is none.
    function segmentOf(bytes calldata record, uint256 element) internal pure returns (uint256 segment) {
        uint256 n = word(record, 2);
        for (uint256 i = 0; i < n; ++i) {
            uint256 place = SEGMENTS + 5 * i;
            uint256 start = word(record, place);
            if (element >= start && element < start + word(record, place + 1)) return place;
        }
    }

    /// The end of the last segment that reaches into the range, which may lie beyond it; `from` when none does.
    function _lastCovered(bytes calldata record, uint256 from, uint256 to) private pure returns (uint256 last) {
        uint256 n = word(record, 2);
        last = from;
        for (uint256 i = 0; i < n; ++i) {
            uint256 start = word(record, SEGMENTS + 5 * i);
            if (start >= to) break;
            uint256 end = start + word(record, SEGMENTS + 5 * i + 1);
            if (end > last) last = end;
        }
    }
}
