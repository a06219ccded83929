// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What is said about jobs: structs, events and errors that all parts of `Jobs` share.
interface IJobTypes {
    /// Phases a job goes through; a round walks Open -> Beacon -> Propose -> Challenge and back to Open.
    enum Phase {
        None,
        Enrolling,
        Open,
        Beacon,
        Propose,
        Challenge,
        Done,
        Cancelled
    }

    struct JobTerms {
        address token;
        uint32 rounds;
        /// What the data is used for; must be granted by every data version.
        uint32 purpose;
        /// 0 exact, 1 tolerant, 2 private.
        uint8 trustClass;
        uint8 committeeSize;
        /// Committee signatures that fix a set.
        uint8 quorum;
        uint128 payPerRound;
        uint128 workerBond;
        uint128 validatorBond;
        uint128 witnessBond;
        /// An open round can be skipped by anyone after this many seconds.
        uint32 fixSeconds;
        /// Reveals open this many blocks after the set is fixed.
        uint32 beaconBlocks;
        /// The beacon can be closed without the silent ones after this many seconds (and twice `beaconBlocks`).
        uint32 revealSeconds;
        /// Each validator's turn to propose.
        uint32 turnSeconds;
        uint32 challengeSeconds;
        uint32 minWorkers;
        uint32 minValidators;
        uint32 minWitnesses;
        address judge;
        /// Terms of the model that comes out (see IAssets.VersionTerms).
        uint32 contributorsShare;
        uint32 modelPurposes;
        uint32 modelMinShare;
        uint128 modelTrainPrice;
        /// What a validator loses for each round it does not reveal in; should exceed what the round can lose.
        uint128 missingPenalty;
        bytes32 modelLicenceDigest;
        uint32 paramsVersion;
        bytes32 programRoot;
        bytes32 specDigest;
        bytes32 baseDigest;
        bytes32 baseRoot;
        /// Strictly increasing; the parents of the model.
        uint64[] dataVersions;
        uint32[] parentShares;
    }

    struct ClaimLeaf {
        address worker;
        uint32 share;
        uint64 units;
        bytes32 baseRoot;
        bytes32 updateDigest;
        bytes32 updateRoot;
        bytes32 statesRoot;
    }

    struct Proposal {
        bytes32 stateDigest;
        bytes32 stateRoot;
        /// Merkle-sum root over (index, account, cumulative pay over all rounds).
        bytes32 payoutRoot;
        /// Digest of the audit report.
        bytes32 auditRoot;
        /// Root over the state roots of the reference run and its update root; 0 where nothing can be recomputed.
        bytes32 runRoot;
        /// Sum under `payoutRoot`.
        uint128 payoutTotal;
        /// Convictions in the job before the proposal: who was convicted by then takes no part in the result.
        uint32 convictions;
    }

    /// Everything a daemon polls. What a later phase sets still shows the round before until then.
    struct Status {
        Phase phase;
        uint32 round;
        /// Openings so far, skipped ones included; 1 for the first.
        uint32 attempt;
        /// Openings in a row of the present round that nobody fixed.
        uint32 skips;
        /// Claims in the fixed set.
        uint32 count;
        /// Claims posted directly in this opening.
        uint32 directCount;
        uint32 workers;
        uint32 validators;
        uint32 witnesses;
        /// Validators that have revealed in this round, and a bit for each by index.
        uint32 revealed;
        uint64 revealedBits;
        /// A bit for each validator by index that was expelled.
        uint64 expelledBits;
        /// Index of the validator whose turn to propose comes first.
        uint32 firstProposer;
        /// Somebody did not reveal in this round: audit at twice the rate.
        bool beaconMissing;
        uint64 openedAt;
        uint64 fixedAt;
        uint64 fixedBlock;
        uint64 beaconAt;
        uint64 proposedAt;
        address builder;
        address proposer;
        /// Beacon of the present round once drawn; before that, the one before it.
        bytes32 beacon;
        /// Draws the committee of this opening.
        bytes32 committeeSeed;
        bytes32 setRoot;
        bytes32 directHash;
        Proposal proposal;
        bytes32 proposalHash;
        /// Rounds that are final, and the result of the last of them.
        uint32 finalRounds;
        bytes32 finalStateDigest;
        bytes32 finalStateRoot;
        bytes32 finalPayoutRoot;
        uint128 finalPayoutTotal;
        uint128 paidTotal;
        bool refunded;
        /// The model made of the job; 0 before `publishModel`.
        uint64 modelVersion;
    }

