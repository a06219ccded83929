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
