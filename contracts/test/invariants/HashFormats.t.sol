// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SumSibling} from "../../contracts/interfaces/IAssets.sol";
import {HashFormats} from "../../contracts/testing/HashFormats.sol";
import {within} from "../support/Vm.sol";

/// [C-04] [C-05] [C-06]
contract HashFormatsFuzz {
    HashFormats private _formats;

    function setUp() external {
        _formats = new HashFormats();
    }

    /// [C-04]
    function testFuzz_aSumProofHoldsForItsLeafAndNoHeavierOne(uint96[] memory seeds, uint256 place, uint128 more)
        external
        view
    {
        uint256 count = within(seeds.length, 1, 12);
        address[] memory accounts = new address[](count);
        uint128[] memory weights = new uint128[](count);
        for (uint256 i = 0; i < count; ++i) {
            accounts[i] = address(uint160(i + 1));
            weights[i] = i < seeds.length ? seeds[i] : uint128(i);
        }
        uint256 spot = place % count;
        (bytes32 root, uint128 total) = _formats.sumTree(accounts, weights);
        SumSibling[] memory proof = _formats.sumProof(accounts, weights, spot);
        require(_formats.sumVerify(root, total, uint64(spot), accounts[spot], weights[spot], proof), "own proof refused");
        uint128 heavier = uint128(within(more, uint256(weights[spot]) + 1, type(uint128).max));
        require(!_formats.sumVerify(root, total, uint64(spot), accounts[spot], heavier, proof), "heavier leaf accepted");
        require(!_formats.sumVerify(root, total, uint64(spot + 1), accounts[spot], weights[spot], proof), "other index accepted");
        if (proof.length > 0) {
            // What one leaf gains a sibling would have to lose: the hashes do not allow it.
            proof[0].sum += 1;
            require(!_formats.sumVerify(root, total, uint64(spot), accounts[spot], weights[spot], proof), "shifted sum accepted");
        }
    }

    /// [C-05]
    function testFuzz_aSetProofHoldsAtItsPlaceOnly(bytes32 seed, uint8 size, uint256 place, uint256 elsewhere)
        external
        view
    {
        uint256 count = within(size, 1, 40);
        bytes32[] memory leaves = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            leaves[i] = keccak256(abi.encode(seed, i));
        }
        uint256 spot = place % count;
        bytes32 root = _formats.setTree(leaves);
        bytes32[] memory proof = _formats.setProof(leaves, spot);
        require(_formats.setVerify(root, leaves[spot], spot, count, proof), "own proof refused");
        elsewhere %= 64;
        if (elsewhere != spot) require(!_formats.setVerify(root, leaves[spot], elsewhere, count, proof), "other place accepted");
        require(!_formats.setVerify(root, seed, spot, count, proof), "other leaf accepted");
    }

    /// [C-06]
    function testFuzz_aCommitteeIsDistinctAndWithinTheList(bytes32 seed, uint16 n, uint8 size) external view {
        uint256 count = within(n, 1, 256);
        uint256[] memory members = _formats.committee(seed, count, size);
        require(members.length == (count < size ? count : size), "wrong size");
        bool[] memory seen = new bool[](count);
        for (uint256 i = 0; i < members.length; ++i) {
            require(members[i] < count && !seen[members[i]], "repeated or beyond the list");
            seen[members[i]] = true;
        }
    }
}
