// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IJobFunding, SumSibling} from "../interfaces/IJobFunding.sol";
import {Beacons} from "./Beacons.sol";
import {Convictions} from "./Convictions.sol";
import {Enrolment} from "./Enrolment.sol";
import {Funding} from "./Funding.sol";
import {JobStore} from "./JobStore.sol";
import {Rounds} from "./Rounds.sol";

/// @title Funded training jobs; documented on IJobs.
/// @dev A contract may hold 24 KiB of code: what concerns money stands in `Funding`, made here and called on this contract's storage.
/// Neither can ever be replaced.
contract Jobs is Enrolment, Rounds, Beacons, Convictions {
    address private immutable _funding;

    constructor(address registry_, address assets_) JobStore(registry_, assets_) {
        _funding = address(new Funding(registry_, assets_));
    }

    /// @inheritdoc IJobFunding
    function create(JobTerms calldata) external returns (uint256) {
        _inFunding();
    }

    /// @inheritdoc IJobFunding
    function cancel(uint256) external {
        _inFunding();
    }

    /// @inheritdoc IJobFunding
    function end(uint256) external {
        _inFunding();
    }

    /// @inheritdoc IJobFunding
    function claimPay(uint256, uint64, address, uint128, SumSibling[] calldata) external returns (uint256) {
        _inFunding();
    }

    /// @inheritdoc IJobFunding
    function refund(uint256) external returns (uint256) {
        _inFunding();
    }

    /// @inheritdoc IJobFunding
    function publishModel(uint256) external returns (uint64) {
        _inFunding();
    }

    /// Runs this very call in `Funding`, with its outcome as ours; never returns to the caller in Solidity.
    function _inFunding() private {
        address funding = _funding;
        assembly ("memory-safe") {
            let start := mload(0x40)
            calldatacopy(start, 0, calldatasize())
            let done := delegatecall(gas(), funding, start, calldatasize(), 0, 0)
            returndatacopy(start, 0, returndatasize())
            if iszero(done) { revert(start, returndatasize()) }
            return(start, returndatasize())
        }
    }
}
