// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Pay per use without a transaction per use.
/// @notice A payer opens a channel to one operator and signs growing vouchers; the operator claims many in one call. Each voucher names
/// the allocation its money goes along: asset version, provider, gateway.
/// @dev Assumes of tokens: as in IAssets. Vouchers are plain ECDSA by `signer`, so that claiming costs little: a contract wallet is
/// asked once, when it opens the channel and names a session key. There is no owner and no upgrade.
/// @dev Holds at all times, per token: held = sum(deposited - claimed) + sum(credits) (C-60).
interface IChannels {
    /// The id of a channel is the hash of its config, the chain and this contract (C-61).
    struct Config {
        address payer;
        /// Signs the vouchers of lane 0: the payer itself or a session key.
        address signer;
        /// The one account that may claim.
        address operator;
        address token;
        /// How long the operator may still claim after the payer asked for the rest; also the notice for cutting a delegate.
        uint32 withdrawDelaySeconds;
        bytes32 salt;
    }

    struct Channel {
        /// Paid in and not taken back.
        uint96 deposited;
        uint80 claimedLane0;
        uint80 claimedOtherLanes;
        /// Second from which the payer may take the rest; 0 when it has not asked.
        uint64 withdrawAt;
    }

    struct Lane {
        address key;
        uint96 cap;
        uint96 claimed;
        /// Announced replacement, in force from `changeAt` on once applied; 0 when there is none.
        address nextKey;
        uint96 nextCap;
        uint64 changeAt;
    }

    /// Where money goes, in ppm; what is left goes to the asset version, or with `version` 0 to the provider.
    struct Allocation {
        uint64 version;
        address provider;
        uint32 providerShare;
        address gateway;
        uint32 gatewayShare;
    }

    /// One voucher with what is needed to find its channel. The operator is the caller, the token stands in the group.
    /// The order matters: words are hashed as they lie in the call.
    struct ClaimItem {
        address payer;
        address signer;
        uint32 withdrawDelaySeconds;
        bytes32 salt;
        uint32 lane;
        /// Amounts up to here belong to earlier vouchers, amounts above it to this allocation.
        uint128 from;
        uint128 cumulative;
        bytes32 requestHash;
        /// ERC-2098 compact signature.
        bytes32 r;
        bytes32 vs;
    }

    struct ClaimGroup {
        address token;
        Allocation allocation;
        ClaimItem[] items;
    }

    /// Why an item of a claim is refused; `seen` and `limit` of ItemRefused are given with each.
    enum Refusal {
        None,
        /// No deposit under this id: another chain, contract, operator, token or config. seen = channel id.
        UnknownChannel,
        /// The lane has no delegate key. seen = lane.
        UnknownLane,
        /// Not signed by the lane's key over exactly this voucher. seen = recovered signer, limit = wanted signer.
        WrongSigner,
        /// A voucher below it has not been claimed yet. seen = from, limit = claimed.
        GapBelow,
        /// Replayed or shrunk. seen = cumulative, limit = claimed.
        NothingNew,
        /// seen = total claimed after this item, limit = deposited.
        BeyondDeposit,
        /// seen = cumulative, limit = cap of the lane.
        BeyondCap
    }

    event Opened(bytes32 indexed channelId, address indexed payer, address indexed operator, Config config, uint256 amount);
    event ToppedUp(bytes32 indexed channelId, uint256 amount, uint256 deposited);
    event DelegateSet(bytes32 indexed channelId, uint32 indexed lane, address key, uint256 cap);
    event DelegateChangeRequested(
        bytes32 indexed channelId, uint32 indexed lane, address key, uint256 cap, uint256 changeAt
    );
    event Claimed(bytes32 indexed channelId, uint32 lane, uint128 cumulative, uint128 amount, bytes32 requestHash);
    event GroupPaid(
        address indexed operator,
        address indexed token,
        uint64 indexed version,
        Allocation allocation,
        uint256 toVersion,
        uint256 toProvider,
        uint256 toGateway
    );
    event WithdrawRequested(bytes32 indexed channelId, uint256 withdrawAt);
    event WithdrawCancelled(bytes32 indexed channelId);
    event DepositWithdrawn(bytes32 indexed channelId, uint256 amount);
    event CreditWithdrawn(address indexed token, address indexed account, uint256 amount);

