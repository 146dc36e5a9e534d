// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Hashing} from "./Hashing.sol";
import {LifeboatBase} from "./LifeboatBase.sol";

/// @title Submission of child blocks, and the operator's key
/// @dev Spec sections 3 and 8.1.
abstract contract Blocks is LifeboatBase {
    /// @dev EIP-2935: serves the hashes of the last 8,191 blocks.
    address private constant BLOCK_HASHES = 0x0000F90827F1C53a10cb7A02335B175320002935;
    uint256 private constant BLOCK_LIMIT = 1 << 28;

    uint32 internal immutable ANCHOR_AGE_BLOCKS;
    uint32 internal immutable MAX_BLOCK_TXS;

    constructor(Parameters memory p, address firstOperator) {
        ANCHOR_AGE_BLOCKS = p.anchorAgeBlocks;
        MAX_BLOCK_TXS = p.maxBlockTxs;
        _operator = firstOperator;
        _head.newestTime = uint40(block.timestamp);
        _head.newestAnchor = uint32(block.number);
        emit OperatorRotated(firstOperator);
    }

    function submitBlocks(uint32 firstBlock, Commitment[] calldata commitments, bytes32 anchorHash) external {
        if (msg.sender != _operator) revert NotOperator(msg.sender, _operator);
        Head memory h = _head;
        if (h.voidFrom != 0) revert ChainHalted(h.voidFrom);
        if (firstBlock != h.newest + 1) revert BlockUnexpected(firstBlock, h.newest + 1);
        if (commitments.length == 0) revert NothingToDo();
        if (commitments[0].anchor + ANCHOR_AGE_BLOCKS < block.number) {
            revert AnchorTooOld(commitments[0].anchor, block.number - ANCHOR_AGE_BLOCKS);
        }
        for (uint256 i = 0; i < commitments.length; i++) {
            Commitment calldata c = commitments[i];
            uint256 number = firstBlock + i;
            if (c.txCount > MAX_BLOCK_TXS || (c.txCount == 0) != (c.root == 0) || number >= BLOCK_LIMIT) {
                revert CommitmentMalformed(number);
            }
            if (c.anchor < h.newestAnchor) revert AnchorWentBack(c.anchor, h.newestAnchor);
            h.newestAnchor = c.anchor;
            _blocks[number].headerHash = Hashing.header(Header(c.root, uint40(block.timestamp), c.txCount, c.anchor));
        }
        _requireCanonical(h.newestAnchor, anchorHash);
        h.slowFeeGwei = uint32(_nextSlowFee(h));
        h.newest = uint32(firstBlock + commitments.length - 1);
        h.newestTime = uint40(block.timestamp);
        h.depositCount = 0;
        _head = h;
        emit BlocksSubmitted(firstBlock, uint40(block.timestamp), commitments);
    }

    function nominateOperator(address nominee) external {
        if (msg.sender != _operator) revert NotOperator(msg.sender, _operator);
        _nominee = nominee;
        emit OperatorNominated(nominee);
    }

    function acceptOperator() external {
        if (msg.sender != _nominee) revert NotOperator(msg.sender, _nominee);
        _operator = msg.sender;
        delete _nominee;
        emit OperatorRotated(msg.sender);
    }

    function operator() external view returns (address) {
        return _operator;
    }

    function blockRecord(uint256 blockNumber) external view returns (bytes25, uint24, uint32) {
        BlockRecord storage b = _blocks[blockNumber];
        return (b.headerHash, b.youngCount, b.youngNext);
    }

    /// @dev BLOCKHASH knows 256 blocks and costs 20 gas; EIP-2935 knows 8,191 and costs about 5,000.
    function _requireCanonical(uint256 anchor, bytes32 want) private view {
        if (anchor >= block.number) revert AnchorNotMined(anchor, block.number - 1);
        bytes32 canonical = blockhash(anchor);
        if (canonical == 0) {
            (bool ok, bytes memory reply) = BLOCK_HASHES.staticcall(abi.encode(anchor));
            if (ok && reply.length == 32) canonical = abi.decode(reply, (bytes32));
        }
        if (canonical == 0 || canonical != want) revert AnchorNotCanonical(anchor, want, canonical);
    }

    /// @dev The greatest base fee seen at a submission, halving every day since (spec 8.2). In gwei, rounded up, 32 bits.
    function _nextSlowFee(Head memory h) private view returns (uint256 next) {
        next = _decayed(h.slowFeeGwei, block.timestamp - h.newestTime);
        uint256 base = _gwei(block.basefee);
        if (base > next) next = base;
        if (next > type(uint32).max) next = type(uint32).max;
    }

    /// @dev F of spec 8.2, in wei.
    function _bondFee() internal view returns (uint256) {
        uint256 base = _gwei(block.basefee);
        uint256 slow = _decayed(_head.slowFeeGwei, block.timestamp - _head.newestTime) / 2;
        if (slow > 16 * base) slow = 16 * base;
        if (slow > base) base = slow;
        return (base == 0 ? 1 : base) * 1 gwei;
    }

    function _decayed(uint256 feeGwei, uint256 elapsed) private pure returns (uint256) {
        uint256 days_ = elapsed / 1 days;
        if (days_ >= 64) return 0;
        uint256 atDay = feeGwei >> days_;
        return atDay - atDay * (elapsed % 1 days) / 2 days;
    }

    function _gwei(uint256 wei_) private pure returns (uint256) {
        return (wei_ + 1 gwei - 1) / 1 gwei;
    }
}
