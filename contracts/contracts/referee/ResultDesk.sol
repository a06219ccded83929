// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IJobTypes} from "../interfaces/IJobTypes.sol";
import {IJudge} from "../interfaces/IJudge.sol";
import {IRefereeDesk} from "../interfaces/IRefereeDesk.sol";
import {IVoteJudge} from "../interfaces/IVoteJudge.sol";
import {MerkleSum} from "../libraries/MerkleSum.sol";
import {SetTree} from "../libraries/SetTree.sol";
import {ShaTree} from "../libraries/ShaTree.sol";
import {JobPrograms} from "./JobPrograms.sol";

/// @title What is judged of a round's result without a game: who takes part, what is paid, which bytes are named (D-22 … D-25).
/// @dev Cost grows with the claims of the round (measured: 200 more cost 1.43 M gas) and, for payouts, with claims times accounts.
abstract contract ResultDesk is IRefereeDesk, JobPrograms {
    IVoteJudge private immutable _votes;

    constructor(IVoteJudge votes_) {
        _votes = votes_;
    }

    /// @inheritdoc IRefereeDesk
    function noteUpdates(
        uint256 jobId,
        uint32 round,
        IJobTypes.ClaimLeaf[] calldata claims,
        bytes calldata header,
        bytes32[] calldata headerProof
    ) external returns (bytes32 root) {
        Program storage program = _open(jobId, header, headerProof);
        IJobTypes.Status memory status = _proposed(jobId, round);
        bytes32 subject = _resultOf(jobId, status);
        bool[] memory isIn = _takingPart(jobId, round, claims, status.proposal.convictions, program.shares);
        // One place more than shares, as the tree wants it.
        bytes32[] memory row = new bytes32[](program.shares + 1);
        for (uint256 i = 0; i < program.shares; ++i) {
            row[i] = program.zeroRoot;
        }
        for (uint256 i = 0; i < claims.length; ++i) {
            if (isIn[i]) row[claims[i].share] = claims[i].updateRoot;
        }
        root = ShaTree.rootOf(row);
        _updatesOf[subject] = root;
        emit UpdatesNoted(jobId, subject, root);
    }

    /// @inheritdoc IRefereeDesk
    function strikePayouts(
        uint256 jobId,
        uint32 round,
        IJobTypes.ClaimLeaf[] calldata claims,
        PayLeaf[] calldata before,
        bytes calldata header,
        bytes32[] calldata headerProof
    ) external {
        address accuser = _node(msg.sender);
        Program storage program = _open(jobId, header, headerProof);
        IJobTypes.Status memory status = _proposed(jobId, round);
        bool[] memory isIn = _takingPart(jobId, round, claims, status.proposal.convictions, program.shares);
        _checkBefore(before, status.finalPayoutRoot);
        uint256 sharePay = _jobs.termsOf(jobId).payPerRound / program.shares;
        (bytes32 root, uint128 total) = _payoutsAfter(claims, isIn, before, uint128(sharePay));
        if (root == status.proposal.payoutRoot && total == status.proposal.payoutTotal) revert NothingWrong(root);
        _makeWrong(jobId, _resultOf(jobId, status), accuser);
    }

    /// @inheritdoc IRefereeDesk
    function strikeDigests(uint256 jobId, uint32 round, IJobTypes.Proposal calldata found) external {
        address accuser = _node(msg.sender);
        IJobTypes.Status memory status = _proposed(jobId, round);
        IJobTypes.Proposal memory same = found;
        same.stateDigest = status.proposal.stateDigest;
        same.auditRoot = status.proposal.auditRoot;
        if (_jobs.proposalHashOf(jobId, round, same) != status.proposalHash) revert MoreThanDigests();
        bytes32 hash = _jobs.proposalHashOf(jobId, round, found);
        bool isDown = _votes.verdict(jobId, status.proposalHash) == IJudge.Verdict.Wrong;
        uint256 votes = _votes.votesFor(jobId, status.proposalHash, hash);
        if (!isDown || 3 * votes < 2 * _jobs.validatorCount(jobId)) revert NotVotedDown(status.proposalHash, hash);
        _makeWrong(jobId, _resultOf(jobId, status), accuser);
    }

    /// A result can be challenged as long as nothing but a challenge already open keeps it from being final.
    function _checkInTime(uint256 jobId, uint32 round, bytes32 subject) internal view {
        IJobTypes.Status memory status = _proposed(jobId, round);
        bytes32 wanted = _resultOf(jobId, status);
        if (subject != wanted) revert ResultDiffers(subject, wanted);
        uint256 until = uint256(status.proposedAt) + _jobs.termsOf(jobId).challengeSeconds;
        if (block.timestamp > until) revert ChallengeOver(block.timestamp, until);
    }

    function _proposed(uint256 jobId, uint32 round) private view returns (IJobTypes.Status memory status) {
        status = _inRound(jobId, round);
        if (status.phase != IJobTypes.Phase.Challenge) revert NotTheRound(jobId, round, status.round);
    }

    /// Which claims of a round's set count in its result: of those not convicted before it, the first of each share.
    function _takingPart(
        uint256 jobId,
        uint32 round,
        IJobTypes.ClaimLeaf[] calldata claims,
        uint32 convictions,
        uint256 shares
    ) private view returns (bool[] memory isIn) {
        (bytes32 setRoot, uint32 count) = _jobs.setRootOf(jobId, round);
        bytes32[] memory hashes = new bytes32[](claims.length);
        for (uint256 i = 0; i < claims.length; ++i) {
            hashes[i] = _jobs.claimHash(jobId, round, claims[i]);
        }
        bytes32 root = claims.length == count ? SetTree.rootOf(hashes) : bytes32(0);
        if (root != setRoot) revert SetDiffers(root, setRoot);
        isIn = new bool[](claims.length);
        bool[] memory isTaken = new bool[](shares);
        for (uint256 i = 0; i < claims.length; ++i) {
            uint256 share = claims[i].share;
            uint256 expulsion = _jobs.expulsionOf(jobId, claims[i].worker);
            bool isConvicted = expulsion != 0 && expulsion <= convictions;
            if (isConvicted || share >= shares || isTaken[share]) continue;
            isTaken[share] = true;
            isIn[i] = true;
        }
    }

    function _checkBefore(PayLeaf[] calldata before, bytes32 wanted) private pure {
        (address[] memory accounts, uint128[] memory amounts,) = _copyOf(before, 0);
        (bytes32 root,) = MerkleSum.rootOf(accounts, amounts);
        if (root != wanted) revert PayoutsDiffer(root, wanted);
    }

    /// The payouts before with one equal part more for each claim that takes part; new accounts come last (P-50).
    function _payoutsAfter(
        IJobTypes.ClaimLeaf[] calldata claims,
        bool[] memory isIn,
        PayLeaf[] calldata before,
        uint128 sharePay
    ) private pure returns (bytes32, uint128) {
        (address[] memory accounts, uint128[] memory amounts, uint256 used) = _copyOf(before, claims.length);
        for (uint256 i = 0; i < claims.length; ++i) {
            if (!isIn[i]) continue;
            uint256 place = 0;
            while (place < used && accounts[place] != claims[i].worker) ++place;
            if (place == used) accounts[used++] = claims[i].worker;
            amounts[place] += sharePay;
        }
        assembly ("memory-safe") {
            mstore(accounts, used)
            mstore(amounts, used)
        }
        return MerkleSum.rootOf(accounts, amounts);
    }

    /// The leaves as two lists with room for so many more.
    function _copyOf(PayLeaf[] calldata leaves, uint256 more)
        private
        pure
        returns (address[] memory accounts, uint128[] memory amounts, uint256 used)
    {
        used = leaves.length;
        accounts = new address[](used + more);
        amounts = new uint128[](used + more);
        for (uint256 i = 0; i < used; ++i) {
            (accounts[i], amounts[i]) = (leaves[i].account, leaves[i].amount);
        }
    }
}
