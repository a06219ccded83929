// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IJudge} from "../interfaces/IJudge.sol";

/// @title A judge for tests: every subject is open until it is told to decide, and then stands.
contract SlowJudge is IJudge {
    bool private _decided;

    function decide() external {
        _decided = true;
    }

    /// @inheritdoc IJudge
    function verdict(uint256, bytes32) external view returns (Verdict) {
        return _decided ? Verdict.Stands : Verdict.None;
    }

    /// @inheritdoc IJudge
    function accusers(uint256, bytes32) external pure returns (address[] memory) {
        return new address[](0);
    }

    /// @inheritdoc IJudge
    function isOpen(uint256, bytes32) external view returns (bool) {
        return !_decided;
    }
}
