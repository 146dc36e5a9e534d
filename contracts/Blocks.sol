// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AnchorHash} from "./AnchorHash.sol";
import {BlockRecord} from "./BlockRecord.sol";
import {BondFee} from "./BondFee.sol";
import {Hashing} from "./Hashing.sol";
import {Head} from "./Head.sol";

/// @title Submission of child blocks
/// @dev Spec sections 3 and 8.1.
abstract contract Blocks is BondFee {
    using BlockRecord for uint256;
    using Head for uint256;

    uint256 private constant BLOCK_LIMIT = 1 << 28;

    uint32 internal immutable ANCHOR_AGE_BLOCKS;
    uint32 internal immutable MAX_BLOCK_TXS;

    constructor(Parameters memory p, address firstOperator) {
        ANCHOR_AGE_BLOCKS = p.anchorAgeBlocks;
        MAX_BLOCK_TXS = p.maxBlockTxs;
        _operator = firstOperator;
        _wasOperator[firstOperator] = true;
        _head = uint256(0).withSubmission(0, block.timestamp, block.number, 0).withOperator(firstOperator);
        emit OperatorRotated(firstOperator);
    }

    function submitBlocks(uint256 firstBlock, Commitment[] calldata commitments, bytes32 anchorHash) external {
        uint256 h = _head;
        if (!h.isOpen()) {
            _requireLive(h);
            revert NotBonded();
        }
        if (!h.isOperator(msg.sender)) revert NotOperator(msg.sender, _operator);
        if (firstBlock != h.newest() + 1) revert BlockUnexpected(firstBlock, h.newest() + 1);
        if (commitments.length == 0) revert NothingToDo();
        uint256 anchor = h.newestAnchor();
        uint256 end;
        // Block numbers have 28 bits and the calldata's length bounds the rest: nothing here overflows.
        unchecked {
            if (uint256(commitments[0].anchor) + ANCHOR_AGE_BLOCKS < block.number) {
                revert AnchorTooOld(commitments[0].anchor, block.number - ANCHOR_AGE_BLOCKS);
            }
            end = firstBlock + commitments.length;
            if (end > BLOCK_LIMIT) revert CommitmentMalformed(end - 1);
            for (uint256 i = 0; i < commitments.length; i++) {
                anchor = _commit(firstBlock + i, commitments[i], anchor);
            }
        }
        _requireCanonical(anchor, anchorHash);
        _head = h.withSubmission(end - 1, block.timestamp, anchor, _nextSlowFee(h));
        _emitSubmitted(firstBlock, commitments);
    }

    /// @return The block's anchor, for the next one to be compared with.
    function _commit(uint256 number, Commitment calldata c, uint256 previousAnchor) private returns (uint256) {
        (bytes32 root, uint256 txCount, uint256 anchor) = (c.root, c.txCount, c.anchor);
        if (txCount > MAX_BLOCK_TXS || (txCount == 0) != (root == 0)) revert CommitmentMalformed(number);
        if (anchor < previousAnchor) revert AnchorWentBack(anchor, previousAnchor);
        _blocks[number] = BlockRecord.ofHeader(Hashing.header(root, block.timestamp, txCount, anchor));
        return anchor;
    }

    /// @dev emit BlocksSubmitted(firstBlock, commitments). Assembly: their words are checked by now and are their own encoding.
    function _emitSubmitted(uint256 firstBlock, Commitment[] calldata commitments) private {
        bytes32 topic = BlocksSubmitted.selector;
        assembly ("memory-safe") {
            let free := mload(0x40)
            let size := mul(commitments.length, 96)
            mstore(free, 32)
            mstore(add(free, 32), commitments.length)
            calldatacopy(add(free, 64), commitments.offset, size)
            log2(free, add(size, 64), topic, firstBlock)
        }
    }

    function _requireCanonical(uint256 anchor, bytes32 want) private view {
        if (anchor >= block.number) revert AnchorNotMined(anchor, block.number - 1);
        bytes32 canonical = AnchorHash.read(anchor);
        if (canonical == 0 || canonical != want) revert AnchorNotCanonical(anchor, want, canonical);
    }

    /// @dev The greatest base fee seen at a submission, halving every day since (spec 8.2). In gwei, rounded up, 32 bits.
    function _nextSlowFee(uint256 h) private view returns (uint256 next) {
        next = _gwei(block.basefee);
        if (next < h.slowFeeGwei()) {
            uint256 decayed = _decayed(h.slowFeeGwei(), block.timestamp - h.newestTime());
            if (decayed > next) next = decayed;
        }
        if (next > type(uint32).max) next = type(uint32).max;
    }
}
