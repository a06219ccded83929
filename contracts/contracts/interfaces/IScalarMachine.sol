// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRefereeTypes} from "./IRefereeTypes.sol";

/// @title Computes one element of a trace leaf, or one term of it, from its record (D-08 to D-10).
/// @dev Knows nothing of games: whoever calls has proven the leaves that it hands over.
interface IScalarMachine {
    /// @param element Number of the element.
    /// @param term Summation index k.
    /// @param folded Add the term to `partialWord`, or take the larger of the two, as the record's reduction says; else the bare term.
    struct Query {
        uint32 element;
        uint32 term;
        bool folded;
        uint32 partialWord;
        uint32 step;
        uint96 streamKey;
    }

    /// @param record Of kind element, after, tokens or uniform.
    /// @param leaves Those that operands stand in, at least; their proofs are not read.
    /// @return The word; a NaN as 0x7fc00000.
    function evaluate(Query calldata query, bytes calldata record, IRefereeTypes.Operand[] calldata leaves)
        external
        pure
        returns (uint32);

    /// @notice The tree of E-11 over eight partials of a row reduction.
    /// @param reduction 2 a sum, 3 a maximum.
    /// @param partials Eight words, big-endian.
    function combine(uint256 reduction, bytes calldata partials) external pure returns (uint32);
}
