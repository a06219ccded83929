// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Philox4x32-10: random words as a function of key and counter (E-14).
/// @dev Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (SC 2011).
library Philox {
    /// @param key Words w0, w1, w2 of E-14, w0 on top.
    /// @return Word `index` of the step for this purpose.
    function word(uint96 key, uint256 purpose, uint256 step, uint256 index) internal pure returns (uint256) {
        unchecked {
            uint256[4] memory c = [uint256(uint32(index >> 2)), uint256(uint32(step)), purpose, uint256(uint32(key))];
            (uint256 k0, uint256 k1) = (key >> 64, uint32(key >> 32));
            for (uint256 round = 0; round < 10; ++round) {
                (uint256 p, uint256 q) = (0xd2511f53 * c[0], 0xcd9e8d57 * c[2]);
                c = [(q >> 32) ^ c[1] ^ k0, uint32(q), (p >> 32) ^ c[3] ^ k1, uint32(p)];
                k0 = uint32(k0 + 0x9e3779b9);
                k1 = uint32(k1 + 0xbb67ae85);
            }
            return c[index & 3];
        }
    }
}
