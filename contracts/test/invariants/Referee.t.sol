// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IJobs} from "../../contracts/interfaces/IJobs.sol";
import {IJobTypes} from "../../contracts/interfaces/IJobTypes.sol";
import {IJudge} from "../../contracts/interfaces/IJudge.sol";
import {IRefereeTypes} from "../../contracts/interfaces/IRefereeTypes.sol";
import {IScalarMachine} from "../../contracts/interfaces/IScalarMachine.sol";
import {IVoteJudge} from "../../contracts/interfaces/IVoteJudge.sol";
import {Referee} from "../../contracts/referee/Referee.sol";
import {Registry} from "../../contracts/Registry.sol";
import {Salt} from "../../contracts/Salt.sol";
import {vm, within} from "../support/Vm.sol";

/// Stands for `Jobs`: one exact job with a program of one leaf.
contract OneJob {
    address public immutable registry;
    address public judge;
    bytes32 public programRoot;

    constructor(address registry_) {
        registry = registry_;
    }

    function set(address judge_, bytes32 programRoot_) external {
        (judge, programRoot) = (judge_, programRoot_);
    }

    function termsOf(uint256) external view returns (IJobTypes.JobTerms memory terms) {
        terms.judge = judge;
        terms.programRoot = programRoot;
    }

    function claimHash(uint256 jobId, uint32 round, IJobTypes.ClaimLeaf calldata claim) external pure returns (bytes32) {
        return keccak256(abi.encode(jobId, round, claim));
    }

    function status(uint256) external pure returns (IJobTypes.Status memory found) {
        return found;
    }
}

/// Four nodes that challenge and stand up for claims of a job of two segments of one step, and let clocks run down.
contract RefereeHandler {
    Referee public immutable referee;
    Registry public immutable registry;
    Salt public immutable salt;
    OneJob public immutable job;
    address[] public nodes;
    bytes public header;
    bytes32[] public headerProof;

    uint32 private constant CLOCK = 100;
    uint128 public constant BOND = 1000;

    constructor() {
        address[] memory holders = new address[](1);
        uint256[] memory amounts = new uint256[](1);
        (holders[0], amounts[0]) = (address(this), 1e30);
        salt = new Salt(holders, amounts);
        registry = new Registry(address(salt), 1 days);
        job = new OneJob(address(registry));
        referee = new Referee(IJobs(address(job)), IVoteJudge(address(0)), IScalarMachine(address(0)), CLOCK, BOND);
        // Two steps, a state after each; two trace leaves in the step, the finish and the aggregation.
        header = abi.encodePacked(
            uint32(0x504c4b31), uint32(7), uint32(1), uint32(2), uint32(1), uint64(1), uint32(9), uint32(1), uint32(0)
        );
        header = abi.encodePacked(header, uint32(1), uint32(2), uint32(3), uint32(2), uint32(5), uint32(2), bytes32(0), bytes32(0));
        bytes32 root = sha256(abi.encodePacked(bytes1(0x00), header));
        for (uint256 i = 0; i < 3; ++i) {
            headerProof.push(bytes32(i + 1));
            root = sha256(abi.encodePacked(bytes1(0x01), root, bytes32(i + 1)));
        }
        job.set(address(referee), root);
        for (uint256 i = 0; i < 4; ++i) {
            address node = vm.addr(i + 1);
            nodes.push(node);
            salt.transfer(node, 1e10);
            vm.prank(node);
            salt.approve(address(registry), type(uint256).max);
            vm.prank(node);
            registry.register(node, 1, "", "");
            vm.prank(node);
            registry.bond(1e10);
            vm.prank(node);
            registry.allowLocker(address(referee), true);
        }
    }

    /// The claim of a node: its states root is over two nodes, its own number and one more.
    function claimOf(uint256 worker) public view returns (IJobTypes.ClaimLeaf memory claim) {
        claim.worker = nodes[worker];
        claim.units = 1;
        claim.baseRoot = bytes32(uint256(9));
        claim.statesRoot = sha256(abi.encodePacked(bytes1(0x01), bytes32(uint256(21)), bytes32(uint256(22))));
        claim.updateRoot = bytes32(uint256(23));
    }

    function challenge(uint256 who, uint256 worker, uint256 segment) external {
        // Before the prank: a hash is a call too, and would use it up.
        IJobTypes.ClaimLeaf memory claim = claimOf(worker % 4);
        vm.prank(nodes[who % 4]);
        referee.challenge(1, 0, claim, uint32(segment % 3), header, headerProof);
    }

    function standUp(uint256 who, uint256 worker, uint256 id) external {
        (uint256 found, IRefereeTypes.Challenge memory open) = _challenge(id);
        worker %= 4;
        address champion = nodes[who % 4];
        IJobTypes.ClaimLeaf memory claim = claimOf(worker);
        bool isOther = keccak256(abi.encode(uint256(1), uint32(0), claim)) != open.subject;
        bool isTwice = open.workerStood && champion == nodes[worker];
        if (found == 0 || open.decided || isOther || isTwice || block.timestamp > uint256(open.openedAt) + CLOCK) return;
        IRefereeTypes.Entry memory start = _entry(open.segment == 0 ? 0 : open.segment - 1);
        IRefereeTypes.Entry memory end = _entry(open.segment % 2);
        bytes32[] memory states = new bytes32[](1);
        states[0] = open.segment == 2 ? bytes32(uint256(23)) : end.value;
        vm.prank(champion);
        referee.standUp(found, claim, start, end, states);
    }

    function pickStep(uint256 number) external {
        (uint256 found, IRefereeTypes.Game memory game) = _game(number);
        if (found == 0 || game.stage != IRefereeTypes.Stage.States || !game.challengerMoves) return;
        IRefereeTypes.Challenge memory open = referee.challengeOf(game.challenge);
        if (open.decided || block.timestamp - game.movedAt > game.challengerLeft) return;
        bytes32 first = open.segment == 0 ? bytes32(uint256(9)) : _entry(open.segment - 1).value;
        bytes32 last = open.segment == 2 ? bytes32(uint256(23)) : _entry(open.segment).value;
        bytes32[] memory row = new bytes32[](2);
        (row[0], row[1]) = (first, bytes32(uint256(77)));
        vm.prank(open.challenger);
        referee.pickStep(found, 0, _pair(first, last), _pair(last, first), row, IRefereeTypes.Entry(row[1], new bytes32[](0)));
    }

    function wait(uint256 seconds_) external {
        vm.warp(block.timestamp + within(seconds_, 1, 70));
    }

    function callTime(uint256 number) external {
        (uint256 found, IRefereeTypes.Game memory game) = _game(number);
        if (found == 0 || game.stage == IRefereeTypes.Stage.Over || referee.challengeOf(game.challenge).decided) return;
        uint256 left = game.challengerMoves ? game.challengerLeft : game.championLeft;
        if (block.timestamp - game.movedAt <= left) return;
        referee.callTime(found);
    }

    function settle(uint256 id) external {
        (uint256 found, IRefereeTypes.Challenge memory open) = _challenge(id);
        if (found == 0) return;
        bool isOver = block.timestamp > uint256(open.openedAt) + CLOCK && open.openGames == 0;
        if (open.decided || isOver) referee.settle(found);
    }

    function releaseGame(uint256 number) external {
        (uint256 found, IRefereeTypes.Game memory game) = _game(number);
        if (found != 0 && referee.challengeOf(game.challenge).decided) referee.releaseGame(found);
    }

    function _challenge(uint256 id) private view returns (uint256 found, IRefereeTypes.Challenge memory open) {
        uint256 count = referee.challengeCount();
        if (count == 0) return (0, open);
        found = 1 + id % count;
        open = referee.challengeOf(found);
    }

    function _game(uint256 number) private view returns (uint256 found, IRefereeTypes.Game memory game) {
        uint256 count = referee.gameCount();
        if (count == 0) return (0, game);
        found = 1 + number % count;
        game = referee.gameOf(found);
    }

    /// Node 0 or 1 under the states root.
    function _entry(uint256 index) private pure returns (IRefereeTypes.Entry memory) {
        return _pair(bytes32(21 + index), bytes32(22 - index));
    }

    function _pair(bytes32 value, bytes32 sibling) private pure returns (IRefereeTypes.Entry memory entry) {
        entry.value = value;
        entry.proof = new bytes32[](1);
        entry.proof[0] = sibling;
    }
}

