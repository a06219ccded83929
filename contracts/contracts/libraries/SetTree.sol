// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The tree over a round's claims.
/// @notice Positional: leaf i is the hash of the i-th claim, ordered by (share, worker). A row of odd length carries its last hash up
/// unchanged, so the count is needed to know where a proof skips a row; it is fixed on chain beside the root (C-05).
library SetTree {
    /// @return keccak256(0x01 || left || right). A claim's preimage is longer, so a node never passes for a claim.
    function node(bytes32 left, bytes32 right) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(bytes1(0x01), left, right));
    }

    /// @notice The root over claims in order; writes over `row`.
    function rootOf(bytes32[] memory row) internal pure returns (bytes32) {
        for (uint256 width = row.length; width > 1; width = (width + 1) >> 1) {
            for (uint256 i = 0; i < width; i += 2) {
                row[i >> 1] = i + 1 < width ? node(row[i], row[i + 1]) : row[i];
            }
        }
        return row[0];
    }

    /// @notice Whether `leaf` stands at `index` of `count` leaves under `root`.
    function verify(bytes32 root, bytes32 leaf, uint256 index, uint256 count, bytes32[] calldata proof)
        internal
        pure
        returns (bool)
    {
        if (index >= count) return false;
        bytes32 hash = leaf;
        uint256 used = 0;
        for (uint256 width = count; width > 1; width = (width + 1) >> 1) {
            uint256 sibling = index ^ 1;
            if (sibling < width) {
                if (used == proof.length) return false;
                bytes32 other = proof[used++];
                hash = index & 1 == 1 ? node(other, hash) : node(hash, other);
            }
            index >>= 1;
        }
        return used == proof.length && hash == root;
    }
}
