// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Draws the witnesses that attest a round.
library Committee {
    /// @notice `size` distinct positions below `n`, or all in order when there are no more than that (C-06).
    /// @dev Member i starts at keccak256(seed || uint32(i)) mod n and moves up, round the end, past those already drawn. Moving up favours
    /// whoever stands behind a drawn one a little; with n <= 256 the used ones fit in one word.
    function draw(bytes32 seed, uint256 n, uint256 size) internal pure returns (uint256[] memory members) {
        if (n <= size) {
            members = new uint256[](n);
            for (uint256 i = 0; i < n; ++i) {
                members[i] = i;
            }
            return members;
        }
        members = new uint256[](size);
        uint256 used = 0;
        for (uint256 i = 0; i < size; ++i) {
            uint256 pick = uint256(keccak256(abi.encodePacked(seed, uint32(i)))) % n;
            while ((used >> pick) & 1 == 1) {
                pick = pick + 1 == n ? 0 : pick + 1;
            }
            used |= 1 << pick;
            members[i] = pick;
        }
    }
}
