// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IJobTypes} from "./IJobTypes.sol";
import {IRefereeTypes} from "./IRefereeTypes.sol";

/// @title How a claim is called into question: by a challenge, by what it says of itself, by a leaf that nobody shows.
/// @dev The first call for a job brings the header of its program, which is kept (D-07); afterwards header and proof may be empty.
interface IRefereeDesk is IRefereeTypes {
    /// @notice Challenges a range of a claim; locks `challengeBond` of the caller's node (D-11).
    /// @dev A round's result is challenged as a claim of share 2³² − 1 (D-23), from its proposal until `challengeSeconds` later.
    /// @param segment j in 0 … n − 1 for the j-th segment of `stateEverySteps` steps, n = ⌈S / stateEverySteps⌉; n for the finish; n + 1 for
    /// the aggregation of a result.
    /// @param header Leaf 0 under the job's program root (D-07); may be empty once the job's program has been opened here before.
    /// @param headerProof Siblings of leaf 0, from the leaf up.
    function challenge(
        uint256 jobId,
        uint32 round,
        IJobTypes.ClaimLeaf calldata claim,
        uint32 segment,
        bytes calldata header,
        bytes32[] calldata headerProof
    ) external returns (uint256 id);

    /// @notice Stands up for a challenged claim and opens a game; all but the claim's worker lock `challengeBond` (D-12).
    /// @dev Later moves prove entries under the tree over the nodes (start, states…), m + 1 of them for m steps.
    /// @param start The state before the range: node j − 1 under the claim's states root with its proof. Ignored where the range starts from the
    /// base: segment 0 and the aggregation.
    /// @param end The state after it: node j with its proof. Ignored where the range ends at the update root: the finish of a claim, the
    /// aggregation of a result.
    /// @param states State roots after each step of the range, the last equal to the end.
    function standUp(
        uint256 id,
        IJobTypes.ClaimLeaf calldata claim,
        Entry calldata start,
        Entry calldata end,
        bytes32[] calldata states
    ) external returns (uint256 game);

    /// @notice Makes a claim wrong whose base root is not the state its round starts from, or whose units or share the header does not
    /// allow; while that round lasts, for anyone (D-20).
    function strikeClaim(
        uint256 jobId,
        uint32 round,
        IJobTypes.ClaimLeaf calldata claim,
        bytes calldata header,
        bytes32[] calldata headerProof
    ) external;

    /// @notice Establishes which updates take part in the result that is proposed now (D-24); anyone may call.
    /// @param claims All claims of the round's set, in its order.
    function noteUpdates(
        uint256 jobId,
        uint32 round,
        IJobTypes.ClaimLeaf[] calldata claims,
        bytes calldata header,
        bytes32[] calldata headerProof
    ) external returns (bytes32 root);

    /// @notice Makes the proposal of now wrong whose payouts do not follow from the claims and the payouts before (D-25).
    /// @param before What is final before the round, in the order of its tree.
    function strikePayouts(
        uint256 jobId,
        uint32 round,
        IJobTypes.ClaimLeaf[] calldata claims,
        PayLeaf[] calldata before,
        bytes calldata header,
        bytes32[] calldata headerProof
    ) external;

    /// @notice Makes the proposal of now wrong when two thirds of the validators found it with another state digest or another report,
    /// and nothing else (D-22).
    /// @param found What they voted for.
    function strikeDigests(uint256 jobId, uint32 round, IJobTypes.Proposal calldata found) external;

    /// @notice Demands a 1 KiB leaf of a claimed update for `leafFee` SALT, which needs an ERC-20 approval (D-21).
    /// @param record Last record of the finish, which says how many elements the update has.
    function demandLeaf(
        uint256 jobId,
        uint32 round,
        IJobTypes.ClaimLeaf calldata claim,
        uint32 leafIndex,
        bytes calldata header,
        bytes32[] calldata headerProof,
        bytes calldata record,
        bytes32[] calldata recordProof
    ) external returns (uint256 demand);

    /// @notice Shows a demanded leaf in time and takes the fee.
    function showLeaf(uint256 demand, bytes calldata leaf, bytes32[] calldata proof) external;

    /// @notice Makes the claim wrong whose demanded leaf nobody showed in time; the fee goes back.
    function strikeSilence(uint256 demand) external;
}
