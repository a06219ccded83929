// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Assets} from "../../contracts/Assets.sol";
import {EmbeddedDollar} from "../../contracts/embedded/EmbeddedDollar.sol";
import {IAssets, SumSibling} from "../../contracts/interfaces/IAssets.sol";
import {HashFormats} from "../../contracts/testing/HashFormats.sol";
import {vm, within} from "../support/Vm.sol";

/// Random families of assets, with random money going through them in random order.
contract AssetsHandler {
    Assets public immutable assets;
    EmbeddedDollar public immutable dollar;
    HashFormats private immutable _formats;
    uint256 public paidIn;
    uint256 public withdrawn;
    bool public fellBack;

    uint256 private constant PEOPLE = 5;
    mapping(uint64 version => uint256) private _grossBefore;
    address[] private _accounts;
    uint128[] private _weights;

    constructor() {
        dollar = new EmbeddedDollar();
        assets = new Assets();
        _formats = new HashFormats();
        dollar.mint(address(this), 1e30);
        dollar.approve(address(assets), type(uint256).max);
        for (uint256 i = 0; i < PEOPLE; ++i) {
            _accounts.push(person(i));
            _weights.push(uint128(i * i * 1e18 + 1));
        }
        create(1, 0, 0, 0);
    }

    function person(uint256 seed) public pure returns (address) {
        return vm.addr(seed % PEOPLE + 1);
    }

    function create(uint256 who, uint256 parentSeed, uint256 shareSeed, uint256 contributorsSeed) public {
        IAssets.VersionTerms memory terms;
        terms.purposes = 31;
        terms.contributorsShare = uint32(contributorsSeed % 400_001);
        (terms.contributorsRoot, terms.contributorsTotal) = _formats.sumTree(_accounts, _weights);
        uint64 latest = assets.latestVersion();
        uint256 count = parentSeed % 4;
        if (count > latest) count = latest;
        terms.parents = new uint64[](count);
        terms.shares = new uint32[](count);
        for (uint256 i = 0; i < count; ++i) {
            // Increasing, and ending with the latest: deep families as well as broad ones.
            terms.parents[i] = latest - uint64(count - 1 - i);
            terms.shares[i] = uint32(uint256(keccak256(abi.encode(shareSeed, i))) % 200_001);
        }
        address[] memory tokens = new address[](1);
        tokens[0] = address(dollar);
        assets.create(person(who), tokens, terms);
    }

    function pay(uint256 version, uint256 amount) external {
        amount = within(amount, 1, 1e15);
        assets.pay(_version(version), address(dollar), uint128(amount));
        paidIn += amount;
    }

    function pull(uint256 seed, uint256 which) external {
        uint64 child = _version(seed);
        uint64[] memory parents = assets.termsOf(child).parents;
        if (parents.length == 0) return;
        uint64 parent = parents[which % parents.length];
        _watch(parent);
        assets.pull(child, parent, address(dollar));
        if (assets.grossOf(parent, address(dollar)) < _grossBefore[parent]) fellBack = true;
    }

    function settle(uint256 seed) external {
        assets.settle(_version(seed), address(dollar));
    }

    function claimContributor(uint256 seed, uint256 index) external {
        index %= PEOPLE;
        uint64 version = _version(seed);
        SumSibling[] memory proof = _formats.sumProof(_accounts, _weights, index);
        assets.claimContributor(version, address(dollar), uint64(index), _accounts[index], _weights[index], proof);
    }

    function transfer(uint256 seed, uint256 to) external {
        uint256 assetId = assets.assetOf(_version(seed));
        address owner = assets.ownerOf(assetId);
        vm.prank(owner);
        assets.transferFrom(owner, person(to), assetId);
    }

    function withdraw(uint256 who) external {
        if (assets.owed(address(dollar), person(who)) == 0) return;
        withdrawn += assets.withdrawFor(person(who), address(dollar));
    }

    function owedSum() external view returns (uint256 sum) {
        for (uint256 i = 0; i < PEOPLE; ++i) {
            sum += assets.owed(address(dollar), person(i));
        }
    }

    /// What has left a version: to its owner, its parents and its contributors.
    function passedOn(uint64 version) external view returns (uint256 sum) {
        sum = assets.settledOf(version, address(dollar));
        uint64[] memory parents = assets.termsOf(version).parents;
        for (uint256 i = 0; i < parents.length; ++i) {
            sum += assets.pulledOf(version, parents[i], address(dollar));
        }
        for (uint64 i = 0; i < PEOPLE; ++i) {
            sum += assets.contributorClaimed(version, address(dollar), i);
        }
    }

    function _version(uint256 seed) private view returns (uint64) {
        return uint64(within(seed, 1, assets.latestVersion()));
    }

    function _watch(uint64 version) private {
        _grossBefore[version] = assets.grossOf(version, address(dollar));
    }
}

