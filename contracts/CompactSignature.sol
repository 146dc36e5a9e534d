// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title EIP-2098 compact secp256k1 signatures
/// @dev Spec section 2.2: 64 bytes, low s, one encoding. Anything else recovers to the zero address, which owns nothing.
library CompactSignature {
    uint256 private constant HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;

    function recover(bytes32 digest, bytes calldata signature) internal pure returns (address) {
        return signature.length == 64 ? recoverAt(digest, signature, 0) : address(0);
    }

    /// @dev The `index`-th of several signatures back to back. Assembly: a slice of calldata is checked three times, 200 gas.
    function recoverAt(bytes32 digest, bytes calldata signatures, uint256 index) internal pure returns (address) {
        if (index >= signatures.length / 64) return address(0);
        bytes32 r;
        uint256 vs;
        assembly ("memory-safe") {
            let offset := add(signatures.offset, mul(index, 64))
            r := calldataload(offset)
            vs := calldataload(add(offset, 32))
        }
        uint256 s = vs & (type(uint256).max >> 1);
        if (s > HALF_ORDER) return address(0);
        return ecrecover(digest, uint8(27 + (vs >> 255)), r, bytes32(s));
    }
}
