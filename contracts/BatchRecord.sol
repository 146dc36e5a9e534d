// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ILifeboatTypes} from "./ILifeboatTypes.sol";

/// @title The one slot that L1 keeps of a mass exit, beside that of its item in the queue
/// @dev Spec section 9.2. From the lowest bit: 2 bits state; 1 bit "closed"; 1 bit "struck"; 31 bits demands that nobody answered
/// yet; 96 bits fund in gwei: what is left of the bond for the removal of entries. Of a locked batch 40 bits each: the L1 block of the lock, its time, `exitableAt`.
library BatchRecord {
    uint256 private constant STATE_MASK = 3;
    uint256 private constant CLOSED = 1 << 2;
    uint256 private constant STRUCK = 1 << 3;
    uint256 private constant DEMANDS_SHIFT = 4;
    uint256 private constant DEMANDS_MASK = (1 << 31) - 1;
    uint256 private constant FUND_SHIFT = 35;
    uint256 private constant FUND_MASK = type(uint96).max;
    uint256 private constant LOCKED_AT = 131;
    uint256 private constant LOCK_TIME = 171;
    uint256 private constant EXITABLE_AT = 211;
    uint256 private constant TIME_MASK = type(uint40).max;

    function create(uint256 fundWei) internal pure returns (uint256) {
        return ((fundWei / 1 gwei) << FUND_SHIFT) | uint256(ILifeboatTypes.BatchState.Started);
    }

    function stage(uint256 record) internal pure returns (ILifeboatTypes.BatchState) {
        return ILifeboatTypes.BatchState(record & STATE_MASK);
    }

    function withStage(uint256 record, ILifeboatTypes.BatchState next) internal pure returns (uint256) {
        return (record & ~STATE_MASK) | uint256(next);
    }

    function isClosed(uint256 record) internal pure returns (bool) {
        return record & CLOSED != 0;
    }

    function withClosed(uint256 record) internal pure returns (uint256) {
        return withFund(record, 0) | CLOSED;
    }

    /// @dev Any spend was shown against any of its positions.
    function isStruck(uint256 record) internal pure returns (bool) {
        return record & STRUCK != 0;
    }

    function withStrike(uint256 record) internal pure returns (uint256) {
        return record | STRUCK;
    }

    function demands(uint256 record) internal pure returns (uint256) {
        return (record >> DEMANDS_SHIFT) & DEMANDS_MASK;
    }

    /// @dev At most one demand an entry: the count fits.
    function withDemand(uint256 record) internal pure returns (uint256) {
        return record + (1 << DEMANDS_SHIFT);
    }

    function withoutDemand(uint256 record) internal pure returns (uint256) {
        return record - (1 << DEMANDS_SHIFT);
    }

    /// @return In wei.
    function fund(uint256 record) internal pure returns (uint256) {
        return ((record >> FUND_SHIFT) & FUND_MASK) * 1 gwei;
    }

    /// @dev Rounds down to gwei; the rest is burnt.
    function withFund(uint256 record, uint256 fundWei) internal pure returns (uint256) {
        return (record & ~(FUND_MASK << FUND_SHIFT)) | ((fundWei / 1 gwei) << FUND_SHIFT);
    }

    /// @dev Of a batch that was started and not locked before.
    function withLock(uint256 record, uint256 l1Block, uint256 time, uint256 exitableAt_) internal pure returns (uint256) {
        return withStage(record, ILifeboatTypes.BatchState.Locked) | (l1Block << LOCKED_AT) | (time << LOCK_TIME)
            | (exitableAt_ << EXITABLE_AT);
    }

    function batchLockedAt(uint256 record) internal pure returns (uint40) {
        return uint40((record >> LOCKED_AT) & TIME_MASK);
    }

    function lockTime(uint256 record) internal pure returns (uint40) {
        return uint40((record >> LOCK_TIME) & TIME_MASK);
    }

    function exitableAt(uint256 record) internal pure returns (uint40) {
        return uint40((record >> EXITABLE_AT) & TIME_MASK);
    }
}
