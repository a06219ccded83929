// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// What a node does, as bits.
library Roles {
    uint32 internal constant WORKER = 1;
    uint32 internal constant VALIDATOR = 2;
    uint32 internal constant WITNESS = 4;
    uint32 internal constant KEEPER = 8;
    uint32 internal constant GATEWAY = 16;
    uint32 internal constant OWNER = 32;
    uint32 internal constant PROVIDER = 64;
}
