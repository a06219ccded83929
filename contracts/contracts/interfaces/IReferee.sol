// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IJobTypes} from "./IJobTypes.sol";
import {IJudge} from "./IJudge.sol";
import {IRefereeDesk} from "./IRefereeDesk.sol";

/// @title The judge of exact jobs: narrows a disagreement down to one operation and does it (spec/referee.md).
/// @notice A *challenge* says that the end of a range of steps of a claim does not follow from its start. Whoever stands up for the claim
/// plays a *game* against the challenger, one transaction a move, in turns. A mover picks one entry of what the other side revealed last,
/// which concedes everything before it, and reveals its own row below that entry. In the end the contract evaluates one element, or one
/// term of a sum, from 1 KiB leaves proven under what was conceded.
/// @dev Trees are those of P-01 over SHA-256. Words in records, in lists of sums and in `Query` are big-endian; tensors are little-endian.
/// @dev Assumes: `Jobs`, its `Registry`, SALT and the judge by vote are this project's own and never call back. Players are registered
/// nodes that allowed this contract to lock their bond; node key and cold key may both move. There is no owner and no upgrade.
/// @dev Holds at all times: every bond locked here is in the end returned, or slashed once (C-70).
interface IReferee is IRefereeDesk, IJudge {
    // ---- challenges

    /// @notice Decides a challenge: lost when one game was lost; won when the time to stand up is over and no game is open (D-12, D-19).
    /// @dev Does nothing when it is decided already. A move that ends the last game decides by itself.
    function settle(uint256 id) external;

    /// @notice Ends a game whose side to move has used up its clock; anyone may call (D-18).
    function callTime(uint256 game) external;

    /// @notice Gives back the bond of a champion whose game was still open when its challenge was lost to another champion.
    function releaseGame(uint256 game) external;

    // ---- moves; each is made by the side whose turn it is

    /// @notice The challenger picks a step of the range and reveals the first row of its own trace of that step.
    /// @param index Step within the range, from 0.
    /// @param before Node `index` of the states row (start, states…), `afterwards` node `index` + 1, each with its proof.
    /// @param row The first row of the trace tree: ⌈T / 2^L⌉ nodes, L = levels left below the row.
    /// @param last The trace's last leaf, which must differ from `afterwards`, with its L siblings up to its node in `row`.
    function pickStep(
        uint256 game,
        uint32 index,
        Entry calldata before,
        Entry calldata afterwards,
        bytes32[] calldata row,
        Entry calldata last
    ) external;

    /// @notice Picks a node of a trace row or of a tensor row and reveals the row below it; its root must differ from the entry (D-13).
    /// @param index Position in the other side's row; `entry` has as many siblings as the row has levels.
    /// @param row As many nodes as the tree has there (absent ones at its end are left out); 2^levels in a state.
    function pickNode(uint256 game, uint32 index, Entry calldata entry, bytes32[] calldata row) external;

    /// @notice Picks a trace leaf of kind element, after, tokens or uniform and reveals the first row of its tensor, or its only leaf (D-14).
    /// @param record Record of that trace leaf; `recordProof` its siblings under the program root.
    /// @param row First row of the tensor's tree; empty when the tensor has one leaf.
    /// @param leaf The only leaf's bytes; empty otherwise.
    function pickTraceLeaf(
        uint256 game,
        uint32 index,
        Entry calldata entry,
        bytes calldata record,
        bytes32[] calldata recordProof,
        bytes32[] calldata row,
        bytes calldata leaf
    ) external;

    /// @notice Picks a leaf of a tensor and reveals its own bytes for it: exactly as long as the record says (D-14).
    function pickTensorLeaf(uint256 game, uint32 index, Entry calldata entry, bytes calldata record, bytes calldata leaf) external;

    /// @notice Picks an element that is a sum or a maximum and reveals its own partial sums (D-15).
    /// @param opponentLeaf The leaf that the other side revealed.
    /// @param index Element within that leaf.
    /// @param sums Words of 4 bytes. Reduction 1 over n = K ≥ 2 terms: after every 64^i terms and after the last, i the largest with
    /// 64^i < n. Reductions 2 and 3: the eight partials.
    function pickElement(
        uint256 game,
        bytes calldata opponentLeaf,
        uint32 index,
        bytes calldata record,
        bytes calldata sums
    ) external;

    /// @notice Picks one of the other side's partial sums that covers at least two terms and reveals its own within it (D-15).
    function pickSum(uint256 game, bytes calldata opponentSums, uint32 index, bytes calldata sums) external;

    /// @notice Picks one evaluation and does it: wins when the result is not the other side's word, and is refused otherwise (D-16).
    /// @param opponentWords What the other side revealed last: a leaf or a list of sums.
    /// @param operands Every 1 KiB leaf that an operand stands in, once.
    function prove(
        uint256 game,
        bytes calldata opponentWords,
        uint32 index,
        bytes calldata record,
        Operand[] calldata operands
    ) external;

    /// @notice Wins when the entry of a trace leaf of kind before, fixed, schedule or base is not what it must be (D-14).
    /// @param right For a schedule: the node of the step, `rightProof` its siblings under the record's root. Else ignored.
    /// @param claim The challenged claim; read for kind base.
    function strikeTraceLeaf(
        uint256 game,
        uint32 index,
        Entry calldata entry,
        bytes calldata record,
        bytes32[] calldata recordProof,
        bytes32 right,
        bytes32[] calldata rightProof,
        IJobTypes.ClaimLeaf calldata claim
    ) external;

    /// @notice Wins when an entry of a state row is not absent although no part of the state reaches it (D-13).
    function strikeAbsent(uint256 game, uint32 index, Entry calldata entry, bytes calldata record) external;

    // ---- views

    /// @notice Seconds each side has for all its moves of a game, to stand up, and to show a leaf.
    function clockSeconds() external view returns (uint32);

    /// @notice What a challenger, and a champion other than the worker, puts up; SALT wei.
    function challengeBond() external view returns (uint128);

    /// @notice What a demanded leaf costs: a hundredth of `challengeBond`; SALT wei.
    function leafFee() external view returns (uint128);

    function challengeCount() external view returns (uint256);

    function gameCount() external view returns (uint256);

    function demandCount() external view returns (uint256);

    function challengeOf(uint256 id) external view returns (Challenge memory);

    function gameOf(uint256 game) external view returns (Game memory);

    function demandOf(uint256 demand) external view returns (Demand memory);

    /// @notice The task under which a challenger's bond is locked.
    function challengeTask(uint256 id) external view returns (bytes32);

    /// @notice The task under which a champion's bond is locked.
    function gameTask(uint256 game) external view returns (bytes32);
}