/// [C-20] [C-07]
contract AssetsInvariants {
    AssetsHandler private _handler;

    function setUp() external {
        _handler = new AssetsHandler();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    /// [C-20]
    function invariant_heldIsPaidInLessWithdrawn() external view {
        uint256 held = _handler.dollar().balanceOf(address(_handler.assets()));
        require(held == _handler.paidIn() - _handler.withdrawn(), "conservation");
        require(_handler.owedSum() <= held, "owes more than it holds");
    }

    /// [C-07]
    function invariant_noVersionPassesOnMoreThanItEarned() external view {
        Assets assets = _handler.assets();
        for (uint64 version = 1; version <= assets.latestVersion(); ++version) {
            uint256 gross = assets.grossOf(version, address(_handler.dollar()));
            require(_handler.passedOn(version) <= gross, "parts exceed the whole");
        }
    }

    function invariant_incomeNeverFalls() external view {
        require(!_handler.fellBack(), "gross fell");
    }
}

/// [C-23]
contract AssetsFuzz {
    Assets private _assets;
    EmbeddedDollar private _dollar;

    function setUp() external {
        _dollar = new EmbeddedDollar();
        _assets = new Assets();
        _dollar.mint(address(this), type(uint128).max);
        _dollar.approve(address(_assets), type(uint256).max);
    }

    /// [C-23]
    function testFuzz_pullsInAnyRhythmEndAtTheSameSum(uint32 share, uint64[6] memory amounts, uint8 rhythm) external {
        share = uint32(within(share, 0, 1_000_000));
        (uint64 parent,) = _make(new uint64[](0), new uint32[](0));
        uint64[] memory parents = new uint64[](1);
        uint32[] memory shares = new uint32[](1);
        (parents[0], shares[0]) = (parent, share);
        (uint64 child,) = _make(parents, shares);
        uint256 total = 0;
        for (uint256 i = 0; i < 6; ++i) {
            if (amounts[i] == 0) continue;
            _assets.pay(child, address(_dollar), amounts[i]);
            total += amounts[i];
            if ((rhythm >> i) & 1 == 1) _assets.pull(child, parent, address(_dollar));
        }
        _assets.pull(child, parent, address(_dollar));
        require(_assets.grossOf(parent, address(_dollar)) == total * share / 1_000_000, "depends on the rhythm");
        _assets.settle(child, address(_dollar));
        uint256 left = total - _assets.grossOf(parent, address(_dollar)) - _assets.settledOf(child, address(_dollar));
        require(left <= 1, "more dust than one unit");
    }

    function _make(uint64[] memory parents, uint32[] memory shares) private returns (uint64 version, uint256 assetId) {
        IAssets.VersionTerms memory terms;
        terms.purposes = 31;
        (terms.parents, terms.shares) = (parents, shares);
        address[] memory tokens = new address[](1);
        tokens[0] = address(_dollar);
        (assetId, version) = _assets.create(address(this), tokens, terms);
    }
}
