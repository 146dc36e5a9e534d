// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title The chain's head in one slot
/// @dev Spec section 9.1. From the bottom: halted 1, bonded 1, newest 28, newestTime 34, newestAnchor 32, depositCount 21, slowFeeGwei 32,
/// operator's lowest 104 address bits (finding another key for them is as hard as for a 104-bit hash). A halted chain has no
/// use for its operator: the same bits then hold voidFrom 32, lastMove 40. Bits by hand and the operator in here save a submission 4,000 gas:
/// as a struct, the compiler reads and writes it field by field.
library Head {
    uint256 private constant NEWEST = 2;
    uint256 private constant NEWEST_TIME = 30;
    uint256 private constant NEWEST_ANCHOR = 64;
    uint256 private constant DEPOSIT_COUNT = 96;
    uint256 private constant SLOW_FEE = 117;
    uint256 private constant OPERATOR = 149;
    uint256 private constant FLAGS_MASK = 3;
    uint256 private constant BONDED = 2;

    function isHalted(uint256 head) internal pure returns (bool) {
        return head & 1 != 0;
    }

    /// @dev Live and bonded: takes blocks.
    function isOpen(uint256 head) internal pure returns (bool) {
        return head & FLAGS_MASK == BONDED;
    }

    function isBonded(uint256 head) internal pure returns (bool) {
        return head & BONDED != 0;
    }

    function withBonded(uint256 head, bool bonded) internal pure returns (uint256) {
        return bonded ? head | BONDED : head & ~BONDED;
    }

    function newest(uint256 head) internal pure returns (uint256) {
        return _bits(head, NEWEST, 28);
    }

    function newestTime(uint256 head) internal pure returns (uint256) {
        return _bits(head, NEWEST_TIME, 34);
    }

    function newestAnchor(uint256 head) internal pure returns (uint256) {
        return _bits(head, NEWEST_ANCHOR, 32);
    }

    /// @dev Deposits since the newest block.
    function depositCount(uint256 head) internal pure returns (uint256) {
        return _bits(head, DEPOSIT_COUNT, 21);
    }

    function slowFeeGwei(uint256 head) internal pure returns (uint256) {
        return _bits(head, SLOW_FEE, 32);
    }

    function isOperator(uint256 head, address account) internal pure returns (bool) {
        return head >> OPERATOR == uint104(uint160(account));
    }

    function withOperator(uint256 head, address account) internal pure returns (uint256) {
        return (head & ((1 << OPERATOR) - 1)) | (uint256(uint104(uint160(account))) << OPERATOR);
    }

    /// @dev The caller guarantees room for one more.
    function withDeposit(uint256 head) internal pure returns (uint256) {
        return head + (1 << DEPOSIT_COUNT);
    }

    /// @dev A new head after a submission; deposits are counted from 0 again. Every value fits its bits.
    function withSubmission(uint256 head, uint256 newest_, uint256 time, uint256 anchor, uint256 slowFee)
        internal
        pure
        returns (uint256)
    {
        uint256 kept = head & (FLAGS_MASK | (type(uint256).max << OPERATOR));
        return kept | (newest_ << NEWEST) | (time << NEWEST_TIME) | (anchor << NEWEST_ANCHOR) | (slowFee << SLOW_FEE);
    }

    /// @dev First void block and when blocks last became void (0 for never), of a halted chain.
    function voidFrom(uint256 head) internal pure returns (uint256) {
        return _bits(head, OPERATOR, 32);
    }

    function lastMove(uint256 head) internal pure returns (uint256) {
        return _bits(head, OPERATOR + 32, 40);
    }

    function withHalt(uint256 head, uint256 voidFrom_, uint256 lastMove_) internal pure returns (uint256) {
        return (head & ((1 << OPERATOR) - 1)) | 1 | (voidFrom_ << OPERATOR) | (lastMove_ << (OPERATOR + 32));
    }

    function _bits(uint256 head, uint256 shift, uint256 size) private pure returns (uint256) {
        return (head >> shift) & ((1 << size) - 1);
    }
}
