// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title A token that takes a fee, or calls back in the middle of a transfer; for tests.
contract HostileToken is ERC20 {
    uint256 public feePpm;
    address private _target;
    bytes private _callback;
    bool private _armed;
    /// What the last callback gave back; empty when it succeeded.
    bytes public lastRefusal;
    bool public calledBack;

    constructor() ERC20("Hostile", "EVIL") {}

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function setFee(uint256 ppm) external {
        feePpm = ppm;
    }

    /// @notice At the next transfer, calls `target` with `callback` first.
    function arm(address target, bytes calldata callback) external {
        (_target, _callback, _armed) = (target, callback, true);
    }

    /// @notice Calls on as this token, so that it can take part in what it attacks.
    function act(address target, bytes calldata call) external {
        (bool done, bytes memory result) = target.call(call);
        if (!done) {
            assembly ("memory-safe") {
                revert(add(result, 32), mload(result))
            }
        }
    }

    function _update(address from, address to, uint256 value) internal override {
        if (_armed && from != address(0)) {
            _armed = false;
            calledBack = true;
            (bool done, bytes memory result) = _target.call(_callback);
            lastRefusal = done ? bytes("") : result;
        }
        uint256 fee = from == address(0) ? 0 : value * feePpm / 1_000_000;
        super._update(from, to, value - fee);
        if (fee > 0) super._update(from, address(0xfee), fee);
    }
}
