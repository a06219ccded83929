// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SumSibling} from "../interfaces/IAssets.sol";
import {Committee} from "../libraries/Committee.sol";
import {MerkleSum} from "../libraries/MerkleSum.sol";
import {RoundHash} from "../libraries/RoundHash.sol";
import {SetTree} from "../libraries/SetTree.sol";

/// @title The hash formats of spec/contracts.md, opened up for tests and for spec/vectors/contracts.json.
/// @notice Builds whole trees, which the contracts themselves never do.
contract HashFormats {
    function sumLeaf(uint64 index, address account, uint128 weight) external pure returns (bytes32) {
        return MerkleSum.leaf(index, account, weight);
    }

    function sumVerify(
        bytes32 root,
        uint128 total,
        uint64 index,
        address account,
        uint128 weight,
        SumSibling[] calldata proof
    ) external pure returns (bool) {
        return MerkleSum.verify(root, total, index, account, weight, proof);
    }

    /// @return root Hash of the tree over leaves (i, accounts[i], weights[i]).
    /// @return total Sum of the weights.
    function sumTree(address[] memory accounts, uint128[] memory weights)
        external
        pure
        returns (bytes32 root, uint128 total)
    {
        (bytes32[] memory hashes, uint128[] memory sums) = _sumLeaves(accounts, weights);
        for (uint256 width = hashes.length; width > 1; width = (width + 1) >> 1) {
            _sumRow(hashes, sums, width);
        }
        return (hashes[0], sums[0]);
    }

    function sumProof(address[] memory accounts, uint128[] memory weights, uint256 index)
        external
        pure
        returns (SumSibling[] memory proof)
    {
        (bytes32[] memory hashes, uint128[] memory sums) = _sumLeaves(accounts, weights);
        SumSibling[] memory found = new SumSibling[](64);
        uint256 used = 0;
        for (uint256 width = hashes.length; width > 1; width = (width + 1) >> 1) {
            uint256 sibling = index ^ 1;
            if (sibling < width) found[used++] = SumSibling(hashes[sibling], sums[sibling]);
            _sumRow(hashes, sums, width);
            index >>= 1;
        }
        proof = new SumSibling[](used);
        for (uint256 i = 0; i < used; ++i) {
            proof[i] = found[i];
        }
    }

    function setVerify(bytes32 root, bytes32 leaf, uint256 index, uint256 count, bytes32[] calldata proof)
        external
        pure
        returns (bool)
    {
        return SetTree.verify(root, leaf, index, count, proof);
    }

    function setTree(bytes32[] memory leaves) external pure returns (bytes32) {
        for (uint256 width = leaves.length; width > 1; width = (width + 1) >> 1) {
            _setRow(leaves, width);
        }
        return leaves[0];
    }

    function setProof(bytes32[] memory leaves, uint256 index) external pure returns (bytes32[] memory proof) {
        bytes32[] memory found = new bytes32[](64);
        uint256 used = 0;
        for (uint256 width = leaves.length; width > 1; width = (width + 1) >> 1) {
            if (index ^ 1 < width) found[used++] = leaves[index ^ 1];
            _setRow(leaves, width);
            index >>= 1;
        }
        proof = new bytes32[](used);
        for (uint256 i = 0; i < used; ++i) {
            proof[i] = found[i];
        }
    }

    function committee(bytes32 seed, uint256 n, uint256 size) external pure returns (uint256[] memory) {
        return Committee.draw(seed, n, size);
    }

    function onionLayer(bytes32 preimage) external pure returns (bytes32) {
        return RoundHash.onionLayer(preimage);
    }

    function revealed(uint256 index, bytes32 preimage) external pure returns (bytes32) {
        return RoundHash.revealed(index, preimage);
    }

    function firstBeacon(bytes32 blockHash, uint256 jobId) external pure returns (bytes32) {
        return RoundHash.firstBeacon(blockHash, jobId);
    }

    function beacon(uint256 jobId, uint32 round, bytes32 before, bytes32 folded) external pure returns (bytes32) {
        return RoundHash.beacon(jobId, round, before, folded);
    }

    function direct(bytes32 before, address worker, bytes32 commitHash) external pure returns (bytes32) {
        return RoundHash.direct(before, worker, commitHash);
    }

    function skipped(bytes32 seed, uint32 attempt) external pure returns (bytes32) {
        return RoundHash.skipped(seed, attempt);
    }

    function _sumLeaves(address[] memory accounts, uint128[] memory weights)
        private
        pure
        returns (bytes32[] memory hashes, uint128[] memory sums)
    {
        hashes = new bytes32[](accounts.length);
        sums = new uint128[](accounts.length);
        for (uint256 i = 0; i < hashes.length; ++i) {
            hashes[i] = MerkleSum.leaf(uint64(i), accounts[i], weights[i]);
            sums[i] = weights[i];
        }
    }

    function _sumRow(bytes32[] memory hashes, uint128[] memory sums, uint256 width) private pure {
        for (uint256 i = 0; i < width; i += 2) {
            if (i + 1 == width) {
                (hashes[i / 2], sums[i / 2]) = (hashes[i], sums[i]);
            } else {
                hashes[i / 2] = MerkleSum.node(hashes[i], sums[i], hashes[i + 1], sums[i + 1]);
                sums[i / 2] = sums[i] + sums[i + 1];
            }
        }
    }

    function _setRow(bytes32[] memory leaves, uint256 width) private pure {
        for (uint256 i = 0; i < width; i += 2) {
            leaves[i / 2] = i + 1 == width ? leaves[i] : SetTree.node(leaves[i], leaves[i + 1]);
        }
    }
}
