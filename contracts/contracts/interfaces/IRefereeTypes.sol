// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What is said about disputes: structs, events and errors that all parts of the referee share.
interface IRefereeTypes {
    /// What a game waits for; the side whose turn it is answers what the other one revealed.
    enum Stage {
        None,
        /// `pickStep`
        States,
        /// a row of the trace: `pickNode` above its leaves, else a pick or a strike of a trace leaf
        Trace,
        /// a row of a tensor: `pickNode` above its leaves, else `pickTensorLeaf`
        Tensor,
        /// the bytes of a tensor's leaf: `pickElement` or `prove`
        Leaf,
        /// eight partials: `pickSum` or `prove`
        Lanes,
        /// partial sums: `pickSum` or `prove`
        Sums,
        Over
    }

    enum Move {
        None,
        StandUp,
        PickStep,
        PickNode,
        PickTraceLeaf,
        PickTensorLeaf,
        PickElement,
        PickSum,
        Prove,
        StrikeTraceLeaf,
        StrikeAbsent,
        CallTime
    }

    /// A node with its siblings, from its row up.
    struct Entry {
        bytes32 value;
        bytes32[] proof;
    }

    /// A 1 KiB leaf that operands stand in. For kind tokens: `leaf` of the text, proven under its data root; `traceLeaf` is ignored.
    struct Operand {
        uint32 traceLeaf;
        uint32 leaf;
        bytes data;
        /// Siblings from the leaf up, through the tensor's tree and the trace's, to the deepest frame that holds the trace leaf (D-17).
        bytes32[] proof;
    }

    struct Challenge {
        bytes32 subject;
        address challenger;
        /// Second of opening; `clockSeconds` later the time to stand up is over.
        uint40 openedAt;
        uint24 openGames;
        uint24 segment;
        bool decided;
        bool won;
        bool workerStood;
        uint40 jobId;
        uint32 round;
        /// The champion that made it fail; 0 otherwise.
        address winner;
        /// Challenges a round's result (D-23).
        bool ofResult;
    }

    /// What an account has earned in a job over all rounds.
    struct PayLeaf {
        address account;
        uint128 amount;
    }

    struct Game {
        address champion;
        /// Words w0, w1, w2 of E-14 for the claim's share, w0 on top.
        uint96 streamKey;
        uint32 challenge;
        /// Second of the last move, and seconds each side had left then.
        uint40 movedAt;
        uint24 challengerLeft;
        uint24 championLeft;
        Stage stage;
        bool challengerMoves;
        /// A bond of the champion is locked.
        bool bonded;
        /// The picked step, counted from the claim's first; S in the finish, S + 1 in the aggregation. Before: the first step of the range.
        uint32 step;
        /// Levels of the revealed row, and levels of its tree below it.
        uint8 levels;
        uint8 below;
        /// Number of the entry above the revealed row in its own row of the tree; of the leaf once its bytes are revealed.
        uint32 position;
        /// Rows of the trace revealed so far.
        uint8 frames;
        /// Kind of the picked trace leaf.
        uint8 kind;
        /// Leaves of the tree that the row is of; nodes of the states row.
        uint32 count;
        uint32 traceLeaf;
        uint8 traceDepth;
        /// The picked element.
        uint32 element;
        /// The revealed sums run along this lane (of eight in reductions 2 and 3), from term `first` (counted in the lane) to `end`
        /// exclusive, one after every 64^`scale` terms; `agreed` is the partial before `first`. For eight partials: `scale` is the
        /// reduction and `end` is K.
        uint8 lane;
        uint8 scale;
        uint32 first;
        uint32 end;
        uint32 agreed;
        /// Until a trace leaf is picked the state before the step; then the hash of the record as a leaf.
        bytes32 beforeOrRecord;
        /// Frames of the trace in order of their revealing, then what was revealed last of the tensor: root of a row, hash of a leaf,
        /// keccak256 of a list of sums. At first the root of the states row.
        bytes32[5] rows;
    }

    struct Demand {
        bytes32 subject;
        bytes32 updateRoot;
        address from;
        uint40 askedAt;
        uint32 leafIndex;
        uint8 depth;
        bool closed;
        uint48 jobId;
    }

