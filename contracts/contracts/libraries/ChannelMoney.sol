// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The money of a channel in one word, so that a claim in lane 0 writes one slot.
/// @notice From the lowest bit: 96 bits deposited, 80 bits claimed in lane 0, 80 bits claimed in all other lanes.
type ChannelMoney is uint256;

using {deposited, claimedLane0, claimedOtherLanes, claimed, addDeposit, subDeposit, addLane0, addOtherLanes} for ChannelMoney global;

function deposited(ChannelMoney money) pure returns (uint256) {
    return uint96(ChannelMoney.unwrap(money));
}

function claimedLane0(ChannelMoney money) pure returns (uint256) {
    return uint80(ChannelMoney.unwrap(money) >> 96);
}

function claimedOtherLanes(ChannelMoney money) pure returns (uint256) {
    return ChannelMoney.unwrap(money) >> 176;
}

/// In all lanes.
function claimed(ChannelMoney money) pure returns (uint256) {
    return claimedLane0(money) + claimedOtherLanes(money);
}

// The caller keeps deposits below 2^80 and claims within the deposit, so no field runs over into the next.

function addDeposit(ChannelMoney money, uint256 amount) pure returns (ChannelMoney) {
    return ChannelMoney.wrap(ChannelMoney.unwrap(money) + amount);
}

function subDeposit(ChannelMoney money, uint256 amount) pure returns (ChannelMoney) {
    return ChannelMoney.wrap(ChannelMoney.unwrap(money) - amount);
}

function addLane0(ChannelMoney money, uint256 amount) pure returns (ChannelMoney) {
    return ChannelMoney.wrap(ChannelMoney.unwrap(money) + (amount << 96));
}

function addOtherLanes(ChannelMoney money, uint256 amount) pure returns (ChannelMoney) {
    return ChannelMoney.wrap(ChannelMoney.unwrap(money) + (amount << 176));
}
