// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// Shares in parts per million.
library Ppm {
    uint256 internal constant ONE = 1_000_000;

    /// @notice `share` ppm of `amount`, rounded down.
    /// @dev Callers keep amounts within 128 bits and shares within 32: the product cannot overflow.
    function ofDown(uint256 amount, uint256 share) internal pure returns (uint256) {
        return amount * share / ONE;
    }
}
