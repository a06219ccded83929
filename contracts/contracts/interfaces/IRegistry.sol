// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Who takes part, with which keys, and what stands behind their word.
/// @notice A node is known by its cold key (`node`). The cold key names one revocable node key for daily signing, puts up a
/// bond in SALT and names the contracts that may lock parts of it. Slashing history stays with the cold key for ever.
/// @dev Assumes: SALT is the plain ERC-20 of this project (no fee, no rebase, no hooks). There is no owner and no upgrade.
/// @dev Holds at all times: SALT held = bonds + unbonding + rewards (C-10).
interface IRegistry {
    struct Node {
        address key;
        uint32 roles;
        uint32 slashCount;
        /// Bond that is put up and not on its way out; includes what is locked.
        uint128 bonded;
        uint128 locked;
        uint128 unbonding;
        /// Second from which `unbonding` can be taken out; 0 when nothing is on its way.
        uint64 unbondAt;
        /// Everything ever slashed from this node, in SALT wei.
        uint128 slashedTotal;
        string endpoint;
    }

    event Registered(address indexed node, address indexed key, uint32 roles, string endpoint);
    event Updated(address indexed node, uint32 roles, string endpoint);
    event NodeKeyChanged(address indexed node, address indexed oldKey, address indexed newKey);
    event Bonded(address indexed node, uint256 amount);
    event UnbondStarted(address indexed node, uint256 amount, uint256 availableAt);
    event Unbonded(address indexed node, uint256 amount);
    event LockerAllowed(address indexed node, address indexed locker, bool allowed);
    event Locked(address indexed locker, address indexed node, bytes32 indexed task, uint256 amount);
    event Unlocked(address indexed locker, address indexed node, bytes32 indexed task, uint256 amount);
    event Slashed(address indexed locker, address indexed node, bytes32 indexed task, uint256 burned, uint256 rewarded);
    event RewardWithdrawn(address indexed account, uint256 amount);

    error AlreadyRegistered(address node);
    error NotRegistered(address node);
    error NoRoles();
    error KeyAlreadyUsed(address key);
    error KeyProofInvalid(address key, address node);
    error ZeroAmount();
    error BondTooLow(address node, uint256 free, uint256 wanted);
    error StillUnbonding(address node, uint256 availableAt);
    error NothingUnbonding(address node);
    error LockerNotAllowed(address node, address locker);
    error LockTooSmall(address node, bytes32 task, uint256 locked, uint256 wanted);
    error NoReward(address account);

    /// @notice Joins the network; the caller becomes the cold key.
    /// @param nodeKey Key for daily signing. A key ever named by any node is never accepted again (C-11).
    /// @param roles Bits: WORKER 1, VALIDATOR 2, WITNESS 4, KEEPER 8, GATEWAY 16, OWNER 32, PROVIDER 64.
    /// @param endpoint Where others reach the node; free text, not checked.
    /// @param proof EIP-712 signature `NodeKey(address node)` by `nodeKey`, so that nobody can take another's key; may be
    /// empty when `nodeKey` is the caller.
    function register(address nodeKey, uint32 roles, string calldata endpoint, bytes calldata proof) external;

    /// @notice Changes roles and endpoint of the calling cold key's node. Enrolments in running jobs are not touched.
    function update(uint32 roles, string calldata endpoint) external;

    /// @notice Replaces the node key; the old one is worth nothing from this block on.
    function setNodeKey(address newKey, bytes calldata proof) external;

    /// @notice Adds to the caller's bond; needs an ERC-20 approval.
    function bond(uint128 amount) external;

    /// @notice As `bond`, with an ERC-2612 permit in place of the approval.
    /// @dev A permit that somebody else has already submitted is no obstacle: only the allowance counts.
    function bondWithPermit(uint128 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external;

    /// @notice Sends a part of the free bond on its way out. A second call adds to the first and restarts the delay.
    function startUnbond(uint128 amount) external;

    /// @notice Pays out what has waited long enough.
    function withdrawUnbonded() external returns (uint256 amount);

    /// @notice Lets a contract lock the caller's bond, or stops it from making new locks; old locks stay (C-13).
    function allowLocker(address locker, bool allowed) external;

    /// @notice Locks free bond for a task; the caller is the locker. Adds to what it has already locked for the task.
    function lock(address node, bytes32 task, uint128 amount) external;

    /// @notice Frees all that the calling locker holds for the task; 0 when there is nothing.
    function unlock(address node, bytes32 task) external returns (uint256 amount);

    /// @notice Takes bond that the calling locker holds for the task.
    /// @dev At least half (rounded up) is burned, the rest is split evenly; what does not divide, and all of it when there
    /// are no beneficiaries, is burned as well (C-12).
    function slash(address node, bytes32 task, uint128 amount, address[] calldata beneficiaries) external;

    /// @notice Pays the caller what slashing others has earned it.
    function withdrawReward() external returns (uint256 amount);

    /// @notice The token bonds are held in.
    function salt() external view returns (address);

    /// @notice Seconds between `startUnbond` and `withdrawUnbonded`.
    function unbondingSeconds() external view returns (uint64);

    function nodeInfo(address node) external view returns (Node memory);

    /// @notice The node whose current node key this is; 0 for a revoked or unknown key.
    function nodeOf(address key) external view returns (address node);

    /// @notice The node that an account speaks for: itself when it is a cold key, else the owner of the node key; 0 if none.
    function resolve(address account) external view returns (address node);

    function keyOf(address node) external view returns (address key);

    function rolesOf(address node) external view returns (uint32);

    function bondOf(address node) external view returns (uint256);

    function freeBond(address node) external view returns (uint256);

    function lockedFor(address locker, address node, bytes32 task) external view returns (uint256);

    function rewardOf(address account) external view returns (uint256);

    function isLockerAllowed(address node, address locker) external view returns (bool);
}
