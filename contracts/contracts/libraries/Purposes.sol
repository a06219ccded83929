// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// What a licence allows, as bits.
library Purposes {
    uint32 internal constant TRAIN = 1;
    uint32 internal constant EVALUATE = 2;
    uint32 internal constant DERIVE = 4;
    uint32 internal constant SERVE = 8;
    uint32 internal constant COMMERCIAL = 16;
}
