// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20Burnable} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Burnable.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IRegistry} from "./interfaces/IRegistry.sol";

/// @title Nodes, keys and bonds; documented on IRegistry.
contract Registry is IRegistry, EIP712, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    bytes32 private constant NODE_KEY_TYPEHASH = keccak256("NodeKey(address node)");

    /// @inheritdoc IRegistry
    address public immutable salt;
    /// @inheritdoc IRegistry
    uint64 public immutable unbondingSeconds;

    /// @inheritdoc IRegistry
    mapping(address key => address node) public nodeOf;
    /// @inheritdoc IRegistry
    mapping(address node => mapping(address locker => bool)) public isLockerAllowed;
    /// @inheritdoc IRegistry
    mapping(address locker => mapping(address node => mapping(bytes32 task => uint256))) public lockedFor;
    /// @inheritdoc IRegistry
    mapping(address account => uint256) public rewardOf;

    mapping(address node => Node) private _nodes;
    mapping(address key => bool) private _keyUsed;

    constructor(address salt_, uint64 unbondingSeconds_) EIP712("Potluck Registry", "1") {
        salt = salt_;
        unbondingSeconds = unbondingSeconds_;
    }

    modifier onlyRegistered() {
        if (_nodes[msg.sender].key == address(0)) revert NotRegistered(msg.sender);
        _;
    }

    /// @inheritdoc IRegistry
    function register(address nodeKey, uint32 roles, string calldata endpoint, bytes calldata proof) external {
        Node storage node = _nodes[msg.sender];
        if (node.key != address(0)) revert AlreadyRegistered(msg.sender);
        if (roles == 0) revert NoRoles();
        _takeKey(nodeKey, proof);
        node.key = nodeKey;
        node.roles = roles;
        node.endpoint = endpoint;
        emit Registered(msg.sender, nodeKey, roles, endpoint);
    }

    /// @inheritdoc IRegistry
    function update(uint32 roles, string calldata endpoint) external onlyRegistered {
        if (roles == 0) revert NoRoles();
        _nodes[msg.sender].roles = roles;
        _nodes[msg.sender].endpoint = endpoint;
        emit Updated(msg.sender, roles, endpoint);
    }

    /// @inheritdoc IRegistry
    function setNodeKey(address newKey, bytes calldata proof) external onlyRegistered {
        address oldKey = _nodes[msg.sender].key;
        _takeKey(newKey, proof);
        delete nodeOf[oldKey];
        _nodes[msg.sender].key = newKey;
        emit NodeKeyChanged(msg.sender, oldKey, newKey);
    }

    /// @inheritdoc IRegistry
    function bond(uint128 amount) external nonReentrant onlyRegistered {
        _bond(amount);
    }

    /// @inheritdoc IRegistry
    function bondWithPermit(uint128 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external
        nonReentrant
        onlyRegistered
    {
        // Whoever saw the permit may have used it already; then it is the allowance that counts, and `_bond` checks that.
        try IERC20Permit(salt).permit(msg.sender, address(this), amount, deadline, v, r, s) {} catch {}
        _bond(amount);
    }

    /// @inheritdoc IRegistry
    function startUnbond(uint128 amount) external onlyRegistered {
        if (amount == 0) revert ZeroAmount();
        Node storage node = _nodes[msg.sender];
        uint256 free = node.bonded - node.locked;
        if (amount > free) revert BondTooLow(msg.sender, free, amount);
        node.bonded -= amount;
        node.unbonding += amount;
        node.unbondAt = uint64(block.timestamp) + unbondingSeconds;
        emit UnbondStarted(msg.sender, amount, node.unbondAt);
    }

    /// @inheritdoc IRegistry
    function withdrawUnbonded() external nonReentrant returns (uint256 amount) {
        Node storage node = _nodes[msg.sender];
        amount = node.unbonding;
        if (amount == 0) revert NothingUnbonding(msg.sender);
        if (block.timestamp < node.unbondAt) revert StillUnbonding(msg.sender, node.unbondAt);
        node.unbonding = 0;
        node.unbondAt = 0;
        emit Unbonded(msg.sender, amount);
        IERC20(salt).safeTransfer(msg.sender, amount);
    }

    /// @inheritdoc IRegistry
    function allowLocker(address locker, bool allowed) external onlyRegistered {
        isLockerAllowed[msg.sender][locker] = allowed;
        emit LockerAllowed(msg.sender, locker, allowed);
    }

    /// @inheritdoc IRegistry
    function lock(address node, bytes32 task, uint128 amount) external {
        if (!isLockerAllowed[node][msg.sender]) revert LockerNotAllowed(node, msg.sender);
        Node storage record = _nodes[node];
        uint256 free = record.bonded - record.locked;
        if (amount > free) revert BondTooLow(node, free, amount);
        record.locked += amount;
        lockedFor[msg.sender][node][task] += amount;
        emit Locked(msg.sender, node, task, amount);
    }

    /// @inheritdoc IRegistry
    function unlock(address node, bytes32 task) external returns (uint256 amount) {
        amount = lockedFor[msg.sender][node][task];
        if (amount == 0) return 0;
        delete lockedFor[msg.sender][node][task];
        // Only `lock` adds, in 128 bits: the cast loses nothing.
        _nodes[node].locked -= uint128(amount);
        emit Unlocked(msg.sender, node, task, amount);
    }

    /// @inheritdoc IRegistry
    function slash(address node, bytes32 task, uint128 amount, address[] calldata beneficiaries) external nonReentrant {
        if (amount == 0) revert ZeroAmount();
        uint256 held = lockedFor[msg.sender][node][task];
        if (amount > held) revert LockTooSmall(node, task, held, amount);
        lockedFor[msg.sender][node][task] = held - amount;

        Node storage record = _nodes[node];
        record.locked -= amount;
        record.bonded -= amount;
        record.slashedTotal += amount;
        record.slashCount += 1;

        uint256 each = beneficiaries.length == 0 ? 0 : (amount / 2) / beneficiaries.length;
        for (uint256 i = 0; i < beneficiaries.length; ++i) {
            rewardOf[beneficiaries[i]] += each;
        }
        uint256 rewarded = each * beneficiaries.length;
        emit Slashed(msg.sender, node, task, amount - rewarded, rewarded);
        ERC20Burnable(salt).burn(amount - rewarded);
    }

    /// @inheritdoc IRegistry
    function withdrawReward() external nonReentrant returns (uint256 amount) {
        amount = rewardOf[msg.sender];
        if (amount == 0) revert NoReward(msg.sender);
        rewardOf[msg.sender] = 0;
        emit RewardWithdrawn(msg.sender, amount);
        IERC20(salt).safeTransfer(msg.sender, amount);
    }

    /// @inheritdoc IRegistry
    function nodeInfo(address node) external view returns (Node memory) {
        return _nodes[node];
    }

    /// @inheritdoc IRegistry
    function resolve(address account) external view returns (address) {
        return _nodes[account].key != address(0) ? account : nodeOf[account];
    }

    /// @inheritdoc IRegistry
    function keyOf(address node) external view returns (address) {
        return _nodes[node].key;
    }

    /// @inheritdoc IRegistry
    function rolesOf(address node) external view returns (uint32) {
        return _nodes[node].roles;
    }

    /// @inheritdoc IRegistry
    function bondOf(address node) external view returns (uint256) {
        return _nodes[node].bonded;
    }

    /// @inheritdoc IRegistry
    function freeBond(address node) external view returns (uint256) {
        return _nodes[node].bonded - _nodes[node].locked;
    }

    function _bond(uint128 amount) private {
        if (amount == 0) revert ZeroAmount();
        _nodes[msg.sender].bonded += amount;
        emit Bonded(msg.sender, amount);
        IERC20(salt).safeTransferFrom(msg.sender, address(this), amount);
    }

    function _takeKey(address key, bytes calldata proof) private {
        if (key == address(0) || _keyUsed[key]) revert KeyAlreadyUsed(key);
        if (key != msg.sender) {
            bytes32 digest = _hashTypedDataV4(keccak256(abi.encode(NODE_KEY_TYPEHASH, msg.sender)));
            if (!SignatureChecker.isValidSignatureNow(key, digest, proof)) revert KeyProofInvalid(key, msg.sender);
        }
        _keyUsed[key] = true;
        nodeOf[key] = msg.sender;
    }
}
