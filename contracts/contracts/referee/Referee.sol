// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IJobs} from "../interfaces/IJobs.sol";
import {IJobTypes} from "../interfaces/IJobTypes.sol";
import {IJudge} from "../interfaces/IJudge.sol";
import {IReferee} from "../interfaces/IReferee.sol";
import {IRefereeDesk} from "../interfaces/IRefereeDesk.sol";
import {IScalarMachine} from "../interfaces/IScalarMachine.sol";
import {RefereeDesk} from "./RefereeDesk.sol";
import {RefereeStore} from "./RefereeStore.sol";
import {ScalarMachine} from "./ScalarMachine.sol";
import {SumMoves} from "./SumMoves.sol";

/// @title The judge of exact jobs; documented on IReferee.
/// @dev A contract may hold 24 KiB of code: the arithmetic stands in a `ScalarMachine`, and what is done before a game, or without one, in a `RefereeDesk` called on
/// this contract's storage. Both are made here and can never be replaced.
contract Referee is SumMoves {
    IJudge private immutable _votes;
    address private immutable _desk;

    /// @param votes_ Judges what a round results in: proposals (D-22).
    constructor(IJobs jobs_, IJudge votes_, uint32 clockSeconds_, uint128 challengeBond_)
        RefereeStore(jobs_, clockSeconds_, challengeBond_)
        SumMoves(new ScalarMachine())
    {
        _votes = votes_;
        _desk = address(new RefereeDesk(jobs_, clockSeconds_, challengeBond_));
    }

    /// @inheritdoc IJudge
    function verdict(uint256 jobId, bytes32 subject) external view returns (Verdict) {
        if (_accuserOf[subject] != address(0)) return Verdict.Wrong;
        return _isProposed(jobId, subject) ? _votes.verdict(jobId, subject) : Verdict.None;
    }

    /// @inheritdoc IJudge
    function accusers(uint256 jobId, bytes32 subject) external view returns (address[] memory found) {
        address accuser = _accuserOf[subject];
        if (accuser == address(0)) {
            return _isProposed(jobId, subject) ? _votes.accusers(jobId, subject) : new address[](0);
        }
        found = new address[](1);
        found[0] = accuser;
    }

    /// @inheritdoc IRefereeDesk
    function challenge(uint256, uint32, IJobTypes.ClaimLeaf calldata, uint32, bytes calldata, bytes32[] calldata)
        external
        returns (uint256)
    {
        _inDesk();
    }

    /// @inheritdoc IRefereeDesk
    function standUp(uint256, IJobTypes.ClaimLeaf calldata, Entry calldata, Entry calldata, bytes32[] calldata)
        external
        returns (uint256)
    {
        _inDesk();
    }

    /// @inheritdoc IRefereeDesk
    function strikeClaim(uint256, uint32, IJobTypes.ClaimLeaf calldata, bytes calldata, bytes32[] calldata) external {
        _inDesk();
    }

    /// @inheritdoc IRefereeDesk
    function demandLeaf(
        uint256,
        uint32,
        IJobTypes.ClaimLeaf calldata,
        uint32,
        bytes calldata,
        bytes32[] calldata,
        bytes calldata,
        bytes32[] calldata
    ) external returns (uint256) {
        _inDesk();
    }

    /// @inheritdoc IRefereeDesk
    function showLeaf(uint256, bytes calldata, bytes32[] calldata) external {
        _inDesk();
    }

    /// @inheritdoc IRefereeDesk
    function strikeSilence(uint256) external {
        _inDesk();
    }

    /// @inheritdoc IReferee
    function clockSeconds() external view returns (uint32) {
        return _clockSeconds;
    }

    /// @inheritdoc IReferee
    function challengeBond() external view returns (uint128) {
        return _challengeBond;
    }

    /// @inheritdoc IReferee
    function leafFee() external view returns (uint128) {
        return _challengeBond / 100;
    }

    /// @inheritdoc IReferee
    function challengeCount() external view returns (uint256) {
        return _challengeCount;
    }

    /// @inheritdoc IReferee
    function gameCount() external view returns (uint256) {
        return _gameCount;
    }

    /// @inheritdoc IReferee
    function demandCount() external view returns (uint256) {
        return _demandCount;
    }

    /// @inheritdoc IReferee
    function challengeTask(uint256 id) external view returns (bytes32) {
        return _challengeTask(id);
    }

    /// @inheritdoc IReferee
    function gameTask(uint256 game) external view returns (bytes32) {
        return _gameTask(game);
    }

    /// @inheritdoc IReferee
    function demandOf(uint256 demand) external view returns (Demand memory) {
        return _demands[demand];
    }

    /// @inheritdoc IReferee
    function challengeOf(uint256 id) external view returns (Challenge memory) {
        return _challenges[id];
    }

    /// @inheritdoc IReferee
    function gameOf(uint256 game) external view returns (Game memory) {
        return _games[game];
    }

    /// @notice The jobs whose claims are judged here.
    function jobs() external view returns (address) {
        return address(_jobs);
    }

    /// @notice The judge that proposals are passed on to.
    function votes() external view returns (address) {
        return address(_votes);
    }

    /// @notice What computes single elements.
    function machine() external view returns (address) {
        return address(_machine);
    }

    function _isProposed(uint256 jobId, bytes32 subject) private view returns (bool) {
        return subject != 0 && _jobs.status(jobId).proposalHash == subject;
    }

    /// Runs this very call in the desk, with its outcome as ours; never returns to the caller in Solidity.
    function _inDesk() private {
        address desk = _desk;
        assembly ("memory-safe") {
            let start := mload(0x40)
            calldatacopy(start, 0, calldatasize())
            let done := delegatecall(gas(), desk, start, calldatasize(), 0, 0)
            returndatacopy(start, 0, returndatasize())
            if iszero(done) { revert(start, returndatasize()) }
            return(start, returndatasize())
        }
    }
}
