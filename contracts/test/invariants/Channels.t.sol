// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Assets} from "../../contracts/Assets.sol";
import {EmbeddedDollar} from "../../contracts/embedded/EmbeddedDollar.sol";
import {IAssets} from "../../contracts/interfaces/IAssets.sol";
import {IChannels} from "../../contracts/interfaces/IChannels.sol";
import {deployArtifact, vm, within} from "../support/Vm.sol";

/// Three channels with three lanes each to one operator; good vouchers, and bad ones that must be refused.
contract ChannelsHandler {
    IChannels public immutable channels;
    EmbeddedDollar public immutable dollar;
    Assets private immutable _assets;
    uint64 private immutable _version;

    uint256 public constant COUNT = 3;
    address public constant OPERATOR = address(0xfee1);
    address public constant PROVIDER = address(0xfee2);

    mapping(bytes32 channelId => mapping(uint32 lane => uint256)) private _claimedBefore;
    bool public fellBack;
    bool public acceptedBad;

    constructor() {
        dollar = new EmbeddedDollar();
        _assets = new Assets();
        channels = IChannels(deployArtifact("contracts/Channels.sol:Channels", abi.encode(address(_assets))));
        IAssets.VersionTerms memory terms;
        address[] memory tokens = new address[](1);
        tokens[0] = address(dollar);
        (, _version) = _assets.create(address(this), tokens, terms);
        for (uint256 i = 0; i < COUNT; ++i) {
            address payer = vm.addr(_key(i, 0));
            dollar.mint(payer, 1e20);
            vm.prank(payer);
            dollar.approve(address(channels), type(uint256).max);
            open(i, 1e6);
        }
    }

    function open(uint256 which, uint256 amount) public {
        IChannels.Config memory config = configOf(which);
        if (channels.channelOf(channels.channelIdOf(config)).deposited != 0) return;
        vm.prank(config.payer);
        channels.open(config, uint96(within(amount, 1, 1e12)));
    }

    function topUp(uint256 which, uint256 amount) external {
        IChannels.Config memory config = configOf(which);
        if (channels.channelOf(channels.channelIdOf(config)).deposited == 0) return;
        vm.prank(config.payer);
        channels.topUp(config, uint96(within(amount, 1, 1e12)));
    }

    function setDelegate(uint256 which, uint256 lane, uint256 cap) external {
        IChannels.Config memory config = configOf(which);
        bytes32 id = channels.channelIdOf(config);
        if (channels.channelOf(id).deposited == 0) return;
        uint32 number = uint32(within(lane, 1, 2));
        uint256 claimed = channels.laneOf(id, number).claimed;
        vm.prank(config.payer);
        channels.setDelegate(config, number, vm.addr(_key(which, number)), uint96(within(cap, claimed, claimed + 1e12)));
        if (channels.laneOf(id, number).changeAt != 0 && cap % 2 == 0) {
            vm.warp(channels.laneOf(id, number).changeAt);
            channels.applyDelegate(config, number);
        }
    }

    /// A voucher in a call, before it is signed.
    struct Draft {
        IChannels.Config config;
        bytes32 id;
        uint32 lane;
        uint256 from;
        uint256 cumulative;
        uint256 key;
    }

    function claim(uint256 which, uint256 lane, uint256 more, uint256 overlap) external {
        Draft memory draft = _draft(which, lane);
        uint256 room = _room(draft.id, draft.lane);
        if (room == 0) return;
        draft.cumulative = draft.from + within(more, 1, room);
        draft.from = within(overlap, 0, draft.from);
        _watch(draft.id);
        IChannels.ClaimGroup[] memory groups = _groups(draft);
        vm.prank(OPERATOR);
        channels.claim(groups);
        _compare(draft.id);
    }

    /// Replayed, shrunk, above a gap, beyond the deposit or the cap, or signed by another: one of them each time.
    function claimBadly(uint256 which, uint256 lane, uint256 kind, uint256 amount) external {
        Draft memory draft = _draft(which, lane);
        uint256 claimed = draft.from;
        draft.cumulative = claimed + within(amount, 1, 1e6);
        kind %= 4;
        if (kind == 0) (draft.from, draft.cumulative) = (0, within(amount, 0, claimed));
        if (kind == 1) draft.from = claimed + 1;
        if (kind == 2) draft.cumulative = claimed + _room(draft.id, draft.lane) + within(amount, 1, 1e20);
        if (kind == 3) draft.key = within(amount, 1e9, 2e9);
        IChannels.ClaimGroup[] memory groups = _groups(draft);
        vm.prank(OPERATOR);
        try channels.claim(groups) {
            acceptedBad = true;
        } catch {}
    }

    function takeRest(uint256 which, uint256 kind) external {
        IChannels.Config memory config = configOf(which);
        if (channels.channelOf(channels.channelIdOf(config)).deposited == 0) return;
        if (kind % 2 == 0) {
            vm.prank(OPERATOR);
            channels.closeNow(config, 0, "");
            return;
        }
        vm.prank(config.payer);
        channels.requestWithdraw(config);
        vm.warp(block.timestamp + config.withdrawDelaySeconds);
        channels.withdrawDeposit(config);
    }

    function withdrawCredit(uint256 who) external {
        address account = who % 2 == 0 ? OPERATOR : PROVIDER;
        if (channels.creditOf(address(dollar), account) == 0) return;
        channels.withdrawCreditFor(account, address(dollar));
    }

    function configOf(uint256 which) public view returns (IChannels.Config memory config) {
        config.payer = vm.addr(_key(which, 0));
        config.signer = config.payer;
        config.operator = OPERATOR;
        config.token = address(dollar);
        config.withdrawDelaySeconds = 60;
    }

    function _key(uint256 which, uint256 lane) private pure returns (uint256) {
        return which % COUNT * 10 + lane + 1;
    }

    function _room(bytes32 id, uint32 lane) private view returns (uint256 room) {
        IChannels.Channel memory channel = channels.channelOf(id);
        room = channel.deposited - channel.claimedLane0 - channel.claimedOtherLanes;
        if (lane == 0) return room;
        IChannels.Lane memory info = channels.laneOf(id, lane);
        if (info.key == address(0)) return 0;
        uint256 capRoom = info.cap - info.claimed;
        return capRoom < room ? capRoom : room;
    }

    /// The lane as it stands, with nothing claimed on top yet.
    function _draft(uint256 which, uint256 lane) private view returns (Draft memory draft) {
        draft.config = configOf(which);
        draft.id = channels.channelIdOf(draft.config);
        draft.lane = uint32(lane % 3);
        draft.from = channels.laneOf(draft.id, draft.lane).claimed;
        draft.key = _key(which, draft.lane);
    }

    function _groups(Draft memory draft) private view returns (IChannels.ClaimGroup[] memory groups) {
        groups = new IChannels.ClaimGroup[](1);
        groups[0].token = address(dollar);
        groups[0].allocation = IChannels.Allocation(_version, PROVIDER, 333_333, OPERATOR, 100_001);
        groups[0].items = new IChannels.ClaimItem[](1);
        IChannels.ClaimItem memory item = groups[0].items[0];
        item.payer = draft.config.payer;
        item.signer = draft.config.signer;
        item.withdrawDelaySeconds = draft.config.withdrawDelaySeconds;
        (item.lane, item.from, item.cumulative) = (draft.lane, uint128(draft.from), uint128(draft.cumulative));
        bytes32 allocationHash = channels.allocationHashOf(groups[0].allocation);
        bytes32 digest = channels.voucherDigest(draft.id, item.lane, item.from, item.cumulative, 0, allocationHash);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(draft.key, digest);
        (item.r, item.vs) = (r, bytes32(uint256(s) | (uint256(v - 27) << 255)));
    }

    function _watch(bytes32 id) private {
        for (uint32 lane = 0; lane < 3; ++lane) {
            _claimedBefore[id][lane] = channels.laneOf(id, lane).claimed;
        }
    }

    function _compare(bytes32 id) private {
        for (uint32 lane = 0; lane < 3; ++lane) {
            if (channels.laneOf(id, lane).claimed < _claimedBefore[id][lane]) fellBack = true;
        }
    }
}

