// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// The cheat codes of the test machine that these tests use.
interface Vm {
    function prank(address sender) external;
    function warp(uint256 second) external;
    function roll(uint256 number) external;
    function sign(uint256 key, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function addr(uint256 key) external pure returns (address);
    function getCode(string calldata name) external view returns (bytes memory);
}

Vm constant vm = Vm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);

/// @return A number from `low` to `high`, both included, spread over them by `seed`.
function within(uint256 seed, uint256 low, uint256 high) pure returns (uint256) {
    return low + seed % (high - low + 1);
}

/// Deploys a contract from its own artifact, so that the test runs the very code that is released.
function deployArtifact(string memory name, bytes memory args) returns (address made) {
    bytes memory code = abi.encodePacked(vm.getCode(name), args);
    assembly ("memory-safe") {
        made := create(0, add(code, 32), mload(code))
    }
    require(made != address(0), name);
}
