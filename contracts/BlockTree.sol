// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Membership in a block's tree
/// @dev Spec section 3. The tree has exactly ceil(log2 txCount) levels. A sibling that lies wholly at index >= txCount is the zero
/// subtree of its level and is never taken from the path: padding cannot carry anything, and a proof has one encoding.
library BlockTree {
    function isIncluded(bytes32 leaf, uint256 index, uint256 txCount, bytes32 root, bytes32[] calldata path)
        internal
        pure
        returns (bool)
    {
        if (index >= txCount) return false;
        bytes32 node = leaf;
        bytes32 zero;
        uint256 zeroLevel = 0;
        uint256 used = 0;
        uint256 level = 0;
        for (uint256 last = txCount - 1; last > 0; last >>= 1) {
            bytes32 sibling;
            if (index ^ 1 <= last) {
                if (used == path.length) return false;
                sibling = path[used++];
            } else {
                for (; zeroLevel < level; zeroLevel++) {
                    zero = _pair(zero, zero);
                }
                sibling = zero;
            }
            node = index & 1 == 0 ? _pair(node, sibling) : _pair(sibling, node);
            index >>= 1;
            level++;
        }
        return used == path.length && node == root;
    }

    /// @dev Assembly: keccak256(abi.encode(left, right)) allocates fresh memory at each of up to 16 levels, about 1,500 gas a path.
    function _pair(bytes32 left, bytes32 right) private pure returns (bytes32 parent) {
        assembly ("memory-safe") {
            mstore(0, left)
            mstore(32, right)
            parent := keccak256(0, 64)
        }
    }
}
