// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IJobs} from "../interfaces/IJobs.sol";
import {IJobTypes} from "../interfaces/IJobTypes.sol";
import {IJudge} from "../interfaces/IJudge.sol";
import {IReferee} from "../interfaces/IReferee.sol";
import {IRefereeDesk} from "../interfaces/IRefereeDesk.sol";
import {IScalarMachine} from "../interfaces/IScalarMachine.sol";
import {IVoteJudge} from "../interfaces/IVoteJudge.sol";
import {RefereeDesk} from "./RefereeDesk.sol";
import {RefereeStore} from "./RefereeStore.sol";
import {SumMoves} from "./SumMoves.sol";

/// @title The judge of exact jobs; documented on IReferee.
/// @dev A contract may hold 24 KiB of code: the arithmetic stands in a `ScalarMachine`, which has no state and no owner, and what is done before a
/// game, or without one, in a `RefereeDesk` that is made here and called on this contract's storage. Neither can ever be replaced.
contract Referee is SumMoves {
    IVoteJudge private immutable _votes;
    address private immutable _desk;

    /// @param votes_ Where validators say which bytes a result stands for (D-22).
    /// @param machine_ A `ScalarMachine`: whoever accepts this judge compares its code, as it does this contract's own.
    constructor(IJobs jobs_, IVoteJudge votes_, IScalarMachine machine_, uint32 clockSeconds_, uint128 challengeBond_)
        RefereeStore(jobs_, clockSeconds_, challengeBond_)
        SumMoves(machine_)
    {
        _votes = votes_;
        _desk = address(new RefereeDesk(jobs_, votes_, clockSeconds_, challengeBond_));
    }

    /// @inheritdoc IJudge
    function verdict(uint256 jobId, bytes32 subject) external view returns (Verdict) {
        return _accuser(jobId, subject) == address(0) ? Verdict.None : Verdict.Wrong;
    }

    /// @inheritdoc IJudge
    function accusers(uint256 jobId, bytes32 subject) external view returns (address[] memory found) {
        address accuser = _accuser(jobId, subject);
        if (accuser == address(0)) return new address[](0);
        found = new address[](1);
        found[0] = accuser;
    }

    /// @inheritdoc IJudge
    function isOpen(uint256 jobId, bytes32 subject) external view returns (bool) {
        return _openOf[_resultIn(jobId, subject)] != 0;
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
    function noteUpdates(uint256, uint32, IJobTypes.ClaimLeaf[] calldata, bytes calldata, bytes32[] calldata)
        external
        returns (bytes32)
    {
        _inDesk();
    }

    /// @inheritdoc IRefereeDesk
    function strikePayouts(
        uint256,
        uint32,
        IJobTypes.ClaimLeaf[] calldata,
        PayLeaf[] calldata,
        bytes calldata,
        bytes32[] calldata
    ) external {
        _inDesk();
    }

    /// @inheritdoc IRefereeDesk
    function strikeDigests(uint256, uint32, IJobTypes.Proposal calldata) external {
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

    /// @notice Where validators vote on the bytes that results stand for.
    function votes() external view returns (address) {
        return address(_votes);
    }

    /// @notice What computes single elements.
    function machine() external view returns (address) {
        return address(_machine);
    }

    function _accuser(uint256 jobId, bytes32 subject) private view returns (address accuser) {
        accuser = _accuserOf[subject];
        if (accuser == address(0)) accuser = _accuserOf[_resultIn(jobId, subject)];
    }

    /// The result in the proposal of now, where `subject` is that proposal; else 0, under which nothing is ever judged.
    function _resultIn(uint256 jobId, bytes32 subject) private view returns (bytes32) {
        IJobTypes.Status memory status = _jobs.status(jobId);
        return subject != 0 && status.proposalHash == subject ? _resultOf(jobId, status) : bytes32(0);
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
