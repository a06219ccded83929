// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IJobTypes} from "../interfaces/IJobTypes.sol";
import {IJobs} from "../interfaces/IJobs.sol";
import {IRefereeDesk} from "../interfaces/IRefereeDesk.sol";
import {IVoteJudge} from "../interfaces/IVoteJudge.sol";
import {Records} from "../libraries/Records.sol";
import {ShaTree} from "../libraries/ShaTree.sol";
import {RefereeStore} from "./RefereeStore.sol";
import {ResultDesk} from "./ResultDesk.sol";

/// @title Calls a claim into question; documented on IRefereeDesk.
/// @dev Made by `Referee` and called on its storage: it holds all that asks `Jobs` for terms and states.
contract RefereeDesk is ResultDesk {
    using Records for bytes;

    IERC20 private immutable _salt;

    constructor(IJobs jobs_, IVoteJudge votes_, uint32 clockSeconds_, uint128 challengeBond_)
        RefereeStore(jobs_, clockSeconds_, challengeBond_)
        ResultDesk(votes_)
    {
        _salt = IERC20(_registry.salt());
    }

    /// @inheritdoc IRefereeDesk
    function challenge(
        uint256 jobId,
        uint32 round,
        IJobTypes.ClaimLeaf calldata claim,
        uint32 segment,
        bytes calldata header,
        bytes32[] calldata headerProof
    ) external returns (uint256 id) {
        address challenger = _node(msg.sender);
        uint256 last = _segments(_open(jobId, header, headerProof));
        bytes32 subject = _jobs.claimHash(jobId, round, claim);
        bool ofResult = claim.share == RESULT_SHARE;
        if (ofResult) {
            ++last;
            _checkInTime(jobId, round, subject);
        }
        if (segment > last || segment > type(uint24).max) revert SegmentOutOfRange(segment, last);
        return _lodge(challenger, jobId, round, subject, segment, ofResult);
    }

    /// @inheritdoc IRefereeDesk
    function standUp(
        uint256 id,
        IJobTypes.ClaimLeaf calldata claim,
        Entry calldata start,
        Entry calldata end,
        bytes32[] calldata states
    ) external returns (uint256 gameId) {
        Challenge storage played = _inChallenge(id, claim);
        uint256 until = uint256(played.openedAt) + _clockSeconds;
        if (block.timestamp > until) revert StandUpOver(block.timestamp, until);
        gameId = ++_gameCount;
        Game storage game = _games[gameId];
        _seat(id, gameId, game, played, claim.worker);
        Program storage program = _programs[played.jobId];
        bytes32 first = _range(game, program, played.segment, claim, start, end, states);
        game.streamKey = played.ofResult
            ? _referenceKey(_inRound(played.jobId, played.round).beacon, played.round)
            : _streamKey(program.jobSeed, played.round, claim.share, claim.worker);
        game.rows[0] = ShaTree.rootWithFirst(first, states, game.levels);
        emit GameOpened(gameId, id, game.champion, game.step, first);
        emit Moved(
            gameId,
            Move.StandUp,
            false,
            Stage.States,
            played.segment,
            0,
            _clockSeconds,
            _clockSeconds,
            first,
            _bytesOf(states)
        );
    }

    /// @inheritdoc IRefereeDesk
    function strikeClaim(
        uint256 jobId,
        uint32 round,
        IJobTypes.ClaimLeaf calldata claim,
        bytes calldata header,
        bytes32[] calldata headerProof
    ) external {
        address accuser = _node(msg.sender);
        if (claim.share == RESULT_SHARE) revert NotAClaim(claim.share);
        Program storage program = _open(jobId, header, headerProof);
        IJobTypes.Status memory status = _inRound(jobId, round);
        bytes32 base = round == 0 ? _jobs.termsOf(jobId).baseRoot : status.finalStateRoot;
        if (claim.baseRoot == base && claim.units == program.units && claim.share < program.shares) {
            revert NothingWrong(base);
        }
        _makeWrong(jobId, _jobs.claimHash(jobId, round, claim), accuser);
    }

    /// @inheritdoc IRefereeDesk
    function demandLeaf(
        uint256 jobId,
        uint32 round,
        IJobTypes.ClaimLeaf calldata claim,
        uint32 leafIndex,
        bytes calldata header,
        bytes32[] calldata headerProof,
        bytes calldata record,
        bytes32[] calldata recordProof
    ) external returns (uint256 demand) {
        Program storage program = _open(jobId, header, headerProof);
        if (claim.share == RESULT_SHARE) revert NotAClaim(claim.share);
        _inRound(jobId, round);
        uint256 last = uint256(program.traceLeaves) + program.finishLeaves;
        _checkRecord(program.root, _allLeaves(program), last, ShaTree.leaf(record), recordProof);
        uint256 kind = record.word(0);
        if (kind != Records.ELEMENT) revert RecordKind(kind);
        (uint256 depth, uint256 count) = record.tree(kind, 0);
        if (leafIndex >= count) revert LeafNotThere(leafIndex);
        demand = ++_demandCount;
        _demands[demand] = Demand({
            subject: _jobs.claimHash(jobId, round, claim),
            updateRoot: claim.updateRoot,
            from: msg.sender,
            askedAt: uint40(block.timestamp),
            leafIndex: leafIndex,
            depth: uint8(depth),
            closed: false,
            jobId: uint48(jobId)
        });
        emit LeafDemanded(demand, jobId, _demands[demand].subject, leafIndex, msg.sender);
        if (!_salt.transferFrom(msg.sender, address(this), _challengeBond / 100)) revert TransferFailed(address(_salt));
    }

    /// @inheritdoc IRefereeDesk
    function showLeaf(uint256 demand, bytes calldata leaf, bytes32[] calldata proof) external {
        Demand storage asked = _inDemand(demand);
        uint256 until = uint256(asked.askedAt) + _clockSeconds;
        if (block.timestamp > until) revert DemandOver(block.timestamp, until);
        _checkProof(asked.updateRoot, ShaTree.leaf(leaf), asked.leafIndex, asked.depth, proof);
        asked.closed = true;
        emit LeafShown(demand, msg.sender, leaf);
        _pay(msg.sender);
    }

    /// @inheritdoc IRefereeDesk
    function strikeSilence(uint256 demand) external {
        Demand storage asked = _inDemand(demand);
        uint256 until = uint256(asked.askedAt) + _clockSeconds;
        if (block.timestamp <= until) revert DemandRunning(block.timestamp, until);
        asked.closed = true;
        emit LeafWithheld(demand);
        _makeWrong(asked.jobId, asked.subject, asked.from);
        _pay(asked.from);
    }

    function _lodge(address challenger, uint256 jobId, uint32 round, bytes32 subject, uint32 segment, bool ofResult)
        private
        returns (uint256 id)
    {
        id = ++_challengeCount;
        Challenge storage opened = _challenges[id];
        opened.subject = subject;
        opened.challenger = challenger;
        opened.openedAt = uint40(block.timestamp);
        opened.segment = uint24(segment);
        opened.jobId = uint40(jobId);
        opened.round = round;
        if (ofResult) {
            opened.ofResult = true;
            ++_openOf[subject];
        }
        _registry.lock(challenger, _challengeTask(id), _challengeBond);
        emit Challenged(id, jobId, subject, challenger, round, segment, uint40(block.timestamp + _clockSeconds));
    }

    function _pay(address to) private {
        if (!_salt.transfer(to, _challengeBond / 100)) revert TransferFailed(address(_salt));
    }

    function _inDemand(uint256 demand) private view returns (Demand storage asked) {
        asked = _demands[demand];
        if (asked.from == address(0)) revert UnknownDemand(demand);
        if (asked.closed) revert DemandClosed(demand);
    }

    /// Makes the caller the champion of a new game; the claim's worker once, without a bond: it has one in the job.
    function _seat(uint256 id, uint256 gameId, Game storage game, Challenge storage played, address worker) private {
        address champion = _node(msg.sender);
        if (champion == worker) {
            if (played.workerStood) revert AlreadyStood(id, worker);
            played.workerStood = true;
        } else {
            game.bonded = true;
            _registry.lock(champion, _gameTask(gameId), _challengeBond);
        }
        played.openGames += 1;
        game.champion = champion;
        game.challenge = uint32(id);
        game.movedAt = uint40(block.timestamp);
        game.challengerLeft = uint24(_clockSeconds);
        game.championLeft = uint24(_clockSeconds);
        game.stage = Stage.States;
        game.challengerMoves = true;
    }

    /// Checks start, end and states of the challenged range and notes its shape.
    function _range(
        Game storage game,
        Program storage program,
        uint256 segment,
        IJobTypes.ClaimLeaf calldata claim,
        Entry calldata start,
        Entry calldata end,
        bytes32[] calldata states
    ) private returns (bytes32 first) {
        uint256 segments = _segments(program);
        // Of a result the reference update is one more node, which its finish ends in.
        uint256 nodes = claim.share == RESULT_SHARE ? segments + 1 : segments;
        uint256 depth = ShaTree.depthOf(nodes);
        uint256 steps = 1;
        bytes32 wanted = claim.updateRoot;
        if (segment < segments) {
            (uint256 every, uint256 total) = (program.stateEverySteps, program.steps);
            steps = total - segment * every < every ? total - segment * every : every;
            game.step = uint32(segment * every);
        } else {
            game.step = uint32(program.steps + segment - segments);
        }
        if (segment < nodes) {
            wanted = end.value;
            _checkProof(claim.statesRoot, wanted, segment, depth, end.proof);
        }
        if (states.length != steps) revert StatesLength(states.length, steps);
        if (states[steps - 1] != wanted) revert LastStateDiffers(states[steps - 1], wanted);
        if (segment == 0) {
            first = _firstState(program, claim.baseRoot);
        } else if (segment > segments) {
            first = claim.baseRoot;
        } else {
            first = start.value;
            _checkProof(claim.statesRoot, first, segment - 1, depth, start.proof);
        }
        game.levels = uint8(ShaTree.depthOf(steps + 1));
        game.count = uint32(steps + 1);
    }

    /// The tree over the base root and the zero roots of the other parts (D-07).
    function _firstState(Program storage program, bytes32 baseRoot) private view returns (bytes32) {
        uint256 parts = program.parts;
        if (parts == 1) return baseRoot;
        bytes32[] memory row = new bytes32[](parts);
        bytes32 zero = program.zeroRoot;
        row[0] = baseRoot;
        for (uint256 i = 1; i < parts; ++i) {
            row[i] = zero;
        }
        for (uint256 width = parts; width > 1; width = (width + 1) >> 1) {
            for (uint256 i = 0; i < width; i += 2) {
                row[i >> 1] = ShaTree.node(row[i], i + 1 < width ? row[i + 1] : bytes32(0));
            }
        }
        return row[0];
    }

    /// The same of the reference run's seed, which the beacon gives (P-42).
    function _referenceKey(bytes32 beacon, uint32 round) private pure returns (uint96) {
        bytes32 seed = sha256(abi.encodePacked("potluck reference", beacon, abi.encode(round)));
        return uint96(bytes12(sha256(abi.encodePacked(seed))));
    }

    /// The first three words of SHA-256 of the task's seed (P-42, E-14).
    function _streamKey(bytes32 jobSeed, uint32 round, uint32 share, address worker) private pure returns (uint96) {
        bytes32 seed = sha256(abi.encodePacked("potluck task", jobSeed, abi.encode(round, share, worker)));
        return uint96(bytes12(sha256(abi.encodePacked(seed))));
    }
}
