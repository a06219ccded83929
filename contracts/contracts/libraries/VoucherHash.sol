// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IChannels} from "../interfaces/IChannels.sol";

/// @title The hashes of a claim, straight from the call.
/// @notice The same values as `IChannels.channelIdOf` and `IChannels.voucherDigest`, for about 1,000 gas less an item: words are copied as
/// they lie instead of being decoded and encoded again. A word with dirty upper bits only yields a hash that nobody has signed.
library VoucherHash {
    /// @return id keccak256(chainid, this, payer, signer, operator, token, withdrawDelaySeconds, salt)
    function channelId(IChannels.ClaimItem calldata item, address operator, address token)
        internal
        view
        returns (bytes32 id)
    {
        assembly ("memory-safe") {
            let spot := mload(0x40)
            mstore(spot, chainid())
            mstore(add(spot, 0x20), address())
            calldatacopy(add(spot, 0x40), item, 0x40)
            mstore(add(spot, 0x80), operator)
            mstore(add(spot, 0xa0), token)
            calldatacopy(add(spot, 0xc0), add(item, 0x40), 0x40)
            id := keccak256(spot, 0x100)
        }
    }

    /// @return lane Lane of the voucher.
    /// @return from Where its allocation begins.
    /// @return cumulative Where it ends.
    /// @dev Read without a check each; one check refuses dirty upper bits in any of them.
    function amounts(IChannels.ClaimItem calldata item)
        internal
        pure
        returns (uint256 lane, uint256 from, uint256 cumulative)
    {
        assembly ("memory-safe") {
            lane := calldataload(add(item, 0x80))
            from := calldataload(add(item, 0xa0))
            cumulative := calldataload(add(item, 0xc0))
            if or(shr(32, lane), shr(128, or(from, cumulative))) { revert(0, 0) }
        }
    }

    /// @return lane Lane of the voucher.
    /// @return cumulative Where its allocation ends.
    /// @dev For an item that `amounts` has accepted.
    function booked(IChannels.ClaimItem calldata item) internal pure returns (uint256 lane, uint256 cumulative) {
        assembly ("memory-safe") {
            lane := calldataload(add(item, 0x80))
            cumulative := calldataload(add(item, 0xc0))
        }
    }

    /// @return digest EIP-712 digest of (typehash, id, lane, from, cumulative, requestHash, allocationHash)
    function voucherDigest(
        IChannels.ClaimItem calldata item,
        bytes32 domain,
        bytes32 typehash,
        bytes32 id,
        bytes32 allocationHash
    ) internal pure returns (bytes32 digest) {
        assembly ("memory-safe") {
            let spot := mload(0x40)
            mstore(spot, typehash)
            mstore(add(spot, 0x20), id)
            calldatacopy(add(spot, 0x40), add(item, 0x80), 0x80)
            mstore(add(spot, 0xc0), allocationHash)
            let structHash := keccak256(spot, 0xe0)
            mstore(spot, hex"1901")
            mstore(add(spot, 0x02), domain)
            mstore(add(spot, 0x22), structHash)
            digest := keccak256(spot, 0x42)
        }
    }
}