    event JobCreated(uint256 indexed jobId, address indexed builder, JobTerms terms);
    event Enrolled(uint256 indexed jobId, address indexed node, uint32 indexed role, uint32 index, bytes32 onionHead);
    event RoundOpened(uint256 indexed jobId, uint32 indexed round, uint32 attempt, bytes32 committeeSeed);
    event ClaimPosted(uint256 indexed jobId, uint32 indexed round, address indexed worker, bytes32 commitHash, bytes32 directHash);
    event SetFixed(uint256 indexed jobId, uint32 indexed round, bytes32 setRoot, uint32 count, bytes32 directHash, uint256 signerBits);
    event Revealed(uint256 indexed jobId, uint32 indexed round, address indexed validator, bytes32 preimage);
    event RevealMissing(uint256 indexed jobId, uint32 indexed round, address indexed validator, uint256 slashed);
    event BeaconDrawn(uint256 indexed jobId, uint32 indexed round, bytes32 beacon, bool missing);
    event Proposed(uint256 indexed jobId, uint32 indexed round, address indexed proposer, Proposal proposal, bytes32 proposalHash);
    event Convicted(uint256 indexed jobId, uint32 indexed round, address indexed worker, bytes32 subject, uint256 slashed);
    event ProposalConvicted(uint256 indexed jobId, uint32 indexed round, address indexed proposer, bytes32 subject, uint256 slashed);
    event RoundFinal(uint256 indexed jobId, uint32 indexed round, Proposal proposal);
    event JobDone(uint256 indexed jobId, uint32 finalRounds, uint256 payoutTotal);
    event JobCancelled(uint256 indexed jobId);
    event PayClaimed(uint256 indexed jobId, address indexed account, uint256 amount, uint256 cumulative);
    event Refunded(uint256 indexed jobId, address indexed builder, uint256 amount);
    event Released(uint256 indexed jobId, address indexed node, uint32 indexed role, uint256 amount);
    event ModelPublished(uint256 indexed jobId, uint256 indexed assetId, uint64 indexed version);

    error UnknownJob(uint256 jobId);
    error WrongPhase(uint256 jobId, Phase seen, Phase wanted);
    error WrongRound(uint256 jobId, uint32 seen, uint32 wanted);
    error TermsInvalid(string field);
    error TrainPriceToken(uint64 version, address token, address wanted);
    error TransferShort(address token, uint256 received, uint256 wanted);
    error NotBuilder(uint256 jobId, address caller);
    error RoleInvalid(uint32 role);
    error RoleMissing(address node, uint32 role);
    error NotNode(address caller);
    error NotDataOwner(uint256 jobId, address node);
    error AlreadyEnrolled(uint256 jobId, address node, uint32 role);
    error NotEnrolled(uint256 jobId, address node, uint32 role);
    error EnrolmentClosed(uint256 jobId, uint32 role);
    error EnrolmentFull(uint256 jobId, uint32 role);
    error OnionMissing();
    error NodeExpelled(uint256 jobId, address node);
    error MinimumsNotMet(uint256 jobId, uint32 role, uint256 have, uint256 wanted);
    error TooEarly(uint256 now_, uint256 from);
    error AlreadyPosted(uint256 jobId, uint32 round, address worker);
    error EmptySet();
    error DirectClaimsDiffer(bytes32 given, bytes32 posted);
    error SignerBitsInvalid(uint256 signerBits, uint256 committee);
    error QuorumNotMet(uint256 signers, uint256 quorum);
    error SignaturesLength(uint256 length, uint256 signers);
    error AttestationInvalid(uint256 position, address recovered, address wanted);
    error AlreadyRevealed(uint256 jobId, address validator);
    error WrongPreimage(bytes32 hash, bytes32 onion);
    error NotYourTurn(address caller, address wanted);
    error PayoutOutOfRange(uint256 total, uint256 atLeast, uint256 atMost);
    error ConvictionsDiffer(uint32 given, uint32 wanted);
    error NotWrong(bytes32 subject);
    error JudgedWrong(bytes32 subject);
    error UnderDispute(bytes32 subject);
    error ClaimProofInvalid(uint256 jobId, uint32 round, bytes32 leaf);
    error SumProofInvalid(bytes32 root, uint128 total);
    error NothingToPay(uint256 jobId, address account);
    error PayoutExceeded(uint256 paid, uint256 total);
    error AlreadyRefunded(uint256 jobId);
    error AlreadyPublished(uint256 jobId, uint64 version);
    error NothingToPublish(uint256 jobId);
    error NotReleasable(uint256 jobId, address node, uint32 role);
    error NotStalled(uint256 jobId);
}
