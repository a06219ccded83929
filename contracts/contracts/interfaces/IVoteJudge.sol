// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IJudge} from "./IJudge.sol";

/// @title A judge by vote: two thirds of a job's validators that found the same other result.
/// @notice Each validator recomputes the subject and votes with the hash of what it found. Agreeing on the *same* other result is
/// what counts: validators that merely disagree convict nobody (C-50).
/// @dev Weakness: votes are public, so a lazy validator can copy. Salted votes come with the referee.
interface IVoteJudge is IJudge {
    event Voted(uint256 indexed jobId, bytes32 indexed subject, address indexed validator, bytes32 found);

    error NotValidator(uint256 jobId, address account);
    error AlreadyVoted(uint256 jobId, bytes32 subject, address validator);
    error EmptyVote();

    /// @notice Votes once, with the node key or the cold key of an enrolled validator that has not been expelled.
    /// @param found Hash of the recomputed result in the same format as `subject`; equal to `subject` when it stands.
    function vote(uint256 jobId, bytes32 subject, bytes32 found) external;

    /// @notice What the validator found; 0 when it has not voted.
    function voteOf(uint256 jobId, bytes32 subject, address validator) external view returns (bytes32);

    function votesFor(uint256 jobId, bytes32 subject, bytes32 found) external view returns (uint256);
}