    /// @param standUpUntil Last second in which somebody can stand up.
    event Challenged(
        uint256 indexed id,
        uint256 indexed jobId,
        bytes32 indexed subject,
        address challenger,
        uint32 round,
        uint32 segment,
        uint40 standUpUntil
    );
    /// @param firstStep The first step of the range; S for the finish.
    event GameOpened(uint256 indexed game, uint256 indexed id, address indexed champion, uint32 firstStep, bytes32 start);
    /// Everything a player needs to answer, and a viewer to replay.
    /// @param stage What the game waits for now.
    /// @param position Of what was picked: segment, step, number of a node or leaf in its own row of its tree, trace leaf, element, first
    /// term of the picked sum; for `prove` the element.
    /// @param below Levels of the tree below the row that was revealed.
    /// @param picked The entry; a word, on the left, for elements and sums.
    /// @param revealed What the mover revealed: nodes of a row, bytes of a leaf, words of sums, the result.
    event Moved(
        uint256 indexed game,
        Move indexed move,
        bool byChallenger,
        Stage stage,
        uint64 position,
        uint8 below,
        uint32 challengerLeft,
        uint32 championLeft,
        bytes32 picked,
        bytes revealed
    );
    event GameEnded(uint256 indexed game, uint256 indexed id, address indexed winner, Move by);
    event ChallengeSettled(uint256 indexed id, bytes32 indexed subject, bool won, address winner);
    event ClaimWrong(uint256 indexed jobId, bytes32 indexed subject, address indexed accuser);
    /// What takes part in a round's result was established; root of the tree over it.
    event UpdatesNoted(uint256 indexed jobId, bytes32 indexed subject, bytes32 root);
    event LeafDemanded(uint256 indexed demand, uint256 indexed jobId, bytes32 indexed subject, uint32 leafIndex, address from);
    event LeafShown(uint256 indexed demand, address by, bytes leaf);
    event LeafWithheld(uint256 indexed demand);

    error BondInvalid(uint128 challengeBond);
    error ClockInvalid(uint32 clockSeconds);
    error NotJudgeOf(uint256 jobId, address judge, uint8 trustClass);
    error HeaderInvalid(string field, uint256 value);
    error NotANode(address caller);
    error UnknownChallenge(uint256 id);
    error UnknownGame(uint256 game);
    error UnknownDemand(uint256 demand);
    error SegmentOutOfRange(uint256 segment, uint256 segments);
    error SubjectDiffers(bytes32 given, bytes32 wanted);
    error ChallengeDecided(uint256 id);
    error ChallengeOpen(uint256 id, uint256 openGames, uint256 standUpUntil);
    error StandUpOver(uint256 now_, uint256 until);
    error AlreadyStood(uint256 id, address worker);
    error StatesLength(uint256 given, uint256 wanted);
    error LastStateDiffers(bytes32 given, bytes32 wanted);
    error WrongStage(uint256 game, Stage seen);
    error NotYourMove(uint256 game, address caller, address wanted);
    error ClockOver(uint256 game, uint256 used, uint256 left);
    error ClockRunning(uint256 game, uint256 used, uint256 left);
    error GameRunning(uint256 game);
    error IndexOutOfRange(uint256 index, uint256 count);
    error ProofLength(uint256 given, uint256 wanted);
    error ProofInvalid(bytes32 root, bytes32 wanted);
    error TransferFailed(address token);
    error RowLength(uint256 given, uint256 wanted);
    error RowStartsAbsent();
    error SameRoot(bytes32 root);
    error SameWord(uint32 word);
    error SameState(bytes32 state);
    error NotAtLeaves(uint256 below);
    error AtLeaves();
    error RecordKind(uint256 kind);
    error RecordInvalid(uint256 word);
    error LeafLength(uint256 given, uint256 wanted);
    error SumsLength(uint256 given, uint256 wanted);
    error RevealedDiffers(bytes32 hash, bytes32 wanted);
    error NotOneEvaluation(uint256 terms);
    error OneEvaluation(uint256 terms);
    error NothingWrong(bytes32 value);
    error OperandNotConceded(uint256 traceLeaf, uint256 picked);
    error OperandMissing(uint256 traceLeaf, uint256 leaf);
    error NotTheRound(uint256 jobId, uint32 round, uint32 now_);
    error ResultDiffers(bytes32 given, bytes32 proposed);
    error ChallengeOver(uint256 now_, uint256 until);
    error NotAClaim(uint32 share);
    error UpdatesNotNoted(bytes32 subject);
    error SetDiffers(bytes32 given, bytes32 fixed_);
    error PayoutsDiffer(bytes32 given, bytes32 final_);
    error NotVotedDown(bytes32 proposal, bytes32 found);
    error MoreThanDigests();
    error LeafNotThere(uint256 leafIndex);
    error DemandClosed(uint256 demand);
    error DemandOver(uint256 now_, uint256 until);
    error DemandRunning(uint256 now_, uint256 until);
}
