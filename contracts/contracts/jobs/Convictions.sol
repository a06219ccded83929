// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IJobs} from "../interfaces/IJobs.sol";
import {IJudge} from "../interfaces/IJudge.sol";
import {Roles} from "../libraries/Roles.sol";
import {SetTree} from "../libraries/SetTree.sol";
import {JobViews} from "./JobViews.sol";

/// @title What a wrong claim or a wrong proposal costs.
abstract contract Convictions is JobViews {
    /// @inheritdoc IJobs
    function convict(uint256 jobId, uint32 round, ClaimLeaf calldata claim, uint256 index, bytes32[] calldata proof)
        external
        nonReentrant
    {
        bytes32 subject = claimHash(jobId, round, claim);
        RoundSet memory set = _sets[jobId][round];
        if (!SetTree.verify(set.root, subject, index, set.count, proof)) revert ClaimProofInvalid(jobId, round, subject);
        if (_enrolmentOf[jobId][Roles.WORKER][claim.worker] == 0) revert NotEnrolled(jobId, claim.worker, Roles.WORKER);
        if (_expelledAs[jobId][claim.worker] != 0) revert NodeExpelled(jobId, claim.worker);
        uint256 slashed = _punish(jobId, subject, claim.worker, Roles.WORKER);
        emit Convicted(jobId, round, claim.worker, subject, slashed);
    }

    /// @inheritdoc IJobs
    function convictProposal(uint256 jobId, uint32 round) external nonReentrant {
        Status storage job = _inRound(jobId, round, Phase.Challenge);
        (address proposer, bytes32 subject) = (job.proposer, job.proposalHash);
        // The next turn is that of the validator after it, with the whole order to go through again.
        job.phase = Phase.Propose;
        job.beaconAt = uint64(block.timestamp);
        job.firstProposer = _enrolmentOf[jobId][Roles.VALIDATOR][proposer] % job.validators;
        uint256 slashed = _punish(jobId, subject, proposer, Roles.VALIDATOR);
        emit ProposalConvicted(jobId, round, proposer, subject, slashed);
    }

    function _punish(uint256 jobId, bytes32 subject, address node, uint32 role) private returns (uint256 held) {
        IJudge judge = IJudge(_terms[jobId].judge);
        if (judge.verdict(jobId, subject) != IJudge.Verdict.Wrong) revert NotWrong(subject);
        // A proposer may have been convicted as a worker since: it keeps its place.
        if (_expelledAs[jobId][node] == 0) _expelledAs[jobId][node] = ++_convictions[jobId];
        uint32 position = _enrolmentOf[jobId][Roles.VALIDATOR][node];
        if (position != 0) _status[jobId].expelledBits |= uint64(1 << (position - 1));
        bytes32 task = taskOf(jobId, role);
        held = _registry.lockedFor(address(this), node, task);
        // A lock never exceeds the job's bond, which has 128 bits.
        if (held > 0) _registry.slash(node, task, uint128(held), judge.accusers(jobId, subject));
    }
}
