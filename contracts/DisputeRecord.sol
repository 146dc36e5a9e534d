// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ILifeboatTypes} from "./ILifeboatTypes.sol";

/// @title The two slots that L1 keeps of a dispute
/// @dev Spec section 9.2. The record, from the top: 200 bits of the dispute's hash; 44 bits of the first answer (block 28, index 16; 0 for
/// none); 1 bit "a competitor was shown"; 1 bit "the starter's bond fell"; 1 bit "the second slot is used"; 9 bits free; 2 bits verdict.
/// The pieces, from the lowest bit: 49 bits each (position / 16) of the first included competitor, of the best standing competitor weighed
/// so far and of the best standing answer weighed so far; 64 bits number of further pieces not yet weighed.
library DisputeRecord {
    uint256 private constant CLEAR_BITS = 56;
    uint256 private constant ANSWER_SHIFT = 12;
    uint256 private constant ANSWER_MASK = ((1 << 44) - 1) << ANSWER_SHIFT;
    uint256 private constant COMPETITOR = 1 << 11;
    uint256 private constant FALLEN = 1 << 10;
    uint256 private constant PIECES = 1 << 9;
    uint256 private constant VERDICT_MASK = 3;

    uint256 private constant PLACE_BITS = 49;
    uint256 private constant PLACE_MASK = (1 << PLACE_BITS) - 1;
    uint256 private constant BEST_COMPETITOR = PLACE_BITS;
    uint256 private constant BEST_ANSWER = 2 * PLACE_BITS;
    uint256 private constant COUNT = 3 * PLACE_BITS;

    function create(bytes32 hash) internal pure returns (uint256) {
        return (uint256(hash) >> CLEAR_BITS << CLEAR_BITS) | uint256(ILifeboatTypes.Verdict.Running);
    }

    function isOfDispute(uint256 record, bytes32 hash) internal pure returns (bool) {
        return record >> CLEAR_BITS == uint256(hash) >> CLEAR_BITS;
    }

    function disputeHash(uint256 record) internal pure returns (bytes25) {
        return bytes25(bytes32(record));
    }

    function verdict(uint256 record) internal pure returns (ILifeboatTypes.Verdict) {
        return ILifeboatTypes.Verdict(record & VERDICT_MASK);
    }

    function withVerdict(uint256 record, ILifeboatTypes.Verdict next) internal pure returns (uint256) {
        return (record & ~VERDICT_MASK) | uint256(next);
    }

    /// @return Position of the disputed transaction, 0 for none.
    function answer(uint256 record) internal pure returns (uint64) {
        uint256 bits = (record & ANSWER_MASK) >> ANSWER_SHIFT;
        return uint64(((bits >> 16) << 25) | ((bits & 0xffff) << 4));
    }

    /// @param position Of a transaction in a block, index below 2^16.
    function withAnswer(uint256 record, uint64 position) internal pure returns (uint256) {
        uint256 bits = (uint256(position >> 25) << 16) | ((position >> 4) & 0xffff);
        return (record & ~ANSWER_MASK) | (bits << ANSWER_SHIFT);
    }

    function hasCompetitor(uint256 record) internal pure returns (bool) {
        return record & COMPETITOR != 0;
    }

    function withCompetitor(uint256 record) internal pure returns (uint256) {
        return record | COMPETITOR;
    }

    function isFallen(uint256 record) internal pure returns (bool) {
        return record & FALLEN != 0;
    }

    function withFallenBond(uint256 record) internal pure returns (uint256) {
        return record | FALLEN;
    }

    function hasPieces(uint256 record) internal pure returns (bool) {
        return record & PIECES != 0;
    }

    function withPieces(uint256 record) internal pure returns (uint256) {
        return record | PIECES;
    }

    function firstCompetitor(uint256 pieces) internal pure returns (uint64) {
        return uint64((pieces & PLACE_MASK) << 4);
    }

    /// @dev The caller guarantees that there was none.
    function withFirstCompetitor(uint256 pieces, uint64 position) internal pure returns (uint256) {
        return pieces | (position >> 4);
    }

    function bestCompetitor(uint256 pieces) internal pure returns (uint64) {
        return uint64(((pieces >> BEST_COMPETITOR) & PLACE_MASK) << 4);
    }

    function bestAnswer(uint256 pieces) internal pure returns (uint64) {
        return uint64(((pieces >> BEST_ANSWER) & PLACE_MASK) << 4);
    }

    function withBest(uint256 pieces, bool isAnswer, uint64 position) internal pure returns (uint256) {
        uint256 shift = isAnswer ? BEST_ANSWER : BEST_COMPETITOR;
        return (pieces & ~(PLACE_MASK << shift)) | (uint256(position >> 4) << shift);
    }

    function count(uint256 pieces) internal pure returns (uint256) {
        return pieces >> COUNT;
    }

    function withMore(uint256 pieces) internal pure returns (uint256) {
        return pieces + (1 << COUNT);
    }

    /// @dev The caller guarantees that there is one.
    function withLess(uint256 pieces) internal pure returns (uint256) {
        return pieces - (1 << COUNT);
    }
}