/// [C-70] [D-19]
contract RefereeInvariants {
    RefereeHandler private _handler;

    function setUp() external {
        _handler = new RefereeHandler();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    /// [C-70]
    function invariant_lockedIsTheBondsOfOpenChallengesAndGames() external view {
        Referee referee = _handler.referee();
        uint256 wanted = 0;
        for (uint256 id = 1; id <= referee.challengeCount(); ++id) {
            IRefereeTypes.Challenge memory seen = referee.challengeOf(id);
            uint256 held = _handler.registry().lockedFor(address(referee), seen.challenger, referee.challengeTask(id));
            require(held == (seen.decided ? 0 : _handler.BOND()), "a challenge holds another bond");
            wanted += held;
        }
        for (uint256 number = 1; number <= referee.gameCount(); ++number) {
            IRefereeTypes.Game memory seen = referee.gameOf(number);
            uint256 held = _handler.registry().lockedFor(address(referee), seen.champion, referee.gameTask(number));
            bool isHeld = seen.bonded && seen.stage != IRefereeTypes.Stage.Over;
            require(held == (isHeld ? _handler.BOND() : 0), "a game holds another bond");
            wanted += held;
        }
        uint256 locked = 0;
        for (uint256 i = 0; i < 4; ++i) {
            locked += _handler.registry().nodeInfo(_handler.nodes(i)).locked;
        }
        require(locked == wanted, "locked bonds do not add up");
    }

    /// [D-19]
    function invariant_whatIsLostIsHalfBurnedAndHalfPaid() external view {
        Registry registry = _handler.registry();
        uint256 lost = 0;
        uint256 rewards = 0;
        for (uint256 i = 0; i < 4; ++i) {
            lost += registry.nodeInfo(_handler.nodes(i)).slashedTotal;
            rewards += registry.rewardOf(_handler.nodes(i));
        }
        require(rewards * 2 == lost, "not half");
        require(_handler.salt().totalSupply() == 1e30 - (lost - rewards), "not burned");
    }

    /// [D-12]
    function invariant_aChallengeIsWonOnlyWithEveryGame() external view {
        Referee referee = _handler.referee();
        for (uint256 id = 1; id <= referee.challengeCount(); ++id) {
            IRefereeTypes.Challenge memory seen = referee.challengeOf(id);
            if (seen.winner != address(0)) require(seen.decided && !seen.won, "won and lost");
            if (seen.won) require(seen.decided && seen.openGames == 0, "won too early");
            bool isWrong = referee.verdict(1, seen.subject) == IJudge.Verdict.Wrong;
            if (seen.won) require(isWrong, "won, but not wrong");
        }
    }
}
