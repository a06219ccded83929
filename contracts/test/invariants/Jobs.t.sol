// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Assets} from "../../contracts/Assets.sol";
import {EmbeddedDollar} from "../../contracts/embedded/EmbeddedDollar.sol";
import {SumSibling} from "../../contracts/interfaces/IAssets.sol";
import {IJobTypes} from "../../contracts/interfaces/IJobTypes.sol";
import {IRegistry} from "../../contracts/interfaces/IRegistry.sol";
import {Jobs} from "../../contracts/jobs/Jobs.sol";
import {Registry} from "../../contracts/Registry.sol";
import {Salt} from "../../contracts/Salt.sol";
import {HashFormats} from "../../contracts/testing/HashFormats.sol";
import {VoteJudge} from "../../contracts/VoteJudge.sol";
import {vm, within} from "../support/Vm.sol";

/// Several jobs at once, each pushed on by random steps, with payout trees that may be wrong, payments in any order, lies and silences.
contract JobsHandler {
    Jobs public immutable jobs;
    EmbeddedDollar public immutable dollar;
    Registry public immutable registry;
    Salt public immutable salt;
    VoteJudge private immutable _judge;
    HashFormats private immutable _formats;

    // One crew of four nodes with all roles; three of them validate, so that two thirds are two.
    uint256 private constant NODES = 4;
    uint256 private constant VALIDATORS = 3;
    uint32 private constant ROUNDS = 2;

    mapping(uint256 jobId => uint128[4]) private _pays;
    mapping(uint256 jobId => uint128[4]) private _proposed;
    bool public fellBack;

    constructor() {
        address[] memory holders = new address[](1);
        uint256[] memory amounts = new uint256[](1);
        (holders[0], amounts[0]) = (address(this), 1e30);
        salt = new Salt(holders, amounts);
        dollar = new EmbeddedDollar();
        registry = new Registry(address(salt), 1);
        jobs = new Jobs(address(registry), address(new Assets()));
        _judge = new VoteJudge(jobs);
        _formats = new HashFormats();
        dollar.mint(address(this), 1e30);
        dollar.approve(address(jobs), type(uint256).max);
        for (uint256 i = 0; i < NODES; ++i) {
            address node = nodeAt(i);
            salt.transfer(node, 1e27);
            vm.prank(node);
            salt.approve(address(registry), type(uint256).max);
            vm.prank(node);
            registry.register(node, 7, "", "");
            vm.prank(node);
            registry.bond(1e27);
            vm.prank(node);
            registry.allowLocker(address(jobs), true);
        }
        create(1e6);
    }

    function nodeAt(uint256 i) public pure returns (address) {
        return vm.addr(i + 1);
    }

    function create(uint256 pay) public {
        if (jobs.jobCount() == 4) return;
        IJobTypes.JobTerms memory terms;
        terms.token = address(dollar);
        (terms.rounds, terms.payPerRound) = (ROUNDS, uint128(within(pay, 1, 1e12)));
        (terms.committeeSize, terms.quorum) = (3, 2);
        (terms.workerBond, terms.validatorBond, terms.witnessBond, terms.missingPenalty) = (1e20, 3e20, 1e19, 1e20);
        (terms.fixSeconds, terms.revealSeconds, terms.turnSeconds, terms.challengeSeconds) = (10, 10, 10, 10);
        (terms.beaconBlocks, terms.minWorkers, terms.minValidators, terms.minWitnesses) = (1, 1, 3, 3);
        terms.judge = address(_judge);
        terms.contributorsShare = 100_000;
        uint256 jobId = jobs.create(terms);
        for (uint256 i = 0; i < NODES; ++i) {
            address node = nodeAt(i);
            vm.prank(node);
            jobs.enrol(jobId, 1, 0);
            if (i < VALIDATORS) {
                vm.prank(node);
                jobs.enrol(jobId, 2, _layer(i, ROUNDS));
            }
            vm.prank(node);
            jobs.enrol(jobId, 4, 0);
        }
    }

    /// The next things that can happen to a job, whatever phase it is in: one to eight of them, or few jobs would ever be done.
    function advance(uint256 seed, uint256 choice) external {
        uint256 jobId = _job(seed);
        for (uint256 i = 0; i <= seed % 8; ++i) {
            _advance(jobId, uint256(keccak256(abi.encode(choice, i))));
        }
    }

    /// Everybody asks to be paid, beginning with anyone: those who come first get what a wrong tree gives away.
    function claimPay(uint256 seed, uint256 first) external {
        uint256 jobId = _job(seed);
        if (jobs.status(jobId).finalRounds == 0) return;
        for (uint256 i = 0; i < NODES; ++i) {
            _claimPay(jobId, (first % NODES + i) % NODES);
        }
    }

    function end(uint256 seed) external {
        // Rarely, or no job would live to its second round.
        if (seed % 8 != 0) return;
        vm.warp(block.timestamp + 8 days);
        try jobs.end(_job(seed)) {} catch {}
    }

    function release(uint256 seed, uint256 who, uint256 role) external {
        try jobs.release(_job(seed), nodeAt(who % NODES), uint32(1 << (role % 3))) {} catch {}
    }

    function withdrawReward(uint256 who) external {
        address node = nodeAt(who % NODES);
        if (registry.rewardOf(node) == 0) return;
        vm.prank(node);
        registry.withdrawReward();
    }

    function _advance(uint256 jobId, uint256 choice) private {
        IJobTypes.Status memory job = jobs.status(jobId);
        if (job.phase == IJobTypes.Phase.Enrolling) _begin(jobId, choice);
        else if (job.phase == IJobTypes.Phase.Open) _fixOrSkip(jobId, job, choice);
        else if (job.phase == IJobTypes.Phase.Beacon) _drawBeacon(jobId, job, choice);
        else if (job.phase == IJobTypes.Phase.Propose) _propose(jobId, job, choice);
        else if (job.phase == IJobTypes.Phase.Challenge) _decide(jobId, job, choice);
        else if (job.phase == IJobTypes.Phase.Done) _windUp(jobId, job, choice);
    }

    function _claimPay(uint256 jobId, uint256 who) private {
        (address[] memory accounts, uint128[] memory pays) = _split(_pays[jobId]);
        SumSibling[] memory proof = _formats.sumProof(accounts, pays, who);
        uint256 before = jobs.paidOf(jobId, accounts[who]);
        // A tree that takes back what was paid, or pays more than is left, is refused: both belong to a wrong proposal.
        try jobs.claimPay(jobId, uint64(who), accounts[who], pays[who], proof) {
            if (jobs.paidOf(jobId, accounts[who]) <= before) fellBack = true;
        } catch {}
    }

    function _begin(uint256 jobId, uint256 choice) private {
        if (choice % 8 == 0) {
            jobs.cancel(jobId);
        } else {
            vm.roll(block.number + 1);
            jobs.start(jobId);
        }
    }

    function _fixOrSkip(uint256 jobId, IJobTypes.Status memory job, uint256 choice) private {
        if (choice % 5 == 0) {
            vm.warp(block.timestamp + 10);
            jobs.skipRound(jobId, job.round);
            return;
        }
        bytes32 root = jobs.claimHash(jobId, job.round, _claim());
        bytes32 digest = jobs.attestationDigest(jobId, job.round, root, 1, job.directHash);
        address[] memory committee = jobs.committeeOf(jobId);
        bytes memory signatures;
        for (uint256 i = 0; i < 2; ++i) {
            (uint8 v, bytes32 r, bytes32 s) = vm.sign(_keyOf(committee[i]), digest);
            signatures = abi.encodePacked(signatures, r, s, v);
        }
        jobs.fixSet(jobId, job.round, root, 1, job.directHash, 3, signatures);
    }

    function _drawBeacon(uint256 jobId, IJobTypes.Status memory job, uint256 choice) private {
        vm.roll(block.number + 2);
        for (uint256 i = 0; i < VALIDATORS; ++i) {
            if (jobs.expelled(jobId, nodeAt(i)) || (choice >> i) & 3 == 0) continue;
            // An onion that missed a round is one layer behind: its next layer is the one under what the contract holds.
            bytes32 layer = _under(i, jobs.onionOf(jobId, nodeAt(i)));
            if (jobs.status(jobId).phase != IJobTypes.Phase.Beacon) return;
            vm.prank(nodeAt(i));
            jobs.reveal(jobId, job.round, layer);
        }
        if (jobs.status(jobId).phase != IJobTypes.Phase.Beacon) return;
        vm.warp(block.timestamp + 10);
        jobs.closeBeacon(jobId, job.round);
    }

    function _propose(uint256 jobId, IJobTypes.Status memory job, uint256 choice) private {
        // After all turns, so that any validator that is left may.
        vm.warp(block.timestamp + 100);
        address proposer = address(0);
        for (uint256 i = 0; i < VALIDATORS; ++i) {
            address node = nodeAt((choice % VALIDATORS + i) % VALIDATORS);
            if (!jobs.expelled(jobId, node)) proposer = node;
        }
        if (proposer == address(0)) return;
        uint256 most = uint256(jobs.termsOf(jobId).payPerRound) * (job.round + 1);
        uint256 total = within(choice, job.finalPayoutTotal, most);
        // Any split at all: only the total is checked on chain.
        uint128[4] memory pays;
        uint256 left = total;
        for (uint256 i = 0; i < 3; ++i) {
            pays[i] = uint128(uint256(keccak256(abi.encode(choice, i))) % (left + 1));
            left -= pays[i];
        }
        pays[3] = uint128(left);
        _proposed[jobId] = pays;
        IJobTypes.Proposal memory proposal;
        (address[] memory accounts, uint128[] memory weights) = _split(pays);
        (proposal.payoutRoot, proposal.payoutTotal) = _formats.sumTree(accounts, weights);
        proposal.convictions = jobs.convictionCount(jobId);
        vm.prank(proposer);
        jobs.propose(jobId, job.round, proposal);
    }

    function _decide(uint256 jobId, IJobTypes.Status memory job, uint256 choice) private {
        if (choice % 4 == 0 && _vote(jobId, job.proposalHash) >= 2) {
            jobs.convictProposal(jobId, job.round);
            return;
        }
        if (choice % 4 == 1 && !jobs.expelled(jobId, nodeAt(3))) {
            bytes32 subject = jobs.claimHash(jobId, job.round, _claim());
            if (_vote(jobId, subject) >= 2) jobs.convict(jobId, job.round, _claim(), 0, new bytes32[](0));
        }
        vm.warp(block.timestamp + 10);
        try jobs.finalise(jobId, job.round) {
            _pays[jobId] = _proposed[jobId];
        } catch {}
    }

    function _windUp(uint256 jobId, IJobTypes.Status memory job, uint256 choice) private {
        if (choice % 2 == 0 && !job.refunded) jobs.refund(jobId);
        if (choice % 2 == 1 && job.finalRounds > 0 && job.modelVersion == 0) jobs.publishModel(jobId);
    }

    function _vote(uint256 jobId, bytes32 subject) private returns (uint256 votes) {
        bytes32 found = keccak256("another result");
        for (uint256 i = 0; i < VALIDATORS; ++i) {
            address node = nodeAt(i);
            if (jobs.expelled(jobId, node) || _judge.voteOf(jobId, subject, node) != 0) continue;
            vm.prank(node);
            _judge.vote(jobId, subject, found);
        }
        return _judge.votesFor(jobId, subject, found);
    }

    function _job(uint256 seed) private view returns (uint256) {
        return within(seed, 1, jobs.jobCount());
    }

    function _claim() private pure returns (IJobTypes.ClaimLeaf memory claim) {
        claim.worker = nodeAt(3);
    }

    function _keyOf(address node) private pure returns (uint256 key) {
        for (key = 1; vm.addr(key) != node; ++key) {}
    }

    function _layer(uint256 i, uint256 height) private pure returns (bytes32 layer) {
        layer = keccak256(abi.encode("onion", i));
        for (uint256 k = 0; k < height; ++k) {
            layer = keccak256(abi.encode(layer));
        }
    }

    function _under(uint256 i, bytes32 onion) private pure returns (bytes32 layer) {
        layer = _layer(i, 0);
        while (keccak256(abi.encode(layer)) != onion) {
            layer = keccak256(abi.encode(layer));
        }
    }

    function _split(uint128[4] memory pays) private pure returns (address[] memory accounts, uint128[] memory weights) {
        accounts = new address[](NODES);
        weights = new uint128[](NODES);
        for (uint256 i = 0; i < NODES; ++i) {
            (accounts[i], weights[i]) = (nodeAt(i), pays[i]);
        }
    }
}

