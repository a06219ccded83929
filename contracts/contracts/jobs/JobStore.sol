// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IAssets} from "../interfaces/IAssets.sol";
import {IJobTypes} from "../interfaces/IJobTypes.sol";
import {IRegistry} from "../interfaces/IRegistry.sol";

/// @title What a job is: the storage that all parts of `Jobs` share.
/// @dev `Funding` runs on this storage by delegatecall, so all state stands here and nowhere else.
abstract contract JobStore is IJobTypes, ReentrancyGuardTransient {
    struct RoundSet {
        bytes32 root;
        uint32 count;
    }

    IRegistry internal immutable _registry;
    IAssets internal immutable _assets;

    uint256 internal _jobCount;
    mapping(uint256 jobId => mapping(uint32 role => mapping(address node => uint32))) internal _enrolmentOf;
    // 1 for the job's first conviction, and so on; 0 for whoever was not convicted.
    mapping(uint256 jobId => mapping(address node => uint32)) internal _expelledAs;
    mapping(uint256 jobId => uint32) internal _convictions;
    mapping(uint256 jobId => mapping(address validator => bytes32)) internal _onionOf;
    mapping(uint256 jobId => mapping(address account => uint256)) internal _paidOf;

    mapping(uint256 jobId => Status) internal _status;
    mapping(uint256 jobId => JobTerms) internal _terms;
    mapping(uint256 jobId => mapping(uint32 role => address[])) internal _members;
    mapping(uint256 jobId => mapping(uint32 round => RoundSet)) internal _sets;
    // Whether a role's bond is free again; the position in the list survives.
    mapping(uint256 jobId => mapping(uint32 role => mapping(address node => bool))) internal _released;
    // The opening in which a worker last posted directly.
    mapping(uint256 jobId => mapping(address worker => uint32 attempt)) internal _postedIn;
    // XOR of what was revealed in this round.
    mapping(uint256 jobId => bytes32) internal _folded;

    constructor(address registry_, address assets_) {
        _registry = IRegistry(registry_);
        _assets = IAssets(assets_);
    }

    /// The job, when it exists and stands in this phase.
    function _inPhase(uint256 jobId, Phase wanted) internal view returns (Status storage job) {
        job = _status[jobId];
        if (job.phase == Phase.None) revert UnknownJob(jobId);
        if (job.phase != wanted) revert WrongPhase(jobId, job.phase, wanted);
    }

    /// The job, when it stands in this phase of this round.
    function _inRound(uint256 jobId, uint32 round, Phase wanted) internal view returns (Status storage job) {
        job = _inPhase(jobId, wanted);
        if (job.round != round) revert WrongRound(jobId, job.round, round);
    }

    /// The calling node, when it is enrolled in this role and not expelled.
    function _caller(uint256 jobId, uint32 role) internal view returns (address node) {
        node = _registry.resolve(msg.sender);
        if (node == address(0)) revert NotNode(msg.sender);
        if (_enrolmentOf[jobId][role][node] == 0) revert NotEnrolled(jobId, node, role);
        if (_expelledAs[jobId][node] != 0) revert NodeExpelled(jobId, node);
    }

    function _escrowOf(uint256 jobId) internal view returns (uint256) {
        JobTerms storage terms = _terms[jobId];
        return uint256(terms.payPerRound) * terms.rounds;
    }

    function _finish(uint256 jobId, Status storage job) internal {
        job.phase = Phase.Done;
        emit JobDone(jobId, job.finalRounds, job.finalPayoutTotal);
    }
}
