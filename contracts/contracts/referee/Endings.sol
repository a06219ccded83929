// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IReferee} from "../interfaces/IReferee.sol";
import {RefereeStore} from "./RefereeStore.sol";

/// @title How games and challenges end, and what that costs (D-12, D-18, D-19).
abstract contract Endings is IReferee, RefereeStore {
    /// @inheritdoc IReferee
    function settle(uint256 id) external {
        Challenge storage settled = _challenges[id];
        if (settled.challenger == address(0)) revert UnknownChallenge(id);
        uint256 until = uint256(settled.openedAt) + _clockSeconds;
        if (!_settle(id, settled)) revert ChallengeOpen(id, settled.openGames, until);
    }

    /// @inheritdoc IReferee
    function callTime(uint256 gameId) external {
        Game storage game = _games[gameId];
        Stage stage = game.stage;
        if (stage == Stage.None || stage == Stage.Over) revert WrongStage(gameId, stage);
        if (_challenges[game.challenge].decided) revert ChallengeDecided(game.challenge);
        uint256 used = block.timestamp - game.movedAt;
        uint256 left = game.challengerMoves ? game.challengerLeft : game.championLeft;
        if (used <= left) revert ClockRunning(gameId, used, left);
        _end(gameId, game, !game.challengerMoves, Move.CallTime);
    }

    /// @inheritdoc IReferee
    function releaseGame(uint256 gameId) external {
        Game storage game = _games[gameId];
        if (game.stage == Stage.None) revert UnknownGame(gameId);
        if (!_challenges[game.challenge].decided) revert GameRunning(gameId);
        if (game.stage == Stage.Over) return;
        game.stage = Stage.Over;
        if (game.bonded) _registry.unlock(game.champion, _gameTask(gameId));
        emit GameEnded(gameId, game.challenge, address(0), Move.None);
    }

    /// Ends a game; the champion's bond goes where it belongs at once, and so does the challenge when this decided it.
    function _end(uint256 gameId, Game storage game, bool challengerWins, Move by) internal {
        uint256 id = game.challenge;
        Challenge storage played = _challenges[id];
        address champion = game.champion;
        game.stage = Stage.Over;
        played.openGames -= 1;
        emit GameEnded(gameId, id, challengerWins ? played.challenger : champion, by);
        if (!challengerWins) played.winner = champion;
        if (game.bonded) {
            if (challengerWins) _slash(champion, _gameTask(gameId), played.challenger);
            else _registry.unlock(champion, _gameTask(gameId));
        }
        _settle(id, played);
    }

    /// @return Whether the challenge is decided now.
    function _settle(uint256 id, Challenge storage settled) private returns (bool) {
        if (settled.decided) return true;
        (address challenger, address winner) = (settled.challenger, settled.winner);
        bool isOver = block.timestamp > uint256(settled.openedAt) + _clockSeconds && settled.openGames == 0;
        if (winner == address(0) && !isOver) return false;
        settled.decided = true;
        bytes32 subject = settled.subject;
        if (settled.ofResult) --_openOf[subject];
        if (winner == address(0)) {
            settled.won = true;
            _makeWrong(settled.jobId, subject, challenger);
            _registry.unlock(challenger, _challengeTask(id));
        } else {
            _slash(challenger, _challengeTask(id), winner);
        }
        emit ChallengeSettled(id, subject, winner == address(0), winner == address(0) ? challenger : winner);
        return true;
    }

    function _slash(address loser, bytes32 task, address winner) private {
        address[] memory beneficiaries = new address[](1);
        beneficiaries[0] = winner;
        _registry.slash(loser, task, _challengeBond, beneficiaries);
    }
}
