// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IJobTypes} from "../interfaces/IJobTypes.sol";
import {IReferee} from "../interfaces/IReferee.sol";
import {Records} from "../libraries/Records.sol";
import {ShaTree} from "../libraries/ShaTree.sol";
import {Endings} from "./Endings.sol";

/// @title Moves from the states of a range down to the bytes of one leaf of one tensor (D-13, D-14).
abstract contract TraceMoves is Endings {
    using Records for bytes;

    /// @inheritdoc IReferee
    function pickStep(
        uint256 gameId,
        uint32 index,
        Entry calldata before,
        Entry calldata afterwards,
        bytes32[] calldata row,
        Entry calldata last
    ) external {
        Game storage game = _turn(gameId, Stage.States);
        if (uint256(index) + 1 >= game.count) revert IndexOutOfRange(index, game.count - 1);
        _checkProof(game.rows[0], before.value, index, game.levels, before.proof);
        _checkProof(game.rows[0], afterwards.value, index + 1, game.levels, afterwards.proof);
        if (last.value == afterwards.value) revert SameState(last.value);

        Program storage program = _programs[_challenges[game.challenge].jobId];
        uint256 step = uint256(game.step) + index;
        (uint256 leaves,) = _programAt(program, step);
        uint256 depth = ShaTree.depthOf(leaves);
        // Below 2^32: the steps of a program are at most 2^30.
        game.step = uint32(step);
        game.beforeOrRecord = before.value;
        game.traceDepth = uint8(depth);
        game.rows[0] = _firstRow(game, row, leaves, depth);
        _checkProof(row[(leaves - 1) >> game.below], last.value, leaves - 1, game.below, last.proof);
        game.frames = 1;
        _pass(gameId, game, Stage.Trace, Move.PickStep, game.step, afterwards.value, _bytesOf(row));
    }

    /// @inheritdoc IReferee
    function pickNode(uint256 gameId, uint32 index, Entry calldata entry, bytes32[] calldata row) external {
        Game storage game = _turnInRow(gameId);
        if (game.below == 0) revert AtLeaves();
        uint256 position = _take(game, index, entry);
        // Below the first row of a tree all rows have six levels.
        uint256 below = game.below - 6;
        uint256 frames = game.frames;
        _checkRow(row, _width(game.count, below, 6, position));
        bytes32 root = ShaTree.rowRoot(row, 6);
        if (root == entry.value) revert SameRoot(root);
        game.rows[frames] = root;
        game.position = uint32(position);
        game.levels = 6;
        game.below = uint8(below);
        Stage stage = game.stage;
        if (stage == Stage.Trace) game.frames = uint8(frames + 1);
        _pass(gameId, game, stage, Move.PickNode, position, entry.value, _bytesOf(row));
    }

    /// @inheritdoc IReferee
    function pickTraceLeaf(
        uint256 gameId,
        uint32 index,
        Entry calldata entry,
        bytes calldata record,
        bytes32[] calldata recordProof,
        bytes32[] calldata row,
        bytes calldata leaf
    ) external {
        Game storage game = _turn(gameId, Stage.Trace);
        uint256 kind = _takeTraceLeaf(game, index, entry, record, recordProof);
        if (kind != Records.ELEMENT && kind != Records.AFTER && kind != Records.TOKENS && kind != Records.UNIFORM) {
            revert RecordKind(kind);
        }
        uint256 parts = kind == Records.AFTER ? _programs[_challenges[game.challenge].jobId].parts : 0;
        (uint256 depth, uint256 count) = record.tree(kind, parts);
        if (depth == 0) {
            if (row.length != 0) revert RowLength(row.length, 0);
            game.count = 1;
            _reveal(gameId, game, Move.PickTraceLeaf, 0, entry.value, record, leaf);
            return;
        }
        if (leaf.length != 0) revert LeafLength(leaf.length, 0);
        bytes32 root = _firstRow(game, row, count, depth);
        if (root == entry.value) revert SameRoot(root);
        game.rows[game.frames] = root;
        _pass(gameId, game, Stage.Tensor, Move.PickTraceLeaf, game.traceLeaf, entry.value, _bytesOf(row));
    }

    /// @inheritdoc IReferee
    function strikeTraceLeaf(
        uint256 gameId,
        uint32 index,
        Entry calldata entry,
        bytes calldata record,
        bytes32[] calldata recordProof,
        bytes32 right,
        bytes32[] calldata rightProof,
        IJobTypes.ClaimLeaf calldata claim
    ) external {
        Game storage game = _turn(gameId, Stage.Trace);
        bytes32 wanted = game.beforeOrRecord;
        uint256 kind = _takeTraceLeaf(game, index, entry, record, recordProof);
        if (kind == Records.FIXED) {
            wanted = record.root(1);
        } else if (kind == Records.SCHEDULE) {
            wanted = right;
            _checkProof(record.root(2), right, game.step, record.word(1), rightProof);
        } else if (kind == Records.BASE) {
            _inChallenge(game.challenge, claim);
            wanted = claim.baseRoot;
        } else if (kind == Records.REFERENCE) {
            wanted = right;
            _checkReference(game, claim, right, rightProof);
        } else if (kind == Records.UPDATES) {
            wanted = _updatesOf[_challenges[game.challenge].subject];
            if (wanted == 0) revert UpdatesNotNoted(_challenges[game.challenge].subject);
        } else if (kind != Records.BEFORE) {
            revert RecordKind(kind);
        }
        if (entry.value == wanted) revert NothingWrong(wanted);
        _win(gameId, game, Move.StrikeTraceLeaf, game.traceLeaf, entry.value, abi.encodePacked(wanted));
    }

    /// @inheritdoc IReferee
    function strikeAbsent(uint256 gameId, uint32 index, Entry calldata entry, bytes calldata record) external {
        Game storage game = _turn(gameId, Stage.Tensor);
        _checkHash(ShaTree.leaf(record), game.beforeOrRecord);
        if (game.kind != Records.AFTER) revert RecordKind(game.kind);
        uint256 position = _take(game, index, entry);
        uint256 below = game.below;
        if (entry.value == 0 || record.covered(position << (below + 8), (position + 1) << (below + 8))) {
            revert NothingWrong(entry.value);
        }
        _win(gameId, game, Move.StrikeAbsent, position, entry.value, "");
    }

    /// @inheritdoc IReferee
    function pickTensorLeaf(uint256 gameId, uint32 index, Entry calldata entry, bytes calldata record, bytes calldata leaf)
        external
    {
        Game storage game = _turn(gameId, Stage.Tensor);
        if (game.below != 0) revert NotAtLeaves(game.below);
        _checkHash(ShaTree.leaf(record), game.beforeOrRecord);
        uint256 position = _take(game, index, entry);
        _reveal(gameId, game, Move.PickTensorLeaf, position, entry.value, record, leaf);
    }

    // ---- what all moves share

    /// The game, when it is the caller's turn and the game waits for this.
    function _turn(uint256 gameId, Stage wanted) internal returns (Game storage game) {
        game = _games[gameId];
        if (game.stage != wanted) revert WrongStage(gameId, game.stage);
        _clock(gameId, game);
    }

    function _turnInRow(uint256 gameId) private returns (Game storage game) {
        game = _games[gameId];
        if (game.stage != Stage.Trace && game.stage != Stage.Tensor) revert WrongStage(gameId, game.stage);
        _clock(gameId, game);
    }

    function _clock(uint256 gameId, Game storage game) private {
        Challenge storage played = _challenges[game.challenge];
        if (played.decided) revert ChallengeDecided(game.challenge);
        bool byChallenger = game.challengerMoves;
        address player = byChallenger ? played.challenger : game.champion;
        if (msg.sender != player && _registry.nodeOf(msg.sender) != player) {
            revert NotYourMove(gameId, msg.sender, player);
        }
        uint256 used = block.timestamp - game.movedAt;
        uint256 left = byChallenger ? game.challengerLeft : game.championLeft;
        if (used > left) revert ClockOver(gameId, used, left);
        if (byChallenger) game.challengerLeft = uint24(left - used);
        else game.championLeft = uint24(left - used);
        game.movedAt = uint40(block.timestamp);
    }

    /// Hands the turn over.
    function _pass(
        uint256 gameId,
        Game storage game,
        Stage stage,
        Move move,
        uint256 position,
        bytes32 picked,
        bytes memory revealed
    ) internal {
        bool byChallenger = game.challengerMoves;
        game.stage = stage;
        game.challengerMoves = !byChallenger;
        _emitMoved(gameId, game, move, byChallenger, position, picked, revealed);
    }

    /// Ends the game for the mover.
    function _win(uint256 gameId, Game storage game, Move move, uint256 position, bytes32 picked, bytes memory revealed) internal {
        bool byChallenger = game.challengerMoves;
        game.stage = Stage.Over;
        _emitMoved(gameId, game, move, byChallenger, position, picked, revealed);
        _end(gameId, game, byChallenger, move);
    }

    function _emitMoved(
        uint256 gameId,
        Game storage game,
        Move move,
        bool byChallenger,
        uint256 position,
        bytes32 picked,
        bytes memory revealed
    ) private {
        emit Moved(
            gameId,
            move,
            byChallenger,
            game.stage,
            uint64(position),
            game.below,
            game.challengerLeft,
            game.championLeft,
            picked,
            revealed
        );
    }

    function _checkHash(bytes32 hash, bytes32 wanted) internal pure {
        if (hash != wanted) revert RevealedDiffers(hash, wanted);
    }

    /// Nodes that a row has: the tree of `count` leaves ends somewhere in it, or beyond.
    function _width(uint256 count, uint256 below, uint256 levels, uint256 position) private pure returns (uint256) {
        uint256 nodes = (count + (1 << below) - 1) >> below;
        uint256 from = position << levels;
        uint256 full = 1 << levels;
        return nodes - from < full ? nodes - from : full;
    }

    function _checkRow(bytes32[] calldata row, uint256 width) private pure {
        if (row.length != width) revert RowLength(row.length, width);
        // What is not wholly absent starts at its left end: an absent entry has no row to show.
        if (row[0] == 0) revert RowStartsAbsent();
    }

    /// Takes the first row of a tree of `count` leaves; notes its shape.
    function _firstRow(Game storage game, bytes32[] calldata row, uint256 count, uint256 depth) private returns (bytes32) {
        uint256 levels = ShaTree.firstLevels(depth);
        _checkRow(row, _width(count, depth - levels, levels, 0));
        game.levels = uint8(levels);
        game.below = uint8(depth - levels);
        game.position = 0;
        game.count = uint32(count);
        return ShaTree.rowRoot(row, levels);
    }

    /// Checks an entry of the revealed row; gives its number in its own row of the tree.
    function _take(Game storage game, uint256 index, Entry calldata entry) private view returns (uint256) {
        (uint256 levels, uint256 position, uint256 frames) = (game.levels, game.position, game.frames);
        uint256 width = _width(game.count, game.below, levels, position);
        if (index >= width) revert IndexOutOfRange(index, width);
        bytes32 root = game.rows[game.stage == Stage.Trace ? frames - 1 : frames];
        _checkProof(root, entry.value, index, levels, entry.proof);
        return (position << levels) | index;
    }

    /// Takes a trace leaf with its record; gives the record's kind.
    function _takeTraceLeaf(
        Game storage game,
        uint256 index,
        Entry calldata entry,
        bytes calldata record,
        bytes32[] calldata recordProof
    ) private returns (uint256 kind) {
        if (game.below != 0) revert NotAtLeaves(game.below);
        uint256 traceLeaf = _take(game, index, entry);
        Program storage program = _programs[_challenges[game.challenge].jobId];
        (, uint256 first) = _programAt(program, game.step);
        bytes32 hash = ShaTree.leaf(record);
        _checkRecord(program.root, _allLeaves(program), first + traceLeaf, hash, recordProof);
        kind = record.word(0);
        if (kind > Records.UPDATES) revert RecordKind(kind);
        game.kind = uint8(kind);
        game.traceLeaf = uint32(traceLeaf);
        game.beforeOrRecord = hash;
    }

    /// Checks that `right` is the reference update that a result names: the last node of its run (D-23).
    function _checkReference(
        Game storage game,
        IJobTypes.ClaimLeaf calldata result,
        bytes32 right,
        bytes32[] calldata rightProof
    ) private view {
        _inChallenge(game.challenge, result);
        uint256 segments = _segments(_programs[_challenges[game.challenge].jobId]);
        _checkProof(result.statesRoot, right, segments, ShaTree.depthOf(segments + 1), rightProof);
    }

    /// Reveals the bytes of one leaf of a tensor.
    function _reveal(
        uint256 gameId,
        Game storage game,
        Move move,
        uint256 position,
        bytes32 picked,
        bytes calldata record,
        bytes calldata leaf
    ) private {
        uint256 length = record.leafBytes(game.kind, position);
        if (length == 0 || leaf.length != length) revert LeafLength(leaf.length, length);
        bytes32 hash = ShaTree.leaf(leaf);
        if (hash == picked) revert SameRoot(hash);
        game.rows[game.frames] = hash;
        game.position = uint32(position);
        game.below = 0;
        // The only leaf of a tensor is told by the tensor's own number.
        _pass(gameId, game, Stage.Leaf, move, move == Move.PickTraceLeaf ? game.traceLeaf : position, picked, leaf);
    }
}
