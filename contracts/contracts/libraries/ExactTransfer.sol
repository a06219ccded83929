// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

/// Takes tokens in and refuses those that arrive short: a fee on transfer would make the books lie.
library ExactTransfer {
    using SafeERC20 for IERC20;

    error TransferShort(address token, uint256 received, uint256 wanted);

    /// @notice Moves exactly `amount` from `from` to this contract or reverts.
    function takeExact(address token, address from, uint256 amount) internal {
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransferFrom(from, address(this), amount);
        uint256 received = IERC20(token).balanceOf(address(this)) - before;
        if (received != amount) revert TransferShort(token, received, amount);
    }
}
