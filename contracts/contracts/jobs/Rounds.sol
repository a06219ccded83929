// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {IJobs} from "../interfaces/IJobs.sol";
import {IJudge} from "../interfaces/IJudge.sol";
import {Roles} from "../libraries/Roles.sol";
import {RoundHash} from "../libraries/RoundHash.sol";
import {JobViews} from "./JobViews.sol";

/// @title A round: set, proposal, finality.
abstract contract Rounds is JobViews {
    /// @inheritdoc IJobs
    function start(uint256 jobId) external {
        Status storage job = _inPhase(jobId, Phase.Enrolling);
        JobTerms storage terms = _terms[jobId];
        _checkMinimum(jobId, Roles.WORKER, job.workers, terms.minWorkers);
        _checkMinimum(jobId, Roles.VALIDATOR, job.validators, terms.minValidators);
        _checkMinimum(jobId, Roles.WITNESS, job.witnesses, terms.minWitnesses);
        job.beacon = RoundHash.firstBeacon(blockhash(block.number - 1), jobId);
        job.beaconAt = uint64(block.timestamp);
        _open(jobId, job, job.beacon);
    }

    /// @inheritdoc IJobs
    function postClaim(uint256 jobId, uint32 round, bytes32 commitHash) external {
        Status storage job = _inRound(jobId, round, Phase.Open);
        address worker = _caller(jobId, Roles.WORKER);
        if (_postedIn[jobId][worker] == job.attempt) revert AlreadyPosted(jobId, round, worker);
        _postedIn[jobId][worker] = job.attempt;
        job.directCount += 1;
        job.directHash = RoundHash.direct(job.directHash, worker, commitHash);
        emit ClaimPosted(jobId, round, worker, commitHash, job.directHash);
    }

    /// @inheritdoc IJobs
    function fixSet(
        uint256 jobId,
        uint32 round,
        bytes32 setRoot,
        uint32 count,
        bytes32 directHash,
        uint256 signerBits,
        bytes calldata signatures
    ) external {
        Status storage job = _inRound(jobId, round, Phase.Open);
        if (count == 0) revert EmptySet();
        if (directHash != job.directHash) revert DirectClaimsDiffer(directHash, job.directHash);
        bytes32 digest = attestationDigest(jobId, round, setRoot, count, directHash);
        _checkQuorum(jobId, digest, signerBits, signatures);

        _sets[jobId][round] = RoundSet(setRoot, count);
        job.phase = Phase.Beacon;
        job.setRoot = setRoot;
        job.count = count;
        job.skips = 0;
        job.fixedAt = uint64(block.timestamp);
        job.fixedBlock = uint64(block.number);
        job.revealedBits = 0;
        job.revealed = 0;
        job.beaconMissing = false;
        emit SetFixed(jobId, round, setRoot, count, directHash, signerBits);
    }

    /// @inheritdoc IJobs
    function skipRound(uint256 jobId, uint32 round) external {
        Status storage job = _inRound(jobId, round, Phase.Open);
        uint256 from = uint256(job.openedAt) + _terms[jobId].fixSeconds;
        if (block.timestamp < from) revert TooEarly(block.timestamp, from);
        job.skips += 1;
        // A committee that did not answer may never do so: draw another.
        _open(jobId, job, RoundHash.skipped(job.committeeSeed, job.attempt));
    }

    /// @inheritdoc IJobs
    function propose(uint256 jobId, uint32 round, Proposal calldata proposal) external {
        Status storage job = _inRound(jobId, round, Phase.Propose);
        address validator = _caller(jobId, Roles.VALIDATOR);
        address wanted = proposerNow(jobId);
        if (wanted != address(0) && wanted != validator) revert NotYourTurn(validator, wanted);
        uint256 most = uint256(_terms[jobId].payPerRound) * (uint256(round) + 1);
        if (proposal.payoutTotal < job.finalPayoutTotal || proposal.payoutTotal > most) {
            revert PayoutOutOfRange(proposal.payoutTotal, job.finalPayoutTotal, most);
        }
        uint32 convictions = _convictions[jobId];
        if (proposal.convictions != convictions) revert ConvictionsDiffer(proposal.convictions, convictions);
        bytes32 subject = proposalHashOf(jobId, round, proposal);
        job.phase = Phase.Challenge;
        job.proposer = validator;
        job.proposedAt = uint64(block.timestamp);
        job.proposal = proposal;
        job.proposalHash = subject;
        emit Proposed(jobId, round, validator, proposal, subject);
    }

    /// @inheritdoc IJobs
    function finalise(uint256 jobId, uint32 round) external {
        Status storage job = _inRound(jobId, round, Phase.Challenge);
        JobTerms storage terms = _terms[jobId];
        uint256 from = uint256(job.proposedAt) + terms.challengeSeconds;
        if (block.timestamp < from) revert TooEarly(block.timestamp, from);
        bytes32 subject = job.proposalHash;
        IJudge judge = IJudge(terms.judge);
        if (judge.verdict(jobId, subject) == IJudge.Verdict.Wrong) revert JudgedWrong(subject);
        if (judge.isOpen(jobId, subject)) revert UnderDispute(subject);

        Proposal memory proposal = job.proposal;
        job.finalRounds = round + 1;
        job.finalStateDigest = proposal.stateDigest;
        job.finalStateRoot = proposal.stateRoot;
        job.finalPayoutRoot = proposal.payoutRoot;
        job.finalPayoutTotal = proposal.payoutTotal;
        emit RoundFinal(jobId, round, proposal);
        if (round + 1 == terms.rounds) {
            _finish(jobId, job);
        } else {
            job.round = round + 1;
            _open(jobId, job, job.beacon);
        }
    }

    /// @inheritdoc IJobs
    function proposerNow(uint256 jobId) public view returns (address) {
        Status storage job = _status[jobId];
        if (job.phase != Phase.Propose) return address(0);
        uint256 turn = (block.timestamp - job.beaconAt) / _terms[jobId].turnSeconds;
        uint256 n = job.validators;
        return turn >= n ? address(0) : _members[jobId][Roles.VALIDATOR][(job.firstProposer + turn) % n];
    }

    function _open(uint256 jobId, Status storage job, bytes32 committeeSeed) private {
        job.phase = Phase.Open;
        job.attempt += 1;
        job.openedAt = uint64(block.timestamp);
        job.committeeSeed = committeeSeed;
        job.directHash = 0;
        job.directCount = 0;
        emit RoundOpened(jobId, job.round, job.attempt, committeeSeed);
    }

    function _checkMinimum(uint256 jobId, uint32 role, uint256 have, uint256 wanted) private pure {
        if (have < wanted) revert MinimumsNotMet(jobId, role, have, wanted);
    }

    /// Every bit's signature must be good: a bad one is a mistake of whoever brings the set, not a vote less.
    function _checkQuorum(uint256 jobId, bytes32 digest, uint256 signerBits, bytes calldata signatures) private view {
        uint256[] memory committee = _committee(jobId);
        // At most 255 members, so the shift is never 256.
        if (signerBits >> committee.length != 0) revert SignerBitsInvalid(signerBits, committee.length);
        uint256 signers = 0;
        for (uint256 bits = signerBits; bits != 0; bits &= bits - 1) {
            ++signers;
        }
        uint256 quorum = _terms[jobId].quorum;
        if (signers < quorum) revert QuorumNotMet(signers, quorum);
        uint256 size = signatures.length / signers;
        if (signatures.length != size * signers || (size != 64 && size != 65)) {
            revert SignaturesLength(signatures.length, signers);
        }
        uint256 used = 0;
        for (uint256 i = 0; i < committee.length; ++i) {
            if ((signerBits >> i) & 1 == 0) continue;
            address key = _registry.keyOf(_members[jobId][Roles.WITNESS][committee[i]]);
            address recovered = _recover(digest, signatures[used:used + size]);
            if (recovered != key) revert AttestationInvalid(i, recovered, key);
            used += size;
        }
    }

    /// Zero for what is no signature; no node has that key.
    function _recover(bytes32 digest, bytes calldata signature) private pure returns (address recovered) {
        if (signature.length == 64) {
            (recovered,,) = ECDSA.tryRecover(digest, bytes32(signature[:32]), bytes32(signature[32:]));
        } else {
            (recovered,,) = ECDSA.tryRecoverCalldata(digest, signature);
        }
    }
}