    error NotPayer(address caller, address payer);
    error ConfigInvalid();
    error AlreadyOpen(bytes32 channelId);
    error NotOpen(bytes32 channelId);
    error ZeroAmount();
    error DepositTooLarge(uint256 deposited, uint256 limit);
    error TransferShort(address token, uint256 received, uint256 wanted);
    error LaneInvalid(uint32 lane);
    error CapBelowClaimed(uint256 cap, uint256 claimed);
    error NoChange(bytes32 channelId, uint32 lane);
    error TooEarly(uint256 now_, uint256 from);
    error NoWithdrawRequest(bytes32 channelId);
    error CloseRefused(bytes32 channelId, address operator, uint64 validUntil);
    error AllocationInvalid(uint256 sharesPpm);
    error ItemRefused(uint256 group, uint256 item, Refusal why, uint256 seen, uint256 limit);
    error NothingOwed(address token, address account);

    /// @notice Opens a channel with a first deposit. Only the payer may.
    function open(Config calldata config, uint96 amount) external returns (bytes32 channelId);

    /// @notice Adds to the deposit; anyone may pay. A requested withdrawal stays requested.
    function topUp(Config calldata config, uint96 amount) external;

    /// @notice Gives a lane (1 or above) a key of its own that may spend up to `cap` in all. Only the payer may.
    /// @dev A new lane and a higher cap for the same key hold at once. Another key, a lower cap, or key 0 (revoked) hold after
    /// `withdrawDelaySeconds` and a call of `applyDelegate`, so that the operator can claim what was already signed (C-66).
    function setDelegate(Config calldata config, uint32 lane, address key, uint96 cap) external;

    /// @notice Puts an announced change of a lane in force; anyone may call. The cap never falls below what is claimed.
    function applyDelegate(Config calldata config, uint32 lane) external;

    /// @notice Claims vouchers and pays them along their allocations, all or nothing; the caller is the operator.
    function claim(ClaimGroup[] calldata groups) external;

    /// @notice Asks for the rest of the deposit; the operator may claim meanwhile. Only the payer may.
    function requestWithdraw(Config calldata config) external;

    function cancelWithdraw(Config calldata config) external;

    /// @notice Pays the payer what is not claimed once the delay has passed; anyone may call.
    function withdrawDeposit(Config calldata config) external returns (uint256 amount);

    /// @notice Pays the payer what is not claimed at once, when the operator calls or has signed
    /// `Close(bytes32 channelId,uint96 deposited,uint96 claimed,uint64 validUntil)` over the present state.
    function closeNow(Config calldata config, uint64 validUntil, bytes calldata operatorSignature)
        external
        returns (uint256 amount);

    /// @notice Sends the caller its credit as provider or gateway.
    function withdrawCredit(address token) external returns (uint256 amount);

    /// @notice Sends `account` its credit; anyone may call.
    function withdrawCreditFor(address account, address token) external returns (uint256 amount);

    /// @notice Judges each item by itself against the present state; nothing is written.
    /// @dev Items of one batch that build on each other are judged as if each came first: simulate `claim` for those.
    function check(address operator, ClaimGroup calldata group) external view returns (Refusal[] memory);

    function assets() external view returns (address);

    function channelIdOf(Config calldata config) external view returns (bytes32);

    function allocationHashOf(Allocation calldata allocation) external pure returns (bytes32);

    /// @notice What a voucher's key signs.
    function voucherDigest(
        bytes32 channelId,
        uint32 lane,
        uint128 from,
        uint128 cumulative,
        bytes32 requestHash,
        bytes32 allocationHash
    ) external view returns (bytes32);

    /// @notice What an operator signs to let a channel close at once.
    function closeDigest(bytes32 channelId, uint96 deposited, uint96 claimed, uint64 validUntil)
        external
        view
        returns (bytes32);

    function channelOf(bytes32 channelId) external view returns (Channel memory);

    function laneOf(bytes32 channelId, uint32 lane) external view returns (Lane memory);

    function creditOf(address token, address account) external view returns (uint256);
}
