// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SoftFloat} from "../libraries/SoftFloat.sol";

/// @title `SoftFloat` over many operands at once, for tests and benchmarks.
contract SoftFloats {
    /// @param operation Number of E-04: 3 add, 4 subtract, 5 multiply, 6 divide, 7 sqrt, 8 negate, 9 absolute, 10 less, 11 lessOrEqual,
    /// 12 equal, 16 toFloat.
    /// @param words Words of 4 bytes, big-endian: a and b of each pair in turn.
    /// @return results One word for each pair.
    function batch(uint256 operation, bytes calldata words) external pure returns (bytes memory results) {
        uint256 count = words.length / 8;
        results = new bytes(4 * count);
        for (uint256 i = 0; i < count; ++i) {
            uint256 a = uint32(bytes4(words[8 * i:8 * i + 4]));
            uint256 b = uint32(bytes4(words[8 * i + 4:8 * i + 8]));
            uint256 r = run(operation, a, b);
            // The word is the low end of what is written; the rest, down to the length for the first ones, is put back as it was.
            assembly ("memory-safe") {
                let at := add(add(results, 4), mul(4, i))
                let kept := and(mload(at), not(0xffffffff))
                mstore(at, or(kept, r))
            }
        }
    }

    /// @return used Gas of one multiplication and one addition.
    function gasOfMultiplyAdd(uint256 a, uint256 b, uint256 c) external view returns (uint256 used) {
        uint256 before = gasleft();
        SoftFloat.add(c, SoftFloat.multiply(a, b));
        used = before - gasleft();
    }

    function run(uint256 operation, uint256 a, uint256 b) public pure returns (uint256) {
        if (operation == 3) return SoftFloat.add(a, b);
        if (operation == 4) return SoftFloat.subtract(a, b);
        if (operation == 5) return SoftFloat.multiply(a, b);
        if (operation == 6) return SoftFloat.divide(a, b);
        if (operation == 7) return SoftFloat.sqrt(a);
        if (operation == 8) return SoftFloat.negate(a);
        if (operation == 9) return SoftFloat.absolute(a);
        if (operation == 10) return SoftFloat.less(a, b);
        if (operation == 11) return SoftFloat.lessOrEqual(a, b);
        if (operation == 12) return SoftFloat.equal(a, b);
        if (operation == 16) return SoftFloat.fromInteger(a);
        revert("unknown operation");
    }
}
