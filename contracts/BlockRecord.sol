// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title The one slot that L1 keeps of a child block
/// @dev Spec section 9.1. From the top: 200 bits of the header's hash; 1 bit "a transaction of this block was proven invalid", so that
/// the mapping of them is read for such blocks only; 23 bits number of young exits; 32 bits next block with young exits.
library BlockRecord {
    uint256 private constant CLEAR_BITS = 56;
    uint256 private constant INVALID = 1 << 55;
    uint256 private constant COUNT = 32;
    uint256 private constant COUNT_MASK = (1 << 23) - 1;
    uint256 private constant NEXT_MASK = type(uint32).max;

    function ofHeader(bytes32 hash) internal pure returns (uint256) {
        return uint256(hash) >> CLEAR_BITS << CLEAR_BITS;
    }

    function isOfHeader(uint256 record, bytes32 hash) internal pure returns (bool) {
        return record >> CLEAR_BITS == uint256(hash) >> CLEAR_BITS;
    }

    function headerHash(uint256 record) internal pure returns (bytes25) {
        return bytes25(bytes32(record));
    }

    function hasInvalid(uint256 record) internal pure returns (bool) {
        return record & INVALID != 0;
    }

    function withInvalid(uint256 record) internal pure returns (uint256) {
        return record | INVALID;
    }

    function youngCount(uint256 record) internal pure returns (uint24) {
        return uint24((record >> COUNT) & COUNT_MASK);
    }

    /// @dev A block has at most 2^20 outputs, so the count has room.
    function withYoungExit(uint256 record) internal pure returns (uint256) {
        return record + (1 << COUNT);
    }

    function youngNext(uint256 record) internal pure returns (uint32) {
        return uint32(record);
    }

    function withYoungNext(uint256 record, uint32 next) internal pure returns (uint256) {
        return (record & ~NEXT_MASK) | next;
    }
}
