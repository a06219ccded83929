// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Merkle trees over SHA-256 (P-01).
/// @notice A leaf is SHA-256(0x00 || bytes), a node SHA-256(0x01 || left || right). What a perfect tree lacks at its end is absent, 32 zero
/// bytes; so is a node over two absent ones.
/// @dev Scratch space is taken behind the free memory pointer, which is not moved. About 250 gas a node.
library ShaTree {
    /// @return Levels between `count` leaves and their root: 0 for one, 1 for two, 2 for three and four.
    function depthOf(uint256 count) internal pure returns (uint256) {
        unchecked {
            uint256 depth = 0;
            for (uint256 width = count; width > 1; width = (width + 1) >> 1) ++depth;
            return depth;
        }
    }

    /// @return Levels of the first row of a tree: what is left over by rows of six, or six.
    function firstLevels(uint256 depth) internal pure returns (uint256) {
        uint256 rest = depth % 6;
        return rest == 0 && depth > 0 ? 6 : rest;
    }

    /// @return hash SHA-256(0x00 || leaf).
    function leaf(bytes calldata data) internal view returns (bytes32 hash) {
        assembly ("memory-safe") {
            let start := mload(0x40)
            mstore8(start, 0)
            calldatacopy(add(start, 1), data.offset, data.length)
            if iszero(staticcall(gas(), 2, start, add(data.length, 1), 0, 32)) { revert(0, 0) }
            hash := mload(0)
        }
    }

    /// @return hash SHA-256(0x01 || left || right), or absent over two absent ones.
    function node(bytes32 left, bytes32 right) internal view returns (bytes32 hash) {
        assembly ("memory-safe") {
            if or(left, right) {
                let start := mload(0x40)
                mstore8(start, 1)
                mstore(add(start, 1), left)
                mstore(add(start, 33), right)
                if iszero(staticcall(gas(), 2, start, 65, 0, 32)) { revert(0, 0) }
                hash := mload(0)
            }
        }
    }

    /// @notice The root over `value` at `index`, with its siblings from its row up.
    function fold(bytes32 value, uint256 index, bytes32[] calldata siblings) internal view returns (bytes32 hash) {
        hash = value;
        assembly ("memory-safe") {
            let start := mload(0x40)
            mstore8(start, 1)
            let left := add(start, 1)
            let right := add(start, 33)
            for { let i := 0 } lt(i, siblings.length) { i := add(i, 1) } {
                let sibling := calldataload(add(siblings.offset, mul(32, i)))
                if or(hash, sibling) {
                    switch and(index, 1)
                    case 0 {
                        mstore(left, hash)
                        mstore(right, sibling)
                    }
                    default {
                        mstore(left, sibling)
                        mstore(right, hash)
                    }
                    if iszero(staticcall(gas(), 2, start, 65, 0, 32)) { revert(0, 0) }
                    hash := mload(0)
                }
                index := shr(1, index)
            }
        }
    }

    /// @notice The root over a row of nodes, `levels` above it; what the row lacks is absent.
    function rowRoot(bytes32[] calldata row, uint256 levels) internal view returns (bytes32) {
        bytes32[] memory copy = new bytes32[](row.length + 1);
        assembly ("memory-safe") { calldatacopy(add(copy, 32), row.offset, mul(32, row.length)) }
        return _reduce(copy, row.length, levels);
    }

    /// @notice The root over a row of nodes, as low as it can be; writes over `row`, whose last place must be spare.
    function rootOf(bytes32[] memory row) internal view returns (bytes32) {
        uint256 width = row.length - 1;
        return _reduce(row, width, depthOf(width));
    }

    /// @notice The root over `first` and the nodes after it.
    function rootWithFirst(bytes32 first, bytes32[] calldata rest, uint256 levels) internal view returns (bytes32) {
        bytes32[] memory copy = new bytes32[](rest.length + 2);
        copy[0] = first;
        assembly ("memory-safe") { calldatacopy(add(copy, 64), rest.offset, mul(32, rest.length)) }
        return _reduce(copy, rest.length + 1, levels);
    }

    /// Reduces the row in place; one more word of it than `width` can be written.
    function _reduce(bytes32[] memory row, uint256 width, uint256 levels) private view returns (bytes32 root) {
        assembly ("memory-safe") {
            let base := add(row, 32)
            let start := mload(0x40)
            mstore8(start, 1)
            for {} levels { levels := sub(levels, 1) } {
                // Completes an odd row; an even one is not read beyond its end.
                mstore(add(base, mul(32, width)), 0)
                width := shr(1, add(width, 1))
                for { let i := 0 } lt(i, width) { i := add(i, 1) } {
                    let at := add(base, mul(64, i))
                    let left := mload(at)
                    let right := mload(add(at, 32))
                    let out := add(base, mul(32, i))
                    switch or(left, right)
                    case 0 { mstore(out, 0) }
                    default {
                        mstore(add(start, 1), left)
                        mstore(add(start, 33), right)
                        if iszero(staticcall(gas(), 2, start, 65, out, 32)) { revert(0, 0) }
                    }
                }
            }
            root := mload(base)
        }
    }
}
