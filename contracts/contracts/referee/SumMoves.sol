// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IReferee} from "../interfaces/IReferee.sol";
import {IScalarMachine} from "../interfaces/IScalarMachine.sol";
import {Records} from "../libraries/Records.sol";
import {ShaTree} from "../libraries/ShaTree.sol";
import {SoftFloat} from "../libraries/SoftFloat.sol";
import {TraceMoves} from "./TraceMoves.sol";

/// @title Moves from one element through its partial sums to one evaluation (D-15 to D-17).
abstract contract SumMoves is TraceMoves {
    using Records for bytes;

    uint256 private constant LANES = 8;

    IScalarMachine internal immutable _machine;

    constructor(IScalarMachine machine) {
        _machine = machine;
    }

    /// @inheritdoc IReferee
    function pickElement(
        uint256 gameId,
        bytes calldata opponentLeaf,
        uint32 index,
        bytes calldata record,
        bytes calldata sums
    ) external {
        Game storage game = _turn(gameId, Stage.Leaf);
        _checkHash(ShaTree.leaf(record), game.beforeOrRecord);
        uint32 word = _wordOfLeaf(game, opponentLeaf, index);
        if (game.kind != Records.ELEMENT) revert OneEvaluation(1);
        uint256 reduction = record.word(2);
        uint256 terms = record.word(3);
        uint256 element = (uint256(game.position) << 8) | index;
        game.element = uint32(element);
        if (reduction == Records.ROW_SUM || reduction == Records.ROW_MAXIMUM) {
            if (sums.length != 4 * LANES) revert SumsLength(sums.length, 4 * LANES);
            uint32 combined = _machine.combine(reduction, sums);
            if (combined == word) revert SameWord(word);
            game.scale = uint8(reduction);
            game.end = uint32(terms);
            game.rows[game.frames] = keccak256(sums);
            _pass(gameId, game, Stage.Lanes, Move.PickElement, element, _asPicked(word), sums);
        } else {
            _subdivide(gameId, game, Move.PickElement, reduction == 1 ? terms : 1, element, word, sums);
        }
    }

    /// @inheritdoc IReferee
    function pickSum(uint256 gameId, bytes calldata opponentSums, uint32 index, bytes calldata sums) external {
        Game storage game = _games[gameId];
        game = _turn(gameId, game.stage == Stage.Lanes ? Stage.Lanes : Stage.Sums);
        uint32 word = _wordOfSums(game, opponentSums, index);
        uint256 terms;
        if (game.stage == Stage.Lanes) {
            terms = _laneTerms(game.end, index);
            game.agreed = uint32(_startOf(game.scale));
            game.lane = uint8(index);
            game.first = 0;
        } else {
            uint256 from;
            (from, terms) = _span(game, index);
            if (index > 0) game.agreed = uint32(opponentSums.word(index - 1));
            game.first = uint32(from);
        }
        _subdivide(gameId, game, Move.PickSum, terms, game.first, word, sums);
    }

    /// @inheritdoc IReferee
    function prove(
        uint256 gameId,
        bytes calldata opponentWords,
        uint32 index,
        bytes calldata record,
        Operand[] calldata operands
    ) external {
        Stage stage = _games[gameId].stage;
        if (stage != Stage.Leaf && stage != Stage.Lanes && stage != Stage.Sums) revert WrongStage(gameId, stage);
        Game storage game = _turn(gameId, stage);
        _checkHash(ShaTree.leaf(record), game.beforeOrRecord);
        uint32 word;
        IScalarMachine.Query memory query;
        uint256 terms;
        if (stage == Stage.Leaf) {
            word = _wordOfLeaf(game, opponentWords, index);
            query.element = uint32((uint256(game.position) << 8) | index);
            terms = _wholeElement(game, record, query);
        } else {
            word = _wordOfSums(game, opponentWords, index);
            query.element = game.element;
            terms = stage == Stage.Lanes ? _ofLane(game, index, query) : _ofSum(game, record, opponentWords, index, query);
        }
        if (terms > 1) revert NotOneEvaluation(terms);
        query.step = game.step;
        query.streamKey = game.streamKey;
        uint32 result = query.partialWord;
        if (terms == 1) {
            _checkOperands(game, record, operands);
            result = _machine.evaluate(query, record, operands);
        }
        if (result == word) revert SameWord(word);
        _win(gameId, game, Move.Prove, query.element, _asPicked(word), abi.encodePacked(result));
    }

    /// Reveals partial sums over `terms` terms from `game.first`, of which `word` is the other side's result.
    function _subdivide(
        uint256 gameId,
        Game storage game,
        Move move,
        uint256 terms,
        uint256 position,
        uint32 word,
        bytes calldata sums
    ) private {
        if (terms < 2) revert OneEvaluation(terms);
        (uint256 scale, uint256 stride) = (0, 1);
        while (stride * 64 < terms) {
            stride *= 64;
            ++scale;
        }
        uint256 count = (terms + stride - 1) / stride;
        if (sums.length != 4 * count) revert SumsLength(sums.length, 4 * count);
        if (sums.word(count - 1) == word) revert SameWord(word);
        game.scale = uint8(scale);
        game.end = uint32(game.first + terms);
        game.rows[game.frames] = keccak256(sums);
        _pass(gameId, game, Stage.Sums, move, position, _asPicked(word), sums);
    }

    /// An element of a leaf as one evaluation: how many terms it has and, for a sum, what they are added to.
    function _wholeElement(Game storage game, bytes calldata record, IScalarMachine.Query memory query)
        private
        view
        returns (uint256)
    {
        if (game.kind != Records.ELEMENT || record.word(2) == 0) return 1;
        // The partials of row reductions come first, however few terms there are.
        if (record.word(2) != 1) return LANES;
        query.folded = true;
        return record.word(3);
    }

    function _ofLane(Game storage game, uint256 index, IScalarMachine.Query memory query) private view returns (uint256) {
        query.folded = true;
        query.term = uint32(index);
        query.partialWord = uint32(_startOf(game.scale));
        return _laneTerms(game.end, index);
    }

    function _ofSum(
        Game storage game,
        bytes calldata record,
        bytes calldata opponentSums,
        uint256 index,
        IScalarMachine.Query memory query
    ) private view returns (uint256 terms) {
        uint256 from;
        (from, terms) = _span(game, index);
        query.folded = true;
        query.term = uint32(record.word(2) == 1 ? from : game.lane + LANES * from);
        query.partialWord = index == 0 ? game.agreed : uint32(opponentSums.word(index - 1));
    }

    /// Terms of the revealed sum `index`: the first, and how many.
    function _span(Game storage game, uint256 index) private view returns (uint256 from, uint256 terms) {
        uint256 stride = 64 ** uint256(game.scale);
        from = game.first + index * stride;
        uint256 end = game.end;
        terms = end - from < stride ? end - from : stride;
    }

    function _laneTerms(uint256 terms, uint256 lane) private pure returns (uint256) {
        return lane < terms ? (terms - lane + LANES - 1) / LANES : 0;
    }

    function _startOf(uint256 reduction) private pure returns (uint256) {
        return reduction == Records.ROW_MAXIMUM ? SoftFloat.MINUS_INFINITY : 0;
    }

    function _asPicked(uint32 word) private pure returns (bytes32) {
        return bytes32(bytes4(word));
    }

    function _wordOfLeaf(Game storage game, bytes calldata leaf, uint256 index) private view returns (uint32) {
        _checkHash(ShaTree.leaf(leaf), game.rows[game.frames]);
        if (index >= leaf.length / 4) revert IndexOutOfRange(index, leaf.length / 4);
        uint256 word = leaf.word(index);
        return uint32((word >> 24) | ((word >> 8) & 0xff00) | ((word << 8) & 0xff0000) | (word << 24));
    }

    function _wordOfSums(Game storage game, bytes calldata sums, uint256 index) private view returns (uint32) {
        _checkHash(keccak256(sums), game.rows[game.frames]);
        if (index >= sums.length / 4) revert IndexOutOfRange(index, sums.length / 4);
        return uint32(sums.word(index));
    }

    /// Every leaf stands under what was conceded, or in the text of the tokens (D-17).
    function _checkOperands(Game storage game, bytes calldata record, Operand[] calldata operands) private view {
        bool isText = game.kind == Records.TOKENS;
        bytes32 textRoot = isText ? record.root(6) : bytes32(0);
        (uint256 frames, uint256 depth, uint256 picked) = (game.frames, game.traceDepth, game.traceLeaf);
        for (uint256 i = 0; i < operands.length; ++i) {
            Operand calldata operand = operands[i];
            bytes32 hash = ShaTree.leaf(operand.data);
            uint256 levels = operand.proof.length;
            if (isText) {
                if (operand.leaf >> levels != 0) revert IndexOutOfRange(operand.leaf, 1 << levels);
                _checkProof(textRoot, hash, operand.leaf, record.word(5), operand.proof);
                continue;
            }
            uint256 traceLeaf = operand.traceLeaf;
            if (traceLeaf >= picked) revert OperandNotConceded(traceLeaf, picked);
            // The deepest frame whose span holds the leaf; the first one holds them all.
            uint256 frame = frames - 1;
            while (frame > 0 && traceLeaf >> (6 * (frames - frame)) != picked >> (6 * (frames - frame))) --frame;
            uint256 top = frame == 0 ? depth : 6 * (frames - frame);
            if (levels < top || operand.leaf >> (levels - top) != 0) revert ProofLength(levels, top);
            // Bytes hash differently from nodes: a path of another length than the leaf's own leads to nothing.
            uint256 place = ((traceLeaf & ((1 << top) - 1)) << (levels - top)) | operand.leaf;
            _checkProof(game.rows[frame], hash, place, levels, operand.proof);
        }
    }
}
