// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IAssets, SumSibling} from "../interfaces/IAssets.sol";
import {IJobFunding} from "../interfaces/IJobFunding.sol";
import {ExactTransfer} from "../libraries/ExactTransfer.sol";
import {MerkleSum} from "../libraries/MerkleSum.sol";
import {Purposes} from "../libraries/Purposes.sol";
import {JobStore} from "./JobStore.sol";

/// @title The money of a job, in and out, and the model that comes of it.
/// @dev A part of `Jobs` that runs on its storage by delegatecall: together they are larger than a contract may be.
contract Funding is IJobFunding, JobStore {
    using ExactTransfer for address;
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    uint8 private constant PRIVATE = 2;
    // A masked sum over fewer than three members would show one of them to another.
    uint32 private constant MIN_PRIVATE_WORKERS = 3;
    // Reveals are kept in a word of 64 bits.
    uint32 private constant MAX_MIN_VALIDATORS = 64;
    // Raw bytes, the codec of everything in the project's store.
    uint16 private constant CODEC_RAW = 0x55;

    // From here on the builder may give up on witnesses that do not answer.
    uint32 private constant SKIPS_TO_END = 3;
    uint256 private constant STALL_SECONDS = 7 days;

    constructor(address registry_, address assets_) JobStore(registry_, assets_) {}

    /// @inheritdoc IJobFunding
    function create(JobTerms calldata terms) external nonReentrant returns (uint256 jobId) {
        _checkTerms(terms);
        _assets.checkLineage(
            _only(terms.token),
            terms.purpose | terms.modelPurposes | Purposes.DERIVE,
            terms.dataVersions,
            terms.parentShares,
            terms.contributorsShare
        );
        jobId = ++_jobCount;
        _terms[jobId] = terms;
        Status storage job = _status[jobId];
        job.phase = Phase.Enrolling;
        job.builder = msg.sender;
        job.openedAt = uint64(block.timestamp);
        emit JobCreated(jobId, msg.sender, terms);
        _takeFunds(terms);
    }

    /// @inheritdoc IJobFunding
    function cancel(uint256 jobId) external nonReentrant {
        Status storage job = _inPhase(jobId, Phase.Enrolling);
        if (msg.sender != job.builder) revert NotBuilder(jobId, msg.sender);
        _cancel(jobId, job);
    }

    /// @inheritdoc IJobFunding
    function end(uint256 jobId) external nonReentrant {
        Status storage job = _status[jobId];
        Phase phase = job.phase;
        if (phase == Phase.None) revert UnknownJob(jobId);
        bool over = phase == Phase.Done || phase == Phase.Cancelled;
        bool givenUp = phase == Phase.Open && job.skips >= SKIPS_TO_END && msg.sender == job.builder;
        bool stalled = block.timestamp >= _movedAt(job) + STALL_SECONDS + _slowest(jobId);
        if (over || !(givenUp || stalled)) revert NotStalled(jobId);
        if (phase == Phase.Enrolling) _cancel(jobId, job);
        else _finish(jobId, job);
    }

    /// @inheritdoc IJobFunding
    function claimPay(uint256 jobId, uint64 index, address account, uint128 cumulative, SumSibling[] calldata proof)
        external
        nonReentrant
        returns (uint256 amount)
    {
        _checkPayProof(jobId, index, account, cumulative, proof);
        uint256 before = _paidOf[jobId][account];
        if (cumulative <= before) revert NothingToPay(jobId, account);
        amount = cumulative - before;
        Status storage job = _status[jobId];
        // A later tree that takes back what an earlier one gave must not be paid out of other jobs' money.
        uint256 paid = job.paidTotal + amount;
        if (paid > job.finalPayoutTotal) revert PayoutExceeded(paid, job.finalPayoutTotal);
        _paidOf[jobId][account] = cumulative;
        job.paidTotal = paid.toUint128();
        emit PayClaimed(jobId, account, amount, cumulative);
        IERC20(_terms[jobId].token).safeTransfer(account, amount);
    }

    /// @inheritdoc IJobFunding
    function refund(uint256 jobId) external nonReentrant returns (uint256 amount) {
        Status storage job = _inPhase(jobId, Phase.Done);
        if (job.refunded) revert AlreadyRefunded(jobId);
        return _refund(jobId, job);
    }

    /// @inheritdoc IJobFunding
    function publishModel(uint256 jobId) external nonReentrant returns (uint64 version) {
        Status storage job = _inPhase(jobId, Phase.Done);
        if (job.finalRounds == 0) revert NothingToPublish(jobId);
        if (job.modelVersion != 0) revert AlreadyPublished(jobId, job.modelVersion);
        JobTerms memory terms = _terms[jobId];
        IAssets.VersionTerms memory model;
        model.codec = CODEC_RAW;
        model.purposes = terms.modelPurposes;
        model.minShare = terms.modelMinShare;
        model.trainPrice = terms.modelTrainPrice;
        model.digest = job.finalStateDigest;
        model.root = job.finalStateRoot;
        model.licenceDigest = terms.modelLicenceDigest;
        model.metadataDigest = terms.specDigest;
        model.parents = terms.dataVersions;
        model.shares = terms.parentShares;
        // Nobody was paid: then the builder keeps what the contributors would have had.
        if (job.finalPayoutTotal > 0) {
            model.contributorsRoot = job.finalPayoutRoot;
            model.contributorsTotal = job.finalPayoutTotal;
            model.contributorsShare = terms.contributorsShare;
        }
        uint256 assetId;
        (assetId, version) = _assets.create(job.builder, _only(terms.token), model);
        job.modelVersion = version;
        emit ModelPublished(jobId, assetId, version);
    }

    function _checkPayProof(
        uint256 jobId,
        uint64 index,
        address account,
        uint128 cumulative,
        SumSibling[] calldata proof
    ) private view {
        (bytes32 root, uint128 total) = (_status[jobId].finalPayoutRoot, _status[jobId].finalPayoutTotal);
        if (!MerkleSum.verify(root, total, index, account, cumulative, proof)) revert SumProofInvalid(root, total);
    }

    /// Skipping a round does not count as a move, or it would put off the end for ever.
    function _movedAt(Status storage job) private view returns (uint256) {
        if (job.phase == Phase.Enrolling) return job.openedAt;
        if (job.phase == Phase.Beacon) return job.fixedAt;
        if (job.phase == Phase.Propose) return job.beaconAt;
        return job.proposedAt == 0 ? job.beaconAt : job.proposedAt;
    }

    /// What the terms themselves allow a phase to take.
    function _slowest(uint256 jobId) private view returns (uint256) {
        JobTerms storage terms = _terms[jobId];
        return uint256(terms.fixSeconds) + terms.revealSeconds + terms.challengeSeconds;
    }

    function _cancel(uint256 jobId, Status storage job) private {
        job.phase = Phase.Cancelled;
        emit JobCancelled(jobId);
        _refund(jobId, job);
    }

    function _refund(uint256 jobId, Status storage job) private returns (uint256 amount) {
        amount = _escrowOf(jobId) - job.finalPayoutTotal;
        job.refunded = true;
        emit Refunded(jobId, job.builder, amount);
        if (amount > 0) IERC20(_terms[jobId].token).safeTransfer(job.builder, amount);
    }

    function _takeFunds(JobTerms calldata terms) private {
        // Pay and training prices in one transfer, then each price straight on to its asset.
        uint128[] memory prices = new uint128[](terms.dataVersions.length);
        uint256 trainTotal = 0;
        for (uint256 i = 0; i < prices.length; ++i) {
            address token;
            (token, prices[i]) = _assets.trainPriceOf(terms.dataVersions[i]);
            if (prices[i] > 0 && token != terms.token) {
                revert TrainPriceToken(terms.dataVersions[i], terms.token, token);
            }
            trainTotal += prices[i];
        }
        terms.token.takeExact(msg.sender, uint256(terms.payPerRound) * terms.rounds + trainTotal);
        if (trainTotal == 0) return;
        IERC20(terms.token).forceApprove(address(_assets), trainTotal);
        for (uint256 i = 0; i < prices.length; ++i) {
            if (prices[i] > 0) _assets.pay(terms.dataVersions[i], terms.token, prices[i]);
        }
    }

    function _checkTerms(JobTerms calldata terms) private view {
        if (terms.rounds == 0) revert TermsInvalid("rounds");
        if (terms.payPerRound == 0) revert TermsInvalid("payPerRound");
        if (uint256(terms.payPerRound) * terms.rounds > type(uint128).max) revert TermsInvalid("payPerRound");
        if (terms.trustClass > PRIVATE) revert TermsInvalid("trustClass");
        // More than half, so that two quorums always share a member.
        if (terms.quorum > terms.committeeSize || 2 * uint256(terms.quorum) <= terms.committeeSize) {
            revert TermsInvalid("quorum");
        }
        if (terms.minWitnesses < terms.quorum) revert TermsInvalid("minWitnesses");
        if (terms.minWorkers < (terms.trustClass == PRIVATE ? MIN_PRIVATE_WORKERS : 1)) revert TermsInvalid("minWorkers");
        if (terms.minValidators == 0 || terms.minValidators > MAX_MIN_VALIDATORS) revert TermsInvalid("minValidators");
        if (terms.missingPenalty > terms.validatorBond) revert TermsInvalid("missingPenalty");
        if (terms.fixSeconds == 0) revert TermsInvalid("fixSeconds");
        if (terms.revealSeconds == 0) revert TermsInvalid("revealSeconds");
        if (terms.turnSeconds == 0) revert TermsInvalid("turnSeconds");
        if (terms.challengeSeconds == 0) revert TermsInvalid("challengeSeconds");
        if (terms.judge.code.length == 0) revert TermsInvalid("judge");
    }

    function _only(address token) private pure returns (address[] memory tokens) {
        tokens = new address[](1);
        tokens[0] = token;
    }
}
