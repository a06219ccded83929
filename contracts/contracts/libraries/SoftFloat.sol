// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IEEE-754 binary32 in integers: what a machine computes, to the bit (E-01, D-10).
/// @notice A number is its 32 bits in the low end of a word. Every operation rounds once, to nearest, ties to even; subnormals, signed
/// zeros and infinities are kept; every NaN that comes out is 0x7fc00000, whatever went in.
/// @dev Method: a finite number is m · 2^(e − 150), m below 2^24 and e at least 1. A word of 256 bits holds the exact product, sum or a
/// long enough quotient or root, whose last bit says that something was left over; `round` does the rest. About 500 gas an operation.
/// @dev Warning: arguments must be below 2^32.
library SoftFloat {
    uint256 internal constant NAN = 0x7fc00000;
    uint256 internal constant INFINITY = 0x7f800000;
    uint256 internal constant MINUS_INFINITY = 0xff800000;
    uint256 private constant SIGN = 0x80000000;
    uint256 private constant MAGNITUDE = 0x7fffffff;

    function isNaN(uint256 a) internal pure returns (bool) {
        return a & MAGNITUDE > INFINITY;
    }

    /// @return The same word, or the one NaN for any NaN.
    function canonical(uint256 a) internal pure returns (uint256) {
        return isNaN(a) ? NAN : a;
    }

    function add(uint256 a, uint256 b) internal pure returns (uint256) {
        unchecked {
            (uint256 x, uint256 y) = (a & MAGNITUDE, b & MAGNITUDE);
            if (x < y) (a, b, x, y) = (b, a, y, x);
            // The larger magnitude is first, so it is the one that is infinite or NaN if any is.
            if (x >= INFINITY) {
                if (x > INFINITY || (y == INFINITY && a != b)) return NAN;
                return a;
            }
            (uint256 m, uint256 e) = _split(x);
            (uint256 n, uint256 f) = _split(y);
            uint256 apart = e - f;
            m <<= 64;
            // Further apart than 64 the smaller one is less than a quarter of the last place: that it is not nothing is all that counts.
            n = apart <= 64 ? n << (64 - apart) : (n == 0 ? 0 : 1);
            m = (a ^ b) & SIGN == 0 ? m + n : m - n;
            // Nothing is +0, but for −0 + −0.
            if (m == 0) return a & b & SIGN;
            return round(a & SIGN, m, int256(e) - 64);
        }
    }

    function subtract(uint256 a, uint256 b) internal pure returns (uint256) {
        return add(a, b ^ SIGN);
    }

    function multiply(uint256 a, uint256 b) internal pure returns (uint256) {
        unchecked {
            (uint256 x, uint256 y) = (a & MAGNITUDE, b & MAGNITUDE);
            uint256 sign = (a ^ b) & SIGN;
            if (x >= INFINITY || y >= INFINITY) {
                if (x > INFINITY || y > INFINITY || x == 0 || y == 0) return NAN;
                return sign | INFINITY;
            }
            if (x == 0 || y == 0) return sign;
            (uint256 m, uint256 e) = _split(x);
            (uint256 n, uint256 f) = _split(y);
            return round(sign, m * n, int256(e + f) - 150);
        }
    }

    function divide(uint256 a, uint256 b) internal pure returns (uint256) {
        unchecked {
            (uint256 x, uint256 y) = (a & MAGNITUDE, b & MAGNITUDE);
            uint256 sign = (a ^ b) & SIGN;
            if (x > INFINITY || y > INFINITY) return NAN;
            if (x == INFINITY) return y == INFINITY ? NAN : sign | INFINITY;
            if (y == INFINITY) return sign;
            if (y == 0) return x == 0 ? NAN : sign | INFINITY;
            if (x == 0) return sign;
            (uint256 m, uint256 e) = _split(x);
            (uint256 n, uint256 f) = _split(y);
            m <<= 64;
            uint256 q = m / n;
            // At least 41 bits: the last one is far below the place that is rounded.
            if (q * n != m) q |= 1;
            return round(sign, q, int256(e) - int256(f) + 86);
        }
    }

    function sqrt(uint256 a) internal pure returns (uint256) {
        unchecked {
            uint256 x = a & MAGNITUDE;
            // Both zeros are their own root.
            if (x == 0) return a;
            if (x > INFINITY || a & SIGN != 0) return NAN;
            if (x == INFINITY) return a;
            (uint256 m, uint256 e) = _split(x);
            // An even exponent for the root to halve.
            uint256 shift = 100 + (e & 1);
            m <<= shift;
            uint256 root = _integerSqrt(m);
            uint256 sticky = root * root == m ? 0 : 1;
            return round(0, root | sticky, (int256(e) - 150 - int256(shift)) / 2 + 150);
        }
    }

    function negate(uint256 a) internal pure returns (uint256) {
        return isNaN(a) ? NAN : a ^ SIGN;
    }

    function absolute(uint256 a) internal pure returns (uint256) {
        return isNaN(a) ? NAN : a & MAGNITUDE;
    }

    /// @return 1 or 0; 0 when a side is NaN.
    function less(uint256 a, uint256 b) internal pure returns (uint256) {
        if (isNaN(a) || isNaN(b)) return 0;
        return _ordered(a) < _ordered(b) ? 1 : 0;
    }

    /// @return 1 or 0; 0 when a side is NaN.
    function lessOrEqual(uint256 a, uint256 b) internal pure returns (uint256) {
        if (isNaN(a) || isNaN(b)) return 0;
        return _ordered(a) <= _ordered(b) ? 1 : 0;
    }

    /// @return 1 or 0; 0 when a side is NaN. The two zeros are equal.
    function equal(uint256 a, uint256 b) internal pure returns (uint256) {
        if (isNaN(a) || isNaN(b)) return 0;
        return _ordered(a) == _ordered(b) ? 1 : 0;
    }

    /// @param a A signed 32-bit integer as a word.
    function fromInteger(uint256 a) internal pure returns (uint256) {
        unchecked {
            if (a == 0) return 0;
            return a & SIGN == 0 ? round(0, a, 150) : round(SIGN, 0x100000000 - a, 150);
        }
    }

    /// @notice The number sign · m · 2^(e − 150), rounded.
    /// @param sign 0 or 2^31.
    /// @param m Above 0, below 2^128.
    /// @param e Between −250 and 500.
    function round(uint256 sign, uint256 m, int256 e) internal pure returns (uint256 bits) {
        unchecked {
            // Places to drop, so that 24 bits stay; more when the number is subnormal.
            int256 drop = int256(_highestBit(m)) - 23;
            e += drop;
            if (e < 1) {
                drop += 1 - e;
                e = 1;
            }
            if (drop > 0) {
                uint256 n = uint256(drop);
                m = (m + (1 << (n - 1)) - 1 + ((m >> n) & 1)) >> n;
            } else {
                m <<= uint256(-drop);
            }
            // The leading bit of m adds 1 to an exponent that is one too low; a subnormal has none; a carry out of m is right as well.
            bits = (uint256(e - 1) << 23) + m;
            if (bits > INFINITY) bits = INFINITY;
            bits |= sign;
        }
    }

    /// A finite magnitude as m · 2^(e − 150).
    function _split(uint256 x) private pure returns (uint256 m, uint256 e) {
        unchecked {
            e = x >> 23;
            if (e == 0) return (x, 1);
            m = (x & 0x7fffff) | 0x800000;
        }
    }

    /// Numbers in their order, both zeros at 0.
    function _ordered(uint256 a) private pure returns (int256) {
        unchecked {
            return a & SIGN == 0 ? int256(a) : -int256(a & MAGNITUDE);
        }
    }

    /// Position of the highest bit of a number in 1 … 2^128 − 1, by halving.
    function _highestBit(uint256 x) private pure returns (uint256 r) {
        assembly ("memory-safe") {
            r := shl(6, lt(0xffffffffffffffff, x))
            r := or(r, shl(5, lt(0xffffffff, shr(r, x))))
            r := or(r, shl(4, lt(0xffff, shr(r, x))))
            r := or(r, shl(3, lt(0xff, shr(r, x))))
            r := or(r, shl(2, lt(0xf, shr(r, x))))
            // The last four bits by a table of 16 bytes.
            r := or(r, byte(add(16, shr(r, x)), 0x00000101020202020303030303030303))
        }
    }

    /// Newton's steps from above: the error of the first guess is at most 1 and is squared and halved by each, so seven suffice for 64 bits.
    function _integerSqrt(uint256 x) private pure returns (uint256 r) {
        unchecked {
            r = 1 << ((_highestBit(x) >> 1) + 1);
            r = (r + x / r) >> 1;
            r = (r + x / r) >> 1;
            r = (r + x / r) >> 1;
            r = (r + x / r) >> 1;
            r = (r + x / r) >> 1;
            r = (r + x / r) >> 1;
            r = (r + x / r) >> 1;
            if (r > x / r) r = x / r;
        }
    }
}
