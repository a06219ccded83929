// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IJobTypes} from "../interfaces/IJobTypes.sol";
import {Records} from "../libraries/Records.sol";
import {ShaTree} from "../libraries/ShaTree.sol";
import {RefereeStore} from "./RefereeStore.sol";

/// @title Opens the programs of jobs: reads a header once and keeps what it says (D-07).
abstract contract JobPrograms is RefereeStore {
    using Records for bytes;

    uint256 private constant HEADER_BYTES = 16 * 4 + 64;
    uint256 private constant MAGIC = 0x504c4b31;
    uint256 private constant MOST_LEAVES = 1 << 24;

    /// The program of a job, once opened; the first caller brings its header.
    function _open(uint256 jobId, bytes calldata header, bytes32[] calldata proof) internal returns (Program storage program) {
        program = _programs[jobId];
        if (program.root != 0) return program;
        IJobTypes.JobTerms memory terms = _jobs.termsOf(jobId);
        if (terms.trustClass != 0 || terms.judge != address(this)) {
            revert NotJudgeOf(jobId, terms.judge, terms.trustClass);
        }
        if (header.length != HEADER_BYTES) revert HeaderInvalid("length", header.length);
        uint256 leaves = header.word(1);
        _checkRecord(terms.programRoot, leaves, 0, ShaTree.leaf(header), proof);
        program.root = terms.programRoot;
        _readHeader(program, header, leaves);
    }

    function _readHeader(Program storage program, bytes calldata header, uint256 leaves) private {
        if (header.word(0) != MAGIC) revert HeaderInvalid("magic", header.word(0));
        if (header.word(2) != 1) revert HeaderInvalid("operatorSet", header.word(2));
        (uint256 steps, uint256 every, uint256 parts) = (header.word(3), header.word(4), header.word(8));
        if (steps == 0 || steps > 1 << 30) revert HeaderInvalid("steps", steps);
        if (every == 0 || (every > 64 && steps > 64)) revert HeaderInvalid("stateEverySteps", every);
        if (parts == 0 || parts > 64) revert HeaderInvalid("parts", parts);
        (uint256 traced, uint256 finished, uint256 next) = (header.word(11), header.word(13), header.word(15));
        if (traced < 2 || traced > MOST_LEAVES) revert HeaderInvalid("traceLeaves", traced);
        if (finished < 2 || finished > MOST_LEAVES) revert HeaderInvalid("finishLeaves", finished);
        if (next < 2 || next > MOST_LEAVES) revert HeaderInvalid("nextLeaves", next);
        if (header.word(10) != 1) revert HeaderInvalid("firstRecord", header.word(10));
        if (header.word(12) != 1 + traced) revert HeaderInvalid("finishRecord", header.word(12));
        if (header.word(14) != 1 + traced + finished) revert HeaderInvalid("nextRecord", header.word(14));
        if (leaves != 1 + traced + finished + next) revert HeaderInvalid("leaves", leaves);
        program.jobSeed = header.root(16);
        program.zeroRoot = header.root(24);
        program.steps = uint32(steps);
        program.shares = uint32(header.word(7));
        program.units = uint64((header.word(5) << 32) | header.word(6));
        program.traceLeaves = uint32(traced);
        program.finishLeaves = uint32(finished);
        program.nextLeaves = uint32(next);
        program.stateEverySteps = uint8(every > 64 ? 64 : every);
        program.parts = uint8(parts);
    }

    /// The job's status, while this round lasts: before, its base is not known; afterwards nobody keeps updates any more.
    function _inRound(uint256 jobId, uint32 round) internal view returns (IJobTypes.Status memory status) {
        status = _jobs.status(jobId);
        bool isRunning = status.phase >= IJobTypes.Phase.Open && status.phase <= IJobTypes.Phase.Challenge;
        if (!isRunning || status.round != round) revert NotTheRound(jobId, round, status.round);
    }
}
