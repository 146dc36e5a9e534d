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

    /// @dev The same for a whole subtree: `index` counts subtrees of 2^level leaves.
    function isSubtree(
        bytes32 node,
        uint256 index,
        uint256 level,
        uint256 txCount,
        bytes32 root,
        bytes32[] calldata path
    ) internal pure returns (bool) {
        if (level == 0) return isIncluded(node, index, txCount, root, path);
        uint256 used = 0;
        bytes32 zero = zeroSubtree(level);
        for (uint256 last = (txCount - 1) >> level; last != 0; last >>= 1) {
            bytes32 sibling = zero;
            if (index ^ 1 <= last) {
                if (used == path.length) return false;
                sibling = path[used++];
            }
            node = index & 1 == 0 ? hashPair(node, sibling) : hashPair(sibling, node);
            zero = hashPair(zero, zero);
            index >>= 1;
        }
        return used == path.length && node == root;
    }

    /// @dev The root of a subtree of 2^level leaves of which the first `nodes.length` exist. Overwrites `nodes`.
    function foldSubtree(bytes32[] memory nodes, uint256 level) internal pure returns (bytes32) {
        uint256 count = nodes.length;
        bytes32 zero = 0;
        for (uint256 i = 0; i < level; i++) {
            for (uint256 k = 0; k < count; k += 2) {
                nodes[k / 2] = hashPair(nodes[k], k + 1 < count ? nodes[k + 1] : zero);
            }
            count = (count + 1) / 2;
            zero = hashPair(zero, zero);
        }
        return nodes[0];
    }

    function zeroSubtree(uint256 level) internal pure returns (bytes32 zero) {
        for (uint256 i = 0; i < level; i++) zero = hashPair(zero, zero);
    }

    function hashPair(bytes32 left, bytes32 right) internal pure returns (bytes32 node) {
        assembly ("memory-safe") {
            mstore(0, left)
            mstore(32, right)
            node := keccak256(0, 64)
        }
    }
}
