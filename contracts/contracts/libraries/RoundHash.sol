// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The hashes that carry a job from one round to the next (formats: spec/contracts.md).
library RoundHash {
    /// @notice What a validator committed to, one layer above `preimage`.
    function onionLayer(bytes32 preimage) internal pure returns (bytes32) {
        return keccak256(abi.encode(preimage));
    }

    /// @notice One validator's part of the beacon; parts are joined by XOR, so their order does not matter.
    function revealed(uint256 index, bytes32 preimage) internal pure returns (bytes32) {
        return keccak256(abi.encode(index, preimage));
    }

    /// @notice The first beacon of a job.
    /// @dev Warning: whoever builds the block before can try several.
    function firstBeacon(bytes32 blockHash, uint256 jobId) internal pure returns (bytes32) {
        return keccak256(abi.encode(blockHash, jobId));
    }

    /// @notice The beacon after a round's set was fixed.
    function beacon(uint256 jobId, uint32 round, bytes32 before, bytes32 folded) internal pure returns (bytes32) {
        return keccak256(abi.encode(jobId, round, before, folded));
    }

    /// @notice The list of directly posted claims, one longer.
    function direct(bytes32 before, address worker, bytes32 commitHash) internal pure returns (bytes32) {
        return keccak256(abi.encode(before, worker, commitHash));
    }

    /// @notice The seed of the committee after an opening that nobody fixed.
    function skipped(bytes32 seed, uint32 attempt) internal pure returns (bytes32) {
        return keccak256(abi.encode(seed, attempt));
    }
}
