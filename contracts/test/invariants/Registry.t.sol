// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRegistry} from "../../contracts/interfaces/IRegistry.sol";
import {Registry} from "../../contracts/Registry.sol";
import {Salt} from "../../contracts/Salt.sol";
import {vm, within} from "../support/Vm.sol";

/// Four nodes that bond and unbond, and this contract as the locker of all of them.
contract RegistryHandler {
    Registry public immutable registry;
    Salt public immutable salt;
    address[] public nodes;
    uint256 public slashed;
    uint256 public rewarded;

    uint256 private constant TASKS = 3;

    constructor() {
        address[] memory holders = new address[](1);
        uint256[] memory amounts = new uint256[](1);
        (holders[0], amounts[0]) = (address(this), 1e30);
        salt = new Salt(holders, amounts);
        registry = new Registry(address(salt), 1 days);
        for (uint256 i = 0; i < 4; ++i) {
            address node = vm.addr(i + 1);
            nodes.push(node);
            salt.transfer(node, 1e28);
            vm.prank(node);
            salt.approve(address(registry), type(uint256).max);
            vm.prank(node);
            registry.register(node, 1, "", "");
            vm.prank(node);
            registry.allowLocker(address(this), true);
        }
    }

    function bond(uint256 who, uint256 amount) external {
        address node = nodes[who % 4];
        amount = within(amount, 1, 1e24);
        if (salt.balanceOf(node) < amount) return;
        vm.prank(node);
        registry.bond(uint128(amount));
    }

    function startUnbond(uint256 who, uint256 amount) external {
        address node = nodes[who % 4];
        uint256 free = registry.freeBond(node);
        if (free == 0) return;
        vm.prank(node);
        registry.startUnbond(uint128(within(amount, 1, free)));
    }

    function withdrawUnbonded(uint256 who, uint256 wait) external {
        address node = nodes[who % 4];
        IRegistry.Node memory info = registry.nodeInfo(node);
        if (info.unbonding == 0) return;
        vm.warp(within(wait, info.unbondAt, info.unbondAt + 1 days));
        vm.prank(node);
        registry.withdrawUnbonded();
    }

    function lock(uint256 who, uint256 task, uint256 amount) external {
        uint256 free = registry.freeBond(nodes[who % 4]);
        registry.lock(nodes[who % 4], bytes32(task % TASKS), uint128(within(amount, 0, free)));
    }

    function unlock(uint256 who, uint256 task) external {
        registry.unlock(nodes[who % 4], bytes32(task % TASKS));
    }

    function slash(uint256 who, uint256 task, uint256 amount, uint256 accusers) external {
        address node = nodes[who % 4];
        uint256 held = registry.lockedFor(address(this), node, bytes32(task % TASKS));
        if (held == 0) return;
        amount = within(amount, 1, held);
        address[] memory beneficiaries = new address[](accusers % 4);
        for (uint256 i = 0; i < beneficiaries.length; ++i) {
            beneficiaries[i] = nodes[i];
        }
        uint256 supply = salt.totalSupply();
        registry.slash(node, bytes32(task % TASKS), uint128(amount), beneficiaries);
        slashed += amount;
        rewarded += amount - (supply - salt.totalSupply());
    }

    function withdrawReward(uint256 who) external {
        address node = nodes[who % 4];
        if (registry.rewardOf(node) == 0) return;
        vm.prank(node);
        registry.withdrawReward();
    }

    function lockedSum(address node) external view returns (uint256 sum) {
        for (uint256 task = 0; task < TASKS; ++task) {
            sum += registry.lockedFor(address(this), node, bytes32(task));
        }
    }
}

/// [C-10] [C-12] [C-13]
contract RegistryInvariants {
    RegistryHandler private _handler;

    function setUp() external {
        _handler = new RegistryHandler();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    /// [C-10]
    function invariant_saltHeldIsBondsAndUnbondingAndRewards() external view {
        Registry registry = _handler.registry();
        uint256 sum = 0;
        for (uint256 i = 0; i < 4; ++i) {
            IRegistry.Node memory info = registry.nodeInfo(_handler.nodes(i));
            sum += uint256(info.bonded) + info.unbonding + registry.rewardOf(_handler.nodes(i));
        }
        require(_handler.salt().balanceOf(address(registry)) == sum, "conservation");
    }

    /// [C-13]
    function invariant_whatIsLockedIsBondedAndAccountedFor() external view {
        for (uint256 i = 0; i < 4; ++i) {
            IRegistry.Node memory info = _handler.registry().nodeInfo(_handler.nodes(i));
            require(info.locked <= info.bonded, "locked beyond the bond");
            require(info.locked == _handler.lockedSum(_handler.nodes(i)), "locks do not add up");
        }
    }

    /// [C-12]
    function invariant_atLeastHalfOfWhatIsSlashedIsBurned() external view {
        require(_handler.rewarded() * 2 <= _handler.slashed(), "less than half burned");
    }
}
