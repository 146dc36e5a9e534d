// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title EIP-2098 compact secp256k1 signatures
/// @dev Spec section 2.2: 64 bytes, low s, one encoding. Anything else recovers to the zero address, which owns nothing.
library CompactSignature {
    uint256 private constant HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;

    function recover(bytes32 digest, bytes calldata signature) internal pure returns (address) {
        if (signature.length != 64) return address(0);
        bytes32 r = bytes32(signature[0:32]);
        uint256 vs = uint256(bytes32(signature[32:64]));
        uint256 s = vs & (type(uint256).max >> 1);
        if (s > HALF_ORDER) return address(0);
        return ecrecover(digest, uint8(27 + (vs >> 255)), r, bytes32(s));
    }
}