/// [C-60] [C-63]
contract ChannelsInvariants {
    ChannelsHandler private _handler;

    function setUp() external {
        _handler = new ChannelsHandler();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    /// [C-60]
    function invariant_heldIsUnclaimedDepositsAndCredits() external view {
        IChannels channels = _handler.channels();
        address dollar = address(_handler.dollar());
        uint256 sum = channels.creditOf(dollar, _handler.OPERATOR()) + channels.creditOf(dollar, _handler.PROVIDER());
        for (uint256 i = 0; i < _handler.COUNT(); ++i) {
            bytes32 id = channels.channelIdOf(_handler.configOf(i));
            (uint256 deposited, uint256 claimed) = _moneyOf(channels, id);
            require(claimed <= deposited, "claimed beyond the deposit");
            sum += deposited - claimed;
        }
        require(_handler.dollar().balanceOf(address(channels)) == sum, "conservation");
    }

    /// [C-64]
    function invariant_lanesAddUp() external view {
        IChannels channels = _handler.channels();
        for (uint256 i = 0; i < _handler.COUNT(); ++i) {
            bytes32 id = channels.channelIdOf(_handler.configOf(i));
            uint256 others = uint256(channels.laneOf(id, 1).claimed) + channels.laneOf(id, 2).claimed;
            require(channels.channelOf(id).claimedOtherLanes == others, "lanes do not add up");
        }
    }

    /// [C-63]
    function invariant_claimsOnlyGrowAndBadVouchersAreRefused() external view {
        require(!_handler.fellBack(), "a claim fell back");
        require(!_handler.acceptedBad(), "a bad voucher was paid");
    }

    function _moneyOf(IChannels channels, bytes32 id) private view returns (uint256 deposited, uint256 claimed) {
        IChannels.Channel memory channel = channels.channelOf(id);
        return (channel.deposited, uint256(channel.claimedLane0) + channel.claimedOtherLanes);
    }
}
