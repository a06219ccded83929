// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

/// @title A stand-in for a stablecoin, on an embedded chain only.
/// @notice Backed by nothing: whoever deployed it mints at will. Never deploy it where money is real.
contract EmbeddedDollar is ERC20, ERC20Permit {
    address public immutable minter = msg.sender;

    error NotMinter(address caller);

    constructor() ERC20("Embedded Dollar", "EUSD") ERC20Permit("Embedded Dollar") {}

    /// @param amount In millionths of a dollar.
    function mint(address to, uint256 amount) external {
        if (msg.sender != minter) revert NotMinter(msg.sender);
        _mint(to, amount);
    }

    function decimals() public pure override returns (uint8) {
        return 6;
    }
}
