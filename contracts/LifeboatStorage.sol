// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ILifeboatTypes} from "./ILifeboatTypes.sol";

/// @title Storage of the root contract, and of every module that runs in it by DELEGATECALL
/// @dev Spec section 9. All of them inherit this first and declare no storage of their own; `npm run gen` writes the compiled layout
/// to contracts/layout.generated.json and the check compares them. What never changes is hashed (at least 200 bits), what changes is in
/// clear bits, so that no honest transaction goes stale because somebody else touched the same item.
abstract contract LifeboatStorage {
    /// @dev Of a halted chain, as the head has it. `lastMove`: when blocks last became void, 0 for never.
    struct Halt {
        uint32 voidFrom;
        uint40 lastMove;
    }

    struct Queue {
        uint40 oldHead;
        uint40 oldTail;
        uint32 youngFirst;
        uint32 youngNewest;
        uint32 youngCursor;
    }

    struct DepositRecord {
        bytes27 depositHash;
        uint40 l1Block;
    }

    struct Ticket {
        uint128 from;
        uint128 due;
    }

    struct Totals {
        uint128 funded;
        uint128 line;
    }

    /// @dev See DisputeRecord.sol. `pieces` is written only when there is more than an answer and a competitor that is not included.
    struct DisputeSlots {
        uint256 record;
        uint256 pieces;
    }

    /// @dev See Head.sol.
    uint256 internal _head;
    Queue internal _queue;
    address internal _operator;
    address internal _nominee;
    /// @dev See BlockRecord.sol.
    mapping(uint256 blockNumber => uint256 record) internal _blocks;
    mapping(uint256 position => DepositRecord) internal _deposits;
    /// @dev See ExitRecord.sol.
    mapping(bytes32 outputId => uint256 record) internal _exits;
    /// @dev Number of standing pieces of evidence beyond the one in the record.
    mapping(bytes32 outputId => uint256 count) internal _moreEvidence;
    /// @dev Pieces of evidence about exits and of disputes; ids name the exit's or dispute's hash, so none outlives its exit.
    mapping(bytes32 evidenceId => bool stands) internal _evidence;
    mapping(bytes32 outputId => Ticket) internal _tickets;
    mapping(address token => Totals) internal _totals;
    mapping(address token => mapping(address account => uint256 amount)) internal _credits;
    mapping(uint256 transactionPosition => bool) internal _invalid;
    mapping(address owner => mapping(uint64 epoch => uint256 time)) internal _revokedAt;
    mapping(bytes32 txHash => DisputeSlots) internal _disputes;
    /// @dev Of a ticket that a verdict cancelled: which of the transaction's outputs have had their share of it, a bit each.
    mapping(bytes32 outputId => uint256 outputs) internal _shared;
    /// @dev What an exit was paid out of cancelled tickets, until its own ticket is settled.
    mapping(bytes32 outputId => uint256 amount) internal _inherited;
    /// @dev Running disputes about an output beyond the 63 that its record counts.
    mapping(bytes32 outputId => uint256 count) internal _moreRunning;
    /// @dev See BatchRecord.sol.
    mapping(bytes32 batchId => uint256 record) internal _batches;
    /// @dev Entries whose share of the batch's place is used or freed, a bit each; a claimed entry's is not set (Entries.sol).
    mapping(bytes32 batchId => mapping(uint256 word => uint256 bits)) internal _usedShares;
    /// @dev A spend shown against an entry, by batch, position and signer (OpenedEntries.sol).
    mapping(bytes32 strikeId => uint256 strike) internal _strikes;
    /// @dev See Demands.sol.
    mapping(bytes32 demandId => uint256 demand) internal _demands;
    /// @dev See Surety.sol.
    address internal _surety;
    /// @dev Every key that ever was the operator's: its receipts bind after it was rotated away.
    mapping(address key => bool) internal _wasOperator;
}
