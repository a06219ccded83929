// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Says whether a claim or a proposal of a job is wrong.
/// @notice A job names its judge when it is created; whoever enrols accepts it. A referee that recomputes can take the place of a
/// vote without a change in `Jobs`.
/// @dev Assumes: `verdict` never reverts and never leaves `Wrong` once there; a subject does not stay open for ever.
interface IJudge {
    enum Verdict {
        None,
        Stands,
        Wrong
    }

    /// @param subject Hash of the claim or of the proposal (formats: spec/contracts.md).
    function verdict(uint256 jobId, bytes32 subject) external view returns (Verdict);

    /// @notice Who showed the subject wrong and shares in the slash; empty unless the verdict is `Wrong`.
    function accusers(uint256 jobId, bytes32 subject) external view returns (address[] memory);

    /// @notice Whether a question about the subject is still before the judge: a proposal is not final while it is. Never reverts.
    function isOpen(uint256 jobId, bytes32 subject) external view returns (bool);
}