/// [C-30] [C-10]
contract JobsInvariants {
    JobsHandler private _handler;

    function setUp() external {
        _handler = new JobsHandler();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    /// [C-30]
    function invariant_heldIsEscrowLessPaidAndRefunded() external view {
        Jobs jobs = _handler.jobs();
        uint256 sum = 0;
        for (uint256 jobId = 1; jobId <= jobs.jobCount(); ++jobId) {
            IJobTypes.Status memory job = jobs.status(jobId);
            IJobTypes.JobTerms memory terms = jobs.termsOf(jobId);
            uint256 escrow = uint256(terms.payPerRound) * terms.rounds;
            sum += job.refunded ? job.finalPayoutTotal - job.paidTotal : escrow - job.paidTotal;
            require(job.paidTotal <= job.finalPayoutTotal, "paid beyond the tree");
            require(job.finalPayoutTotal <= escrow, "owes beyond the escrow");
            uint256 paid = 0;
            for (uint256 i = 0; i < 4; ++i) {
                paid += jobs.paidOf(jobId, _handler.nodeAt(i));
            }
            require(paid == job.paidTotal, "payments do not add up");
        }
        require(_handler.dollar().balanceOf(address(jobs)) == sum, "conservation");
    }

    /// [C-10]
    function invariant_bondsAddUpAcrossJobs() external view {
        Registry registry = _handler.registry();
        uint256 sum = 0;
        for (uint256 i = 0; i < 4; ++i) {
            IRegistry.Node memory info = registry.nodeInfo(_handler.nodeAt(i));
            require(info.locked <= info.bonded, "locked beyond the bond");
            sum += uint256(info.bonded) + info.unbonding + registry.rewardOf(_handler.nodeAt(i));
        }
        require(_handler.salt().balanceOf(address(registry)) == sum, "conservation");
    }

    /// [C-42]
    function invariant_paymentsOnlyGrow() external view {
        require(!_handler.fellBack(), "a payment fell back");
    }
}
