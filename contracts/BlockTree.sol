// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Membership in a block's tree
/// @dev Spec section 3. The tree has exactly ceil(log2 txCount) levels. A sibling that lies wholly at index >= txCount is the zero
/// subtree of its level and is never taken from the path: padding cannot carry anything, and a proof has one encoding.
library BlockTree {
    /// @dev Assembly: bounds checks and fresh memory at each level cost 300 gas a level, 5,000 a path.
    function isIncluded(bytes32 leaf, uint256 index, uint256 txCount, bytes32 root, bytes32[] calldata path)
        internal
        pure
        returns (bool)
    {
        if (index >= txCount) return false;
        // A tree whose size is a power of two has no padding.
        if (txCount & (txCount - 1) == 0) {
            return 1 << path.length == txCount && _foldFull(leaf, index, path) == root;
        }
        return _isInPadded(leaf, index, txCount, root, path);
    }

    function _foldFull(bytes32 leaf, uint256 index, bytes32[] calldata path) private pure returns (bytes32 node) {
        assembly ("memory-safe") {
            node := leaf
            let next := path.offset
            for { let end := add(next, shl(5, path.length)) } lt(next, end) { next := add(next, 32) } {
                let side := shl(5, and(index, 1))
                mstore(side, node)
                mstore(xor(side, 32), calldataload(next))
                node := keccak256(0, 64)
                index := shr(1, index)
            }
        }
    }

    function _isInPadded(bytes32 leaf, uint256 index, uint256 txCount, bytes32 root, bytes32[] calldata path)
        private
        pure
        returns (bool included)
    {
        assembly ("memory-safe") {
            let node := leaf
            let next := path.offset
            let zero := 0
            let zeroLevel := 0
            let level := 0
            for { let last := sub(txCount, 1) } last { last := shr(1, last) } {
                let side := shl(5, and(index, 1))
                mstore(side, node)
                switch gt(xor(index, 1), last)
                case 0 {
                    // Past the path's end this reads other calldata; the count is compared below.
                    mstore(xor(side, 32), calldataload(next))
                    next := add(next, 32)
                }
                default {
                    for {} lt(zeroLevel, level) { zeroLevel := add(zeroLevel, 1) } {
                        mstore(0, zero)
                        mstore(32, zero)
                        zero := keccak256(0, 64)
                    }
                    mstore(0, node)
                    mstore(32, zero)
                }
                node := keccak256(0, 64)
                index := shr(1, index)
                level := add(level, 1)
            }
            included := and(eq(next, add(path.offset, shl(5, path.length))), eq(node, root))
        }
    }
}
