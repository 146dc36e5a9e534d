// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ILifeboatTypes} from "./ILifeboatTypes.sol";

/// @title The one slot that L1 keeps of an exit
/// @dev Spec section 9.2. From the top: 200 bits of the exit's hash, or of a locked output 40 bits when an exit of it fell (0: none did) above
/// 40 bits of the L1 block of its lock; 44 bits of the first evidence (block 28, index 16; 0 for none); 1 bit "more evidence is counted
/// elsewhere"; 1 bit "a challenger was paid"; 1 bit "contested": a transaction that spends the output was judged not canonical; 6 bits "running disputes" (at 63 further ones are counted elsewhere);
/// 3 bits state.
library ExitRecord {
    uint256 private constant CLEAR_BITS = 56;
    uint256 private constant LOCK_BITS = 40;
    uint256 private constant EVIDENCE_SHIFT = 12;
    uint256 private constant EVIDENCE_MASK = ((1 << 44) - 1) << EVIDENCE_SHIFT;
    uint256 private constant MORE = 1 << 11;
    uint256 private constant REWARDED = 1 << 10;
    uint256 private constant RUNNING = 1 << 3;
    uint256 private constant RUNNING_MASK = 63 << 3;
    uint256 private constant CONTESTED = 1 << 9;
    /// @dev What stays with the output whatever becomes of an exit.
    uint256 private constant KEPT_MASK = RUNNING_MASK | CONTESTED;
    uint256 private constant STATE_MASK = 7;

    /// @param former The output's record before: the disputes that run about it go on.
    function create(bytes32 exitHash, uint256 former) internal pure returns (uint256) {
        return (uint256(exitHash) >> CLEAR_BITS << CLEAR_BITS) | (former & KEPT_MASK)
            | uint256(ILifeboatTypes.ExitState.Queued);
    }

    /// @dev An output that may not be spent any more and has no exit.
    /// @param former The output's record before, 0 for none.
    function locked(uint256 l1Block, uint256 former) internal pure returns (uint256) {
        return (l1Block << CLEAR_BITS) | (former & KEPT_MASK) | uint256(ILifeboatTypes.ExitState.Locked);
    }

    /// @dev The same after an exit by an inclusion that did not stand, with the time of it.
    function fallen(uint256 l1Block, uint256 former) internal view returns (uint256) {
        return locked((block.timestamp << LOCK_BITS) | l1Block, former);
    }

    /// @dev An output that was paid as an entry of a mass exit, without an exit of its own.
    function claimed(bytes32 entryId, uint256 former) internal pure returns (uint256) {
        return (uint256(entryId) >> CLEAR_BITS << CLEAR_BITS) | (former & KEPT_MASK)
            | uint256(ILifeboatTypes.ExitState.Settled);
    }

    /// @dev An item that waits for ever, so that no turn pays it and nothing settles or removes it: a mass exit, whose entries decide.
    function waiting(bytes32 exitHash) internal pure returns (uint256) {
        return create(exitHash, RUNNING);
    }

    /// @dev A verdict passed on the value of an output that had no exit: the lock is still where an exit's hash would be.
    function isPassedOnUnopened(uint256 record) internal pure returns (bool) {
        return state(record) == ILifeboatTypes.ExitState.Settled && hasLock(record);
    }

    /// @dev The upper bits hold a lock, or nothing; the hash of an exit is never so small.
    function hasLock(uint256 record) internal pure returns (bool) {
        return record >> (CLEAR_BITS + 2 * LOCK_BITS) == 0;
    }

    /// @dev Of a record with a lock.
    function lockedAt(uint256 record) internal pure returns (uint40) {
        return uint40(record >> CLEAR_BITS);
    }

    /// @dev Of a record with a lock. When an exit fell, 0 for never.
    function fellAt(uint256 record) internal pure returns (uint256) {
        return record >> (CLEAR_BITS + LOCK_BITS);
    }

    function matches(uint256 record, bytes32 exitHash) internal pure returns (bool) {
        return record >> CLEAR_BITS == uint256(exitHash) >> CLEAR_BITS;
    }

    function hashOf(uint256 record) internal pure returns (bytes25) {
        return bytes25(bytes32(record));
    }

    function state(uint256 record) internal pure returns (ILifeboatTypes.ExitState) {
        return ILifeboatTypes.ExitState(record & STATE_MASK);
    }

    function withState(uint256 record, ILifeboatTypes.ExitState next) internal pure returns (uint256) {
        return (record & ~STATE_MASK) | uint256(next);
    }

    /// @return Position of the spending transaction, 0 for none.
    function evidence(uint256 record) internal pure returns (uint64) {
        uint256 bits = (record & EVIDENCE_MASK) >> EVIDENCE_SHIFT;
        return uint64(((bits >> 16) << 25) | ((bits & 0xffff) << 4));
    }

    /// @param spend Position of a transaction in a block, index below 2^16; 0 clears.
    function withEvidence(uint256 record, uint64 spend) internal pure returns (uint256) {
        uint256 bits = (uint256(spend >> 25) << 16) | ((spend >> 4) & 0xffff);
        return (record & ~EVIDENCE_MASK) | (bits << EVIDENCE_SHIFT);
    }

    function hasMore(uint256 record) internal pure returns (bool) {
        return record & MORE != 0;
    }

    function withMore(uint256 record, bool more) internal pure returns (uint256) {
        return more ? record | MORE : record & ~MORE;
    }

    function isRewarded(uint256 record) internal pure returns (bool) {
        return record & REWARDED != 0;
    }

    function withReward(uint256 record) internal pure returns (uint256) {
        return record | REWARDED;
    }

    function isSuspended(uint256 record) internal pure returns (bool) {
        return record & RUNNING_MASK != 0;
    }

    function isContested(uint256 record) internal pure returns (bool) {
        return record & CONTESTED != 0;
    }

    function withContest(uint256 record) internal pure returns (uint256) {
        return record | CONTESTED;
    }

    function isRunningFull(uint256 record) internal pure returns (bool) {
        return record & RUNNING_MASK == RUNNING_MASK;
    }

    function running(uint256 record) internal pure returns (uint256) {
        return (record & RUNNING_MASK) / RUNNING;
    }

    /// @dev The caller guarantees that the count is not full.
    function withDispute(uint256 record) internal pure returns (uint256) {
        return record + RUNNING;
    }

    /// @dev The caller guarantees that the count is not 0.
    function withoutDispute(uint256 record) internal pure returns (uint256) {
        return record - RUNNING;
    }

    /// @dev Evidence adds up (S6): one standing piece is enough, so none can shield the exit from another.
    function hasEvidence(uint256 record) internal pure returns (bool) {
        return record & (EVIDENCE_MASK | MORE) != 0;
    }
}
