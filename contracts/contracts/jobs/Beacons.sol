// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IJobs} from "../interfaces/IJobs.sol";
import {Roles} from "../libraries/Roles.sol";
import {RoundHash} from "../libraries/RoundHash.sol";
import {JobViews} from "./JobViews.sol";

/// @title Randomness that no single validator knows before the set of claims is fixed.
/// @notice Each validator has committed to a chain of hashes when it enrolled and reveals one layer a round. Layers are folded by XOR,
/// so their order does not matter.
abstract contract Beacons is JobViews {
    /// @inheritdoc IJobs
    function reveal(uint256 jobId, uint32 round, bytes32 preimage) external nonReentrant {
        Status storage job = _inRound(jobId, round, Phase.Beacon);
        uint256 from = uint256(job.fixedBlock) + _terms[jobId].beaconBlocks;
        if (block.number < from) revert TooEarly(block.number, from);
        address validator = _caller(jobId, Roles.VALIDATOR);
        uint256 index = _enrolmentOf[jobId][Roles.VALIDATOR][validator] - 1;
        uint64 bit = uint64(1 << index);
        if (job.revealedBits & bit != 0) revert AlreadyRevealed(jobId, validator);
        bytes32 hash = RoundHash.onionLayer(preimage);
        if (hash != _onionOf[jobId][validator]) revert WrongPreimage(hash, _onionOf[jobId][validator]);

        _onionOf[jobId][validator] = preimage;
        job.revealedBits |= bit;
        job.revealed += 1;
        _folded[jobId] ^= RoundHash.revealed(index, preimage);
        emit Revealed(jobId, round, validator, preimage);
        if (_silent(job) == 0) _draw(jobId, job, false);
    }

    /// @inheritdoc IJobs
    function closeBeacon(uint256 jobId, uint32 round) external nonReentrant {
        Status storage job = _inRound(jobId, round, Phase.Beacon);
        uint256 silent = _silent(job);
        if (silent != 0) {
            JobTerms storage terms = _terms[jobId];
            uint256 from = uint256(job.fixedAt) + terms.revealSeconds;
            if (block.timestamp < from) revert TooEarly(block.timestamp, from);
            // On a slow chain the seconds may run out before the reveals have even opened: grant as many blocks again.
            from = uint256(job.fixedBlock) + 2 * uint256(terms.beaconBlocks);
            if (block.number < from) revert TooEarly(block.number, from);
            _punishSilent(jobId, round, silent, terms.missingPenalty);
        }
        _draw(jobId, job, silent != 0);
    }

    /// Nobody is rewarded for another's silence, or it would pay to cut validators off: all of the penalty is burned.
    function _punishSilent(uint256 jobId, uint32 round, uint256 silent, uint128 penalty) private {
        bytes32 task = taskOf(jobId, Roles.VALIDATOR);
        address[] storage validators = _members[jobId][Roles.VALIDATOR];
        for (uint256 i = 0; i < validators.length; ++i) {
            if ((silent >> i) & 1 == 0) continue;
            uint256 held = _registry.lockedFor(address(this), validators[i], task);
            // Never above `penalty`, which has 128 bits.
            uint128 amount = held < penalty ? uint128(held) : penalty;
            if (amount > 0) _registry.slash(validators[i], task, amount, new address[](0));
            emit RevealMissing(jobId, round, validators[i], amount);
        }
    }

    function _draw(uint256 jobId, Status storage job, bool missing) private {
        bytes32 beacon = RoundHash.beacon(jobId, job.round, job.beacon, _folded[jobId]);
        _folded[jobId] = 0;
        job.beacon = beacon;
        job.phase = Phase.Propose;
        job.beaconAt = uint64(block.timestamp);
        job.beaconMissing = missing;
        // Below the number of validators, at most 64.
        job.firstProposer = uint32(uint256(beacon) % job.validators);
        emit BeaconDrawn(jobId, job.round, beacon, missing);
    }

    /// A bit for each validator that is still expected to reveal.
    function _silent(Status storage job) private view returns (uint256) {
        uint256 everyone = (1 << uint256(job.validators)) - 1;
        return everyone & ~uint256(job.revealedBits | job.expelledBits);
    }
}
