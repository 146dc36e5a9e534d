// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BlockTree} from "./BlockTree.sol";
import {ILifeboatTypes} from "./ILifeboatTypes.sol";

/// @title The entries of a mass exit: how they are written in calldata, and the tree over them
/// @dev Spec section 6.4. An entry is the distance from the position before and an amount. Its leaf also commits to the sum of
/// all amounts before it, so that it has its own place on the line of the token. The tree is that of section 3.1, always whole: what lies past the entries are zeros, which no
/// entry hashes to.
library BatchTree {
    /// @dev What the entries come to.
    struct Sum {
        bytes32 root;
        uint256 count;
        uint256 total;
        uint256 last;
    }

    uint256 private constant MAX_ENTRIES = 1 << 15;
    uint256 private constant MAX_LEVELS = 15;

    function leaf(uint256 position, uint256 amount, uint256 before) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, position)
            mstore(add(free, 32), amount)
            mstore(add(free, 64), before)
            hash := keccak256(free, 96)
        }
    }

    /// @dev Reads every entry once and folds the tree as it goes, one pending node a level: memory does not grow with the batch.
    function read(bytes calldata entries, ILifeboatTypes.EntryFormat calldata format)
        internal
        pure
        returns (Sum memory sum)
    {
        uint256 amountBytes = format.amountBytes;
        uint256 positionBytes = format.positionBytes;
        if (amountBytes == 0 || amountBytes > 16) revert ILifeboatTypes.EntriesMalformed("amountBytes", amountBytes);
        if (positionBytes == 0 || positionBytes > 7) {
            revert ILifeboatTypes.EntriesMalformed("positionBytes", positionBytes);
        }
        uint256 size = positionBytes + amountBytes;
        uint256 count = entries.length / size;
        if (count == 0 || count > MAX_ENTRIES || count * size != entries.length) {
            revert ILifeboatTypes.EntriesMalformed("length", count);
        }
        bytes32[] memory pending = new bytes32[](MAX_LEVELS + 1);
        (sum.total, sum.last) = _readAll(entries, format.base, 8 * positionBytes, 8 * amountBytes, pending);
        sum.root = _close(pending, count);
        sum.count = count;
    }

    /// @dev Assembly: the loop is what a batch costs. Amounts below 2^128 of 2^15 entries do not overflow. `pending` is a binary counter: bit k
    /// of the index set means that a left node waits at level k.
    function _readAll(
        bytes calldata entries,
        uint256 base,
        uint256 positionBits,
        uint256 amountBits,
        bytes32[] memory pending
    ) private pure returns (uint256 total, uint256 last) {
        uint256 index = 0;
        // 1: a position, 2: an amount.
        uint256 malformed = 0;
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            let size := shr(3, add(positionBits, amountBits))
            let positionShift := sub(256, positionBits)
            let amountShift := sub(256, amountBits)
            last := base
            let next := entries.offset
            for { let end := add(next, entries.length) } lt(next, end) { next := add(next, size) } {
                let word := calldataload(next)
                let distance := shr(positionShift, word)
                let amount := shr(amountShift, shl(positionBits, word))
                last := add(last, distance)
                // An output cannot stand twice in a batch.
                if or(iszero(distance), shr(53, last)) {
                    malformed := 1
                    break
                }
                if iszero(amount) {
                    malformed := 2
                    break
                }
                mstore(buffer, last)
                mstore(add(buffer, 32), amount)
                mstore(add(buffer, 64), total)
                let node := keccak256(buffer, 96)
                let slot := add(pending, 32)
                for { let bits := index } and(bits, 1) { bits := shr(1, bits) } {
                    mstore(0, mload(slot))
                    mstore(32, node)
                    node := keccak256(0, 64)
                    slot := add(slot, 32)
                }
                mstore(slot, node)
                total := add(total, amount)
                index := add(index, 1)
            }
        }
        if (malformed != 0) {
            revert ILifeboatTypes.EntriesMalformed(malformed == 1 ? bytes32("position") : bytes32("amount"), index);
        }
    }

    /// @dev Pads with zero subtrees up to the whole tree.
    function _close(bytes32[] memory pending, uint256 count) private pure returns (bytes32 node) {
        uint256 height = 0;
        while (1 << height < count) height++;
        if (1 << height == count) return pending[height];
        bytes32 zero = 0;
        bool carried = false;
        for (uint256 level = 0; level < height; level++) {
            bool waits = (count >> level) & 1 == 1;
            if (waits) node = BlockTree.hashPair(pending[level], carried ? node : zero);
            else if (carried) node = BlockTree.hashPair(node, zero);
            carried = carried || waits;
            zero = BlockTree.hashPair(zero, zero);
        }
    }

    /// @dev True if and only if the leaf stands at `index` of a tree of `count` leaves with this root, as in BlockTree. `picks`: for each
    /// sibling from the leaf up, zero subtrees left out, 2 bytes that say which of `nodes` it is: proofs of one call share what they have in
    /// common. A pick past the nodes reads other calldata, which is as good as any sibling: the root decides.
    function isIncluded(
        bytes32 leaf_,
        uint256 index,
        uint256 count,
        bytes32 root,
        bytes32[] calldata nodes,
        bytes calldata picks
    ) internal pure returns (bool included) {
        if (index >= count) return false;
        if (count & (count - 1) == 0) {
            return picks.length & 1 == 0 && 1 << (picks.length >> 1) == count
                && _foldFull(leaf_, index, nodes, picks) == root;
        }
        assembly ("memory-safe") {
            let node := leaf_
            let next := picks.offset
            let end := add(next, picks.length)
            let zero := 0
            let zeroLevel := 0
            let level := 0
            for { let last := sub(count, 1) } last { last := shr(1, last) } {
                let side := shl(5, and(index, 1))
                switch gt(xor(index, 1), last)
                case 0 {
                    // Past the picks' end this reads other calldata; their count is compared below.
                    let pick := shr(240, calldataload(next))
                    mstore(side, node)
                    mstore(xor(side, 32), calldataload(add(nodes.offset, shl(5, pick))))
                    next := add(next, 2)
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
            included := and(eq(next, end), eq(node, root))
        }
    }

    /// @dev The same for an entry of a batch.
    function isEntry(
        bytes32 leaf_,
        uint256 index,
        uint256 count,
        bytes32 root,
        bytes32[] calldata nodes,
        bytes calldata picks
    ) internal pure returns (bool) {
        uint256 levels = picks.length >> 1;
        bool fits = index < count && picks.length & 1 == 0 && 1 << levels >= count && (levels == 0 || 1 << (levels - 1) < count);
        return fits && _foldFull(leaf_, index, nodes, picks) == root;
    }

    function _foldFull(bytes32 leaf_, uint256 index, bytes32[] calldata nodes, bytes calldata picks)
        private
        pure
        returns (bytes32 node)
    {
        assembly ("memory-safe") {
            node := leaf_
            let next := picks.offset
            for { let end := add(next, picks.length) } lt(next, end) { next := add(next, 2) } {
                let side := shl(5, and(index, 1))
                mstore(side, node)
                mstore(xor(side, 32), calldataload(add(nodes.offset, shl(5, shr(240, calldataload(next))))))
                node := keccak256(0, 64)
                index := shr(1, index)
            }
        }
    }
}
