// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SumSibling} from "./IAssets.sol";
import {IJobTypes} from "./IJobTypes.sol";

/// @title The money of a job, in and out, and the model that comes of it.
interface IJobFunding is IJobTypes {
    /// @notice Funds a job; the caller is its builder. Takes payPerRound * rounds and the data's training prices.
    function create(JobTerms calldata terms) external returns (uint256 jobId);

    /// @notice Gives the escrow back before `start`; the training prices stay paid.
    function cancel(uint256 jobId) external;

    /// @notice Ends a job that does not move: the builder after 3 skips in a row, anyone after 7 days
    /// without a move (beyond what the terms themselves allow).
    /// @dev What is final stays payable, the rest of the escrow goes back. One that never started is cancelled.
    function end(uint256 jobId) external;

    /// @notice Pays `account` what the last final payout tree gives it beyond what it has had; anyone may call.
    function claimPay(uint256 jobId, uint64 index, address account, uint128 cumulative, SumSibling[] calldata proof)
        external
        returns (uint256 amount);

    /// @notice Returns what the job did not pay out to the builder, once; anyone may call.
    function refund(uint256 jobId) external returns (uint256 amount);

    /// @notice Registers the result as the builder's asset, once; anyone may call. The payout tree becomes the contributors' tree.
    function publishModel(uint256 jobId) external returns (uint64 version);
}
