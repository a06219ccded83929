// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SumSibling} from "../interfaces/IAssets.sol";

/// @title Merkle trees that also add up.
/// @notice Every node commits to the sums of its two children, so the weights that can be proven never exceed the total, whoever built
/// the tree. A pair is ordered by hash, so a proof needs no directions; the index stands in the leaf (C-04, spec/contracts.md).
library MerkleSum {
    /// @return keccak256(0x00 || index || account || weight): 45 bytes, a node has 97, so neither passes for the other.
    function leaf(uint64 index, address account, uint128 weight) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(bytes1(0x00), index, account, weight));
    }

    /// @return keccak256(0x01 || lower hash || its sum || higher hash || its sum)
    function node(bytes32 a, uint128 sumA, bytes32 b, uint128 sumB) internal pure returns (bytes32) {
        return a < b
            ? keccak256(abi.encodePacked(bytes1(0x01), a, sumA, b, sumB))
            : keccak256(abi.encodePacked(bytes1(0x01), b, sumB, a, sumA));
    }

    /// @notice The root over (index, account, weight) in order, and the sum; 0 without leaves. A row of odd length carries its last node up.
    /// @dev Assumes that the weights add up to less than 2^128.
    function rootOf(address[] memory accounts, uint128[] memory weights) internal pure returns (bytes32, uint128) {
        uint256 width = accounts.length;
        if (width == 0) return (0, 0);
        bytes32[] memory row = new bytes32[](width);
        uint128[] memory sums = new uint128[](width);
        for (uint256 i = 0; i < width; ++i) {
            // Far fewer accounts than 2^64.
            row[i] = leaf(uint64(i), accounts[i], weights[i]);
            sums[i] = weights[i];
        }
        for (; width > 1; width = (width + 1) >> 1) {
            for (uint256 i = 0; i < width; i += 2) {
                bool isPair = i + 1 < width;
                row[i >> 1] = isPair ? node(row[i], sums[i], row[i + 1], sums[i + 1]) : row[i];
                sums[i >> 1] = isPair ? sums[i] + sums[i + 1] : sums[i];
            }
        }
        return (row[0], sums[0]);
    }

    /// @notice Whether (index, account, weight) stands in the tree with this root and total. An overflowing sum is a no.
    function verify(
        bytes32 root,
        uint128 total,
        uint64 index,
        address account,
        uint128 weight,
        SumSibling[] calldata proof
    ) internal pure returns (bool) {
        bytes32 hash = leaf(index, account, weight);
        uint256 sum = weight;
        for (uint256 i = 0; i < proof.length; ++i) {
            hash = node(hash, uint128(sum), proof[i].hash, proof[i].sum);
            sum += proof[i].sum;
            if (sum > total) return false;
        }
        return hash == root && sum == total;
    }
}
