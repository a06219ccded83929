// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IJobs} from "../interfaces/IJobs.sol";
import {IJobTypes} from "../interfaces/IJobTypes.sol";
import {IRefereeTypes} from "../interfaces/IRefereeTypes.sol";
import {IRegistry} from "../interfaces/IRegistry.sol";
import {ShaTree} from "../libraries/ShaTree.sol";

/// @title Storage of the referee, and what a job's program says (D-06, D-07).
/// @dev A round's result is judged as a claim of `RESULT_SHARE` by its proposer (D-23).
abstract contract RefereeStore is IRefereeTypes {
    uint32 internal constant RESULT_SHARE = type(uint32).max;

    /// What is kept of a header. Its records stand in order: leaf 0 the header, then those of the step, of the finish, of the aggregation.
    struct Program {
        bytes32 root;
        bytes32 jobSeed;
        bytes32 zeroRoot;
        uint32 steps;
        uint32 shares;
        uint64 units;
        uint32 traceLeaves;
        uint32 finishLeaves;
        uint32 nextLeaves;
        uint8 stateEverySteps;
        uint8 parts;
    }

    IJobs internal immutable _jobs;
    IRegistry internal immutable _registry;

    uint32 internal immutable _clockSeconds;
    uint128 internal immutable _challengeBond;

    uint64 internal _challengeCount;
    uint64 internal _gameCount;
    uint64 internal _demandCount;
    /// Keeps the slot of the counters from being empty, which would make the first of each dearer.
    bool private _isMade = true;
    mapping(uint256 jobId => Program) internal _programs;
    mapping(uint256 id => Challenge) internal _challenges;
    mapping(uint256 game => Game) internal _games;
    mapping(uint256 demand => Demand) internal _demands;
    /// Who showed a claim wrong; nobody for one that is not.
    mapping(bytes32 subject => address) internal _accuserOf;
    /// Of a result: undecided challenges, and root over the updates that take part once that is established.
    mapping(bytes32 subject => uint256) internal _openOf;
    mapping(bytes32 subject => bytes32) internal _updatesOf;

    constructor(IJobs jobs_, uint32 clockSeconds_, uint128 challengeBond_) {
        // Half of a bond must be something, and a hundredth of it a fee.
        if (challengeBond_ < 100) revert BondInvalid(challengeBond_);
        if (clockSeconds_ == 0 || clockSeconds_ > type(uint24).max) revert ClockInvalid(clockSeconds_);
        _jobs = jobs_;
        _registry = IRegistry(jobs_.registry());
        _clockSeconds = clockSeconds_;
        _challengeBond = challengeBond_;
    }

    /// Segments of a claim; the finish comes after them.
    function _segments(Program storage program) internal view returns (uint256) {
        uint256 every = program.stateEverySteps;
        return (program.steps + every - 1) / every;
    }

    /// What a step of a dispute runs: how many trace leaves that has, and which leaf under the program root its first record is.
    function _programAt(Program storage program, uint256 step) internal view returns (uint256 leaves, uint256 first) {
        (uint256 steps, uint256 traced, uint256 finished) = (program.steps, program.traceLeaves, program.finishLeaves);
        if (step < steps) return (traced, 1);
        if (step == steps) return (finished, 1 + traced);
        return (program.nextLeaves, 1 + traced + finished);
    }

    /// Leaves under the program root.
    function _allLeaves(Program storage program) internal view returns (uint256) {
        return 1 + uint256(program.traceLeaves) + program.finishLeaves + program.nextLeaves;
    }

    /// The subject under which the proposal of this status is judged (D-23).
    function _resultOf(uint256 jobId, IJobTypes.Status memory status) internal view returns (bytes32) {
        bytes32 base = status.round == 0 ? _jobs.termsOf(jobId).baseRoot : status.finalStateRoot;
        IJobTypes.ClaimLeaf memory result = IJobTypes.ClaimLeaf({
            worker: status.proposer,
            share: RESULT_SHARE,
            units: 0,
            baseRoot: base,
            updateDigest: 0,
            updateRoot: status.proposal.stateRoot,
            statesRoot: status.proposal.runRoot
        });
        return _jobs.claimHash(jobId, status.round, result);
    }

    /// Checks that `hash` is leaf `index` of `leaves` under a program root.
    function _checkRecord(bytes32 root, uint256 leaves, uint256 index, bytes32 hash, bytes32[] calldata proof) internal view {
        _checkProof(root, hash, index, ShaTree.depthOf(leaves), proof);
    }

    function _checkProof(bytes32 root, bytes32 value, uint256 index, uint256 depth, bytes32[] calldata proof) internal view {
        if (proof.length != depth) revert ProofLength(proof.length, depth);
        bytes32 folded = ShaTree.fold(value, index, proof);
        if (folded != root) revert ProofInvalid(folded, root);
    }

    function _inChallenge(uint256 id, IJobTypes.ClaimLeaf calldata claim) internal view returns (Challenge storage found) {
        found = _challenges[id];
        if (found.challenger == address(0)) revert UnknownChallenge(id);
        if (found.decided) revert ChallengeDecided(id);
        bytes32 subject = _jobs.claimHash(found.jobId, found.round, claim);
        if (subject != found.subject) revert SubjectDiffers(subject, found.subject);
    }

    /// The nodes of a row, one after the other.
    function _bytesOf(bytes32[] calldata row) internal pure returns (bytes memory copy) {
        copy = new bytes(32 * row.length);
        assembly ("memory-safe") { calldatacopy(add(copy, 32), row.offset, mul(32, row.length)) }
    }

    function _node(address caller) internal view returns (address node) {
        node = _registry.resolve(caller);
        if (node == address(0)) revert NotANode(caller);
    }

    function _makeWrong(uint256 jobId, bytes32 subject, address accuser) internal {
        // The first to show it stays the accuser: later ones must not thin out what it earns.
        if (_accuserOf[subject] != address(0)) return;
        _accuserOf[subject] = accuser;
        emit ClaimWrong(jobId, subject, accuser);
    }

    function _challengeTask(uint256 id) internal view returns (bytes32) {
        return keccak256(abi.encode(address(this), "challenge", id));
    }

    function _gameTask(uint256 game) internal view returns (bytes32) {
        return keccak256(abi.encode(address(this), "game", game));
    }
}
