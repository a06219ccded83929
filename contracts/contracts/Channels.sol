// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IAssets} from "./interfaces/IAssets.sol";
import {IChannels} from "./interfaces/IChannels.sol";
import {ChannelMoney} from "./libraries/ChannelMoney.sol";
import {ExactTransfer} from "./libraries/ExactTransfer.sol";
import {Ppm} from "./libraries/Ppm.sol";
import {VoucherHash} from "./libraries/VoucherHash.sol";

/// @title Payment channels; documented on IChannels.
contract Channels is IChannels, EIP712, ReentrancyGuardTransient {
    using ExactTransfer for address;
    using Ppm for uint256;
    using SafeERC20 for IERC20;
    using VoucherHash for IChannels.ClaimItem;

    bytes32 private constant VOUCHER_TYPEHASH = keccak256(
        "Voucher(bytes32 channelId,uint32 lane,uint128 from,uint128 cumulative,bytes32 requestHash,bytes32 allocationHash)"
    );
    bytes32 private constant CLOSE_TYPEHASH =
        keccak256("Close(bytes32 channelId,uint96 deposited,uint96 claimed,uint64 validUntil)");

    // The upper bit of an ERC-2098 signature's second word is the recovery bit.
    bytes32 private constant S_MASK = bytes32(uint256(type(int256).max));
    // All that lane 0 or the other lanes together can have claimed must fit in their 80 bits.
    uint256 private constant MAX_DEPOSIT = type(uint80).max;

    struct LaneKey {
        address key;
        uint96 cap;
    }

    struct LaneChange {
        address key;
        uint96 cap;
        uint64 changeAt;
    }

    /// @inheritdoc IChannels
    address public immutable assets;

    /// @inheritdoc IChannels
    mapping(address token => mapping(address account => uint256)) public creditOf;

    mapping(bytes32 channelId => ChannelMoney) private _money;
    mapping(bytes32 channelId => uint64) private _withdrawAt;
    mapping(bytes32 channelId => mapping(uint256 lane => LaneKey)) private _lanes;
    mapping(bytes32 channelId => mapping(uint256 lane => uint256)) private _laneClaimed;
    mapping(bytes32 channelId => mapping(uint256 lane => LaneChange)) private _laneChanges;

    constructor(address assets_) EIP712("Potluck Channels", "1") {
        assets = assets_;
    }

    modifier onlyPayer(Config calldata config) {
        if (msg.sender != config.payer) revert NotPayer(msg.sender, config.payer);
        _;
    }

    /// @inheritdoc IChannels
    function open(Config calldata config, uint96 amount)
        external
        nonReentrant
        onlyPayer(config)
        returns (bytes32 channelId)
    {
        if (config.signer == address(0) || config.operator == address(0)) revert ConfigInvalid();
        if (amount == 0) revert ZeroAmount();
        channelId = channelIdOf(config);
        ChannelMoney money = _money[channelId];
        if (money.deposited() != 0) revert AlreadyOpen(channelId);
        _deposit(channelId, money, config.token, amount);
        emit Opened(channelId, config.payer, config.operator, config, amount);
    }

    /// @inheritdoc IChannels
    function topUp(Config calldata config, uint96 amount) external nonReentrant {
        if (amount == 0) revert ZeroAmount();
        (bytes32 channelId, ChannelMoney money) = _opened(config);
        emit ToppedUp(channelId, amount, _deposit(channelId, money, config.token, amount));
    }

    /// @inheritdoc IChannels
    function setDelegate(Config calldata config, uint32 lane, address key, uint96 cap) external onlyPayer(config) {
        if (lane == 0) revert LaneInvalid(lane);
        (bytes32 channelId,) = _opened(config);
        uint256 claimed = _laneClaimed[channelId][lane];
        if (cap < claimed) revert CapBelowClaimed(cap, claimed);
        LaneKey memory present = _lanes[channelId][lane];
        bool gives = present.key == address(0) || (key == present.key && cap >= present.cap);
        if (gives) {
            delete _laneChanges[channelId][lane];
            _lanes[channelId][lane] = LaneKey(key, cap);
            emit DelegateSet(channelId, lane, key, cap);
        } else {
            uint64 changeAt = uint64(block.timestamp) + config.withdrawDelaySeconds;
            _laneChanges[channelId][lane] = LaneChange(key, cap, changeAt);
            emit DelegateChangeRequested(channelId, lane, key, cap, changeAt);
        }
    }

    /// @inheritdoc IChannels
    function applyDelegate(Config calldata config, uint32 lane) external {
        bytes32 channelId = channelIdOf(config);
        LaneChange memory change = _laneChanges[channelId][lane];
        if (change.changeAt == 0) revert NoChange(channelId, lane);
        if (block.timestamp < change.changeAt) revert TooEarly(block.timestamp, change.changeAt);
        uint256 claimed = _laneClaimed[channelId][lane];
        // What a lane has claimed is at most the deposit, so it fits.
        uint96 cap = change.cap < claimed ? uint96(claimed) : change.cap;
        delete _laneChanges[channelId][lane];
        _lanes[channelId][lane] = LaneKey(change.key, cap);
        emit DelegateSet(channelId, lane, change.key, cap);
    }

    /// @inheritdoc IChannels
    function claim(ClaimGroup[] calldata groups) external nonReentrant {
        bytes32 domain = _domainSeparatorV4();
        for (uint256 g = 0; g < groups.length; ++g) {
            ClaimGroup calldata group = groups[g];
            ClaimItem[] calldata items = group.items;
            address token = group.token;
            bytes32 allocationHash = allocationHashOf(group.allocation);
            uint256 total = 0;
            for (uint256 i = 0; i < items.length; ++i) {
                ClaimItem calldata item = items[i];
                (Refusal why, uint256 seen, uint256 limit, bytes32 channelId, uint256 money) =
                    _judge(domain, msg.sender, token, allocationHash, item);
                if (why != Refusal.None) revert ItemRefused(g, i, why, seen, limit);
                // At most 2^80 an item: no block holds enough of them to overflow.
                unchecked {
                    total += _book(channelId, money, item);
                }
            }
            _payAlong(token, group.allocation, total);
        }
    }

    /// @inheritdoc IChannels
    function requestWithdraw(Config calldata config) external onlyPayer(config) {
        (bytes32 channelId,) = _opened(config);
        uint64 withdrawAt = uint64(block.timestamp) + config.withdrawDelaySeconds;
        _withdrawAt[channelId] = withdrawAt;
        emit WithdrawRequested(channelId, withdrawAt);
    }

    /// @inheritdoc IChannels
    function cancelWithdraw(Config calldata config) external onlyPayer(config) {
        bytes32 channelId = channelIdOf(config);
        if (_withdrawAt[channelId] == 0) revert NoWithdrawRequest(channelId);
        delete _withdrawAt[channelId];
        emit WithdrawCancelled(channelId);
    }

    /// @inheritdoc IChannels
    function withdrawDeposit(Config calldata config) external nonReentrant returns (uint256) {
        (bytes32 channelId, ChannelMoney money) = _opened(config);
        uint64 withdrawAt = _withdrawAt[channelId];
        if (withdrawAt == 0) revert NoWithdrawRequest(channelId);
        if (block.timestamp < withdrawAt) revert TooEarly(block.timestamp, withdrawAt);
        return _returnRest(config, channelId, money);
    }

    /// @inheritdoc IChannels
    function closeNow(Config calldata config, uint64 validUntil, bytes calldata operatorSignature)
        external
        nonReentrant
        returns (uint256)
    {
        (bytes32 channelId, ChannelMoney money) = _opened(config);
        if (msg.sender != config.operator) {
            bytes32 digest =
                closeDigest(channelId, uint96(money.deposited()), uint96(money.claimed()), validUntil);
            bool signed = SignatureChecker.isValidSignatureNow(config.operator, digest, operatorSignature);
            if (!signed || block.timestamp > validUntil) revert CloseRefused(channelId, config.operator, validUntil);
        }
        return _returnRest(config, channelId, money);
    }

    /// @inheritdoc IChannels
    function withdrawCredit(address token) external nonReentrant returns (uint256) {
        return _withdrawCredit(msg.sender, token);
    }

    /// @inheritdoc IChannels
    function withdrawCreditFor(address account, address token) external nonReentrant returns (uint256) {
        return _withdrawCredit(account, token);
    }

    /// @inheritdoc IChannels
    function check(address operator, ClaimGroup calldata group) external view returns (Refusal[] memory refusals) {
        bytes32 domain = _domainSeparatorV4();
        bytes32 allocationHash = allocationHashOf(group.allocation);
        refusals = new Refusal[](group.items.length);
        for (uint256 i = 0; i < refusals.length; ++i) {
            (refusals[i],,,,) = _judge(domain, operator, group.token, allocationHash, group.items[i]);
        }
    }

    /// @inheritdoc IChannels
    function voucherDigest(
        bytes32 channelId,
        uint32 lane,
        uint128 from,
        uint128 cumulative,
        bytes32 requestHash,
        bytes32 allocationHash
    ) external view returns (bytes32) {
        return _hashTypedDataV4(
            keccak256(abi.encode(VOUCHER_TYPEHASH, channelId, lane, from, cumulative, requestHash, allocationHash))
        );
    }

    /// @inheritdoc IChannels
    function channelOf(bytes32 channelId) external view returns (Channel memory) {
        ChannelMoney money = _money[channelId];
        return Channel({
            deposited: uint96(money.deposited()),
            claimedLane0: uint80(money.claimedLane0()),
            claimedOtherLanes: uint80(money.claimedOtherLanes()),
            withdrawAt: _withdrawAt[channelId]
        });
    }

    /// @inheritdoc IChannels
    function laneOf(bytes32 channelId, uint32 lane) external view returns (Lane memory) {
        LaneKey memory present = _lanes[channelId][lane];
        LaneChange memory change = _laneChanges[channelId][lane];
        uint256 claimed = lane == 0 ? _money[channelId].claimedLane0() : _laneClaimed[channelId][lane];
        return Lane(present.key, present.cap, uint96(claimed), change.key, change.cap, change.changeAt);
    }

    /// @inheritdoc IChannels
    function channelIdOf(Config calldata config) public view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(this), config));
    }

    /// @inheritdoc IChannels
    function allocationHashOf(Allocation calldata allocation) public pure returns (bytes32) {
        return keccak256(abi.encode(allocation));
    }

    /// @inheritdoc IChannels
    function closeDigest(bytes32 channelId, uint96 deposited, uint96 claimed, uint64 validUntil)
        public
        view
        returns (bytes32)
    {
        return _hashTypedDataV4(keccak256(abi.encode(CLOSE_TYPEHASH, channelId, deposited, claimed, validUntil)));
    }

    function _opened(Config calldata config) private view returns (bytes32 channelId, ChannelMoney money) {
        channelId = channelIdOf(config);
        money = _money[channelId];
        if (money.deposited() == 0) revert NotOpen(channelId);
    }

    function _deposit(bytes32 channelId, ChannelMoney money, address token, uint96 amount)
        private
        returns (uint256 deposited)
    {
        deposited = money.deposited() + amount;
        if (deposited > MAX_DEPOSIT) revert DepositTooLarge(deposited, MAX_DEPOSIT);
        _money[channelId] = money.addDeposit(amount);
        token.takeExact(msg.sender, amount);
    }

    /// @dev The one place that decides about a voucher; `claim` and `check` both ask it.
    /// @return why None when the voucher is good.
    /// @return seen What a refusal shows of the voucher.
    /// @return limit What it is measured against.
    /// @return channelId Channel it belongs to.
    /// @return money The channel's slot as it was.
    function _judge(
        bytes32 domain,
        address operator,
        address token,
        bytes32 allocationHash,
        ClaimItem calldata item
    ) private view returns (Refusal why, uint256 seen, uint256 limit, bytes32 channelId, uint256 money) {
        channelId = item.channelId(operator, token);
        money = ChannelMoney.unwrap(_money[channelId]);
        if (money == 0) return (Refusal.UnknownChannel, uint256(channelId), 0, channelId, money);

        (uint256 lane, uint256 from, uint256 cumulative) = item.amounts();
        address signer = item.signer;
        uint256 claimed = ChannelMoney.wrap(money).claimedLane0();
        if (lane != 0) {
            LaneKey storage delegate = _lanes[channelId][lane];
            signer = delegate.key;
            if (signer == address(0)) return (Refusal.UnknownLane, lane, 0, channelId, money);
            if (cumulative > delegate.cap) return (Refusal.BeyondCap, cumulative, delegate.cap, channelId, money);
            claimed = _laneClaimed[channelId][lane];
        }
        if (from > claimed) return (Refusal.GapBelow, from, claimed, channelId, money);
        if (cumulative <= claimed) return (Refusal.NothingNew, cumulative, claimed, channelId, money);

        // All below 2^128: nothing overflows.
        unchecked {
            seen = ChannelMoney.wrap(money).claimed() + cumulative - claimed;
        }
        limit = ChannelMoney.wrap(money).deposited();
        if (seen > limit) return (Refusal.BeyondDeposit, seen, limit, channelId, money);

        bytes32 digest = item.voucherDigest(domain, VOUCHER_TYPEHASH, channelId, allocationHash);
        // A second signature over the same voucher would change nothing, so its other form needs no refusal.
        address recovered = ecrecover(digest, uint8(uint256(item.vs) >> 255) + 27, item.r, item.vs & S_MASK);
        if (recovered != signer || recovered == address(0)) {
            return (Refusal.WrongSigner, uint160(recovered), uint160(signer), channelId, money);
        }
    }

    /// Writes a good voucher down; gives what it is worth. The channel's total stays within its deposit, as `_judge` has seen.
    function _book(bytes32 channelId, uint256 money, ClaimItem calldata item) private returns (uint256 amount) {
        (uint256 lane, uint256 cumulative) = item.booked();
        if (lane == 0) {
            amount = cumulative - ChannelMoney.wrap(money).claimedLane0();
            _money[channelId] = ChannelMoney.wrap(money).addLane0(amount);
        } else {
            amount = cumulative - _laneClaimed[channelId][lane];
            _laneClaimed[channelId][lane] = cumulative;
            _money[channelId] = ChannelMoney.wrap(money).addOtherLanes(amount);
        }
        emit Claimed(channelId, uint32(lane), uint128(cumulative), uint128(amount), item.requestHash);
    }

    function _payAlong(address token, Allocation calldata allocation, uint256 total) private {
        uint256 shares = uint256(allocation.providerShare) + allocation.gatewayShare;
        bool whole = allocation.version == 0 ? shares == Ppm.ONE : shares <= Ppm.ONE;
        bool named = (allocation.provider != address(0) || allocation.providerShare == 0)
            && (allocation.gateway != address(0) || allocation.gatewayShare == 0);
        if (!whole || !named) revert AllocationInvalid(shares);

        uint256 toProvider = total.ofDown(allocation.providerShare);
        uint256 toGateway = total.ofDown(allocation.gatewayShare);
        uint256 rest = total - toProvider - toGateway;
        // Without an asset the rest is only what rounding left: at most two units.
        if (allocation.version == 0) (toProvider, rest) = (toProvider + rest, 0);
        if (toProvider > 0) creditOf[token][allocation.provider] += toProvider;
        if (toGateway > 0) creditOf[token][allocation.gateway] += toGateway;
        emit GroupPaid(msg.sender, token, allocation.version, allocation, rest, toProvider, toGateway);
        if (rest > 0) _payVersion(token, allocation.version, rest);
    }

    function _payVersion(address token, uint64 version, uint256 amount) private {
        // One unlimited approval a token: Assets takes only what its caller asks it to take.
        if (IERC20(token).allowance(address(this), assets) < amount) {
            IERC20(token).forceApprove(assets, type(uint256).max);
        }
        // A sum of deposits of one transaction: far below 128 bits.
        IAssets(assets).pay(version, token, uint128(amount));
    }

    function _returnRest(Config calldata config, bytes32 channelId, ChannelMoney money)
        private
        returns (uint256 amount)
    {
        amount = money.deposited() - money.claimed();
        _money[channelId] = money.subDeposit(amount);
        delete _withdrawAt[channelId];
        emit DepositWithdrawn(channelId, amount);
        if (amount > 0) IERC20(config.token).safeTransfer(config.payer, amount);
    }

    function _withdrawCredit(address account, address token) private returns (uint256 amount) {
        amount = creditOf[token][account];
        if (amount == 0) revert NothingOwed(token, account);
        creditOf[token][account] = 0;
        emit CreditWithdrawn(token, account, amount);
        IERC20(token).safeTransfer(account, amount);
    }
}
