// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IJobFunding} from "./IJobFunding.sol";

/// @title Funded training jobs: escrow, pinned terms, and a chain of rounds nobody can steer alone.
/// @notice A round goes: claims gather off chain -> a drawn committee of witnesses fixes the set (or claims are posted here) ->
/// validators reveal a beacon -> one of them, in an order the beacon gives, proposes the result -> it can be shown wrong -> it is final.
/// A round costs the chain the same whatever the number of workers.
/// @dev Assumes of tokens: as in IAssets. Assumes of the judge: as in IJudge. Node keys sign attestations. No owner, no upgrade.
/// @dev Weaknesses of version 1: the first beacon is the hash of the block before `start`, which a block builder can steer; the last
/// validator to reveal can choose to stay silent for `missingPenalty`; two thirds of the validators judge.
/// @dev Holds at all times, per token: held = sum over jobs of (escrow - paid - refunded) (C-30).
interface IJobs is IJobFunding {
    /// @notice Takes a role in a job and locks its bond; called with the node key or the cold key.
    /// @dev Workers may come until the job is done, validators and witnesses before `start`. In a private job a worker must own the
    /// asset of one of the data versions.
    /// @param role WORKER 1, VALIDATOR 2 or WITNESS 4; a node may take several, one call each.
    /// @param onionHead For validators: `rounds` times keccak256 over a secret; one layer is revealed a round. Else 0.
    function enrol(uint256 jobId, uint32 role, bytes32 onionHead) external;

    /// @notice Opens round 0 once the minimums are there; anyone may call.
    function start(uint256 jobId) external;

    /// @notice Fixes the round's set of claims on the word of the committee; anyone may bring it.
    /// @param directHash Must be the present fold of directly posted claims, so that none can be left out.
    /// @param signerBits Bit i: committee member i (see `committeeOf`) has signed.
    /// @param signatures EIP-712 `SetAttestation(uint256 jobId,uint32 round,bytes32 setRoot,uint32 count,bytes32 directHash)`, one a bit,
    /// in bit order, all of 64 bytes (ERC-2098) or all of 65.
    function fixSet(
        uint256 jobId,
        uint32 round,
        bytes32 setRoot,
        uint32 count,
        bytes32 directHash,
        uint256 signerBits,
        bytes calldata signatures
    ) external;

    /// @notice Posts a claim here when the witnesses do not answer; once per worker and opening.
    function postClaim(uint256 jobId, uint32 round, bytes32 commitHash) external;

    /// @notice Reveals the next layer of the calling validator's onion.
    function reveal(uint256 jobId, uint32 round, bytes32 preimage) external;

    /// @notice Draws the beacon without the silent validators, each of which loses `missingPenalty`; anyone may call.
    function closeBeacon(uint256 jobId, uint32 round) external;

    /// @notice Proposes the round's result, in turn.
    /// @dev `proposal.convictions` must be the count of now (C-71): a proposer whose view lags is refused, not slashed.
    function propose(uint256 jobId, uint32 round, Proposal calldata proposal) external;

    /// @notice Slashes and expels a worker whose claim the judge found wrong; anyone may call, until the job's bonds are released.
    function convict(uint256 jobId, uint32 round, ClaimLeaf calldata claim, uint256 index, bytes32[] calldata proof) external;

    /// @notice Slashes and expels a proposer whose proposal the judge found wrong; the next turn begins.
    function convictProposal(uint256 jobId, uint32 round) external;

    /// @notice Makes a proposal final and opens the next round or ends the job; anyone may call.
    /// @dev Refused before `challengeSeconds` have passed, and while the judge finds it wrong or has it open (C-40, C-72).
    function finalise(uint256 jobId, uint32 round) external;

    /// @notice Re-opens a round that nobody fixed in time, with a newly drawn committee; anyone may call.
    function skipRound(uint256 jobId, uint32 round) external;

    /// @notice Frees a node's bond after the job; anyone may call.
    function release(uint256 jobId, address node, uint32 role) external returns (uint256 amount);

    function registry() external view returns (address);

    function assets() external view returns (address);

    function jobCount() external view returns (uint256);

    function status(uint256 jobId) external view returns (Status memory);

    function termsOf(uint256 jobId) external view returns (JobTerms memory);

    function workersOf(uint256 jobId) external view returns (address[] memory);

    function validatorsOf(uint256 jobId) external view returns (address[] memory);

    function witnessesOf(uint256 jobId) external view returns (address[] memory);

    function validatorCount(uint256 jobId) external view returns (uint256);

    /// @notice The committee of the present opening, in the order of `signerBits`.
    function committeeOf(uint256 jobId) external view returns (address[] memory);

    /// @return Position in the role's list plus one; 0 when not enrolled.
    function enrolmentOf(uint256 jobId, uint32 role, address node) external view returns (uint32);

    /// @notice Whether the node was convicted in this job.
    function expelled(uint256 jobId, address node) external view returns (bool);

    /// @return The node's place in the order of convictions in this job, from 1; 0 when it was not convicted (C-71).
    function expulsionOf(uint256 jobId, address node) external view returns (uint32);

    /// @notice Nodes convicted in this job, as workers or as proposers; each counts once.
    function convictionCount(uint256 jobId) external view returns (uint32);

    /// @notice Next layer of the validator's onion: what the hash of its next reveal must be.
    function onionOf(uint256 jobId, address validator) external view returns (bytes32);

    function setRootOf(uint256 jobId, uint32 round) external view returns (bytes32 setRoot, uint32 count);

    function paidOf(uint256 jobId, address account) external view returns (uint256);

    /// @notice Who may propose now; 0 when any validator may.
    function proposerNow(uint256 jobId) external view returns (address);

    /// @notice Task under which a role's bond is locked in the registry.
    function taskOf(uint256 jobId, uint32 role) external view returns (bytes32);

    function claimHash(uint256 jobId, uint32 round, ClaimLeaf calldata claim) external pure returns (bytes32);

    function proposalHashOf(uint256 jobId, uint32 round, Proposal calldata proposal) external pure returns (bytes32);

    /// @notice What a committee member signs.
    function attestationDigest(uint256 jobId, uint32 round, bytes32 setRoot, uint32 count, bytes32 directHash)
        external
        view
        returns (bytes32);
}
