// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Burnable} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Burnable.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {ERC20Votes} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Votes.sol";
import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";

/// @title SALT: stake and votes.
/// @notice The whole supply is minted at deployment; it can only shrink after that, by burning (C-01).
contract Salt is ERC20, ERC20Burnable, ERC20Permit, ERC20Votes {
    error HoldersInvalid(uint256 holders, uint256 amounts);

    constructor(address[] memory holders, uint256[] memory amounts) ERC20("Potluck Salt", "SALT") ERC20Permit("Potluck Salt") {
        if (holders.length == 0 || holders.length != amounts.length) revert HoldersInvalid(holders.length, amounts.length);
        for (uint256 i = 0; i < holders.length; ++i) {
            _mint(holders[i], amounts[i]);
        }
    }

    function nonces(address owner) public view override(ERC20Permit, Nonces) returns (uint256) {
        return super.nonces(owner);
    }

    function _update(address from, address to, uint256 value) internal override(ERC20, ERC20Votes) {
        super._update(from, to, value);
    }
}
