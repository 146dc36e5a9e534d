// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {BatchRecord} from "./BatchRecord.sol";
import {BatchTree} from "./BatchTree.sol";
import {Entries} from "./Entries.sol";
import {ExitRecord} from "./ExitRecord.sol";
import {ExitStart} from "./ExitStart.sol";
import {Hashing} from "./Hashing.sol";
import {Module} from "./Module.sol";

/// @title Mass exits: a whole crowd's places secured in one call
/// @dev Spec section 6.4. A batch holds a place in the queue and a lock, nothing else: it is started with all its entries, can be demanded
/// proof of until it is locked, and is then one item of the queue that reserves the sum of its entries at its turn. Each entry is claimed,
/// or becomes an ordinary exit at the batch's place when something has to be decided about it (OpenedEntries.sol).
abstract contract Batches is Module, ExitStart, Entries, ReentrancyGuardTransient {
    using BatchRecord for uint256;
    using ExitRecord for uint256;

    /// @dev Of a batch's bond, in gas at F, for each entry: what removing it costs. An item's own bond (BOND_GAS) comes on top.
    uint256 private constant ENTRY_GAS = 60_000;

    function exitBond() external view returns (uint256) {
        return BOND_GAS * _bondFee();
    }

    function batchBond(uint256 count) external view returns (uint256) {
        return (BOND_GAS + ENTRY_GAS * count) * _bondFee();
    }

    function startBatch(
        address token,
        EntryFormat calldata format,
        bytes calldata entries,
        Header calldata lastBlock
    ) external payable onlyDelegated nonReentrant returns (bytes32 batchId) {
        BatchTree.Sum memory sum = BatchTree.read(entries, format);
        uint256 want = (BOND_GAS + ENTRY_GAS * sum.count) * _bondFee();
        if (msg.value < want || msg.value > type(uint96).max) revert BondTooSmall(msg.value, want);
        // No set of valid outputs holds more than ever came in.
        uint128 funded = _totals[token].funded;
        if (sum.total > funded) revert NotCovered(funded, sum.total);
        Batch memory batch = Batch({
            root: sum.root,
            count: uint32(sum.count),
            token: token,
            total: uint128(sum.total),
            last: uint64(sum.last),
            madeAt: _timeOf(uint64(sum.last), lastBlock),
            startedAt: uint40(block.timestamp),
            coordinator: msg.sender,
            bond: uint128(msg.value)
        });
        batchId = Hashing.batch(batch);
        // The same batch of the same coordinator, twice in one L1 block.
        if (_batches[batchId] != 0) revert BatchUnexpected(batchId, _batches[batchId].stage());
        _batches[batchId] = BatchRecord.create(msg.value - _itemBond(msg.value, sum.count));
        emit BatchStarted(batchId, batch, format, entries);
    }

    function lockBatch(Batch calldata batch, uint32 youngHint) external onlyDelegated nonReentrant {
        (bytes32 batchId, uint256 record) = _requireStarted(batch);
        uint256 after_ = batch.startedAt + MIN_EXIT_PERIOD / 4;
        if (block.timestamp <= after_) revert TooEarly(block.timestamp, after_);
        uint256 deadline = batch.startedAt + MIN_EXIT_PERIOD / 2;
        if (block.timestamp > deadline) revert TooLate(block.timestamp, deadline);
        if (record.demands() != 0) revert DemandsOpen(record.demands());

        uint256 byStart = block.timestamp + MIN_EXIT_PERIOD;
        uint256 byBlock = batch.madeAt == 0 ? 0 : uint256(batch.madeAt) + 2 * uint256(MIN_EXIT_PERIOD);
        bool young = byBlock >= byStart;
        uint256 number = _blockOf(batch.last);
        Exit memory item;
        item.outputId = batchId;
        // Of its entries each may be void or invalid; the item itself never is, like a deposit.
        item.position = uint64((number << 25) | (DEPOSIT_INDEX << 4));
        item.token = batch.token;
        item.amount = batch.total;
        item.young = young;
        item.seq = young ? _enqueueYoung(number, youngHint) : _queue.oldTail++;
        item.startedAt = uint40(block.timestamp);
        item.exitableAt = uint40(young ? byBlock : byStart);
        item.lockedAt = uint40(block.number);
        item.payer = batch.coordinator;
        item.bond = uint128(_itemBond(batch.bond, batch.count));
        _batches[batchId] = record.withLock(block.number, block.timestamp, item.exitableAt);
        _exits[batchId] = ExitRecord.waiting(Hashing.exit(item));
        emit BatchLocked(batchId, item);
    }

    /// @param demanded The entry of a demand that nobody answered; 2^32 - 1: the time to lock is over.
    function dissolveBatch(Batch calldata batch, uint32 demanded) external onlyDelegated nonReentrant {
        (bytes32 batchId, uint256 record) = _requireStarted(batch);
        _batches[batchId] = record.withStage(BatchState.Dissolved).withFund(0);
        emit BatchDissolved(batchId, demanded);
        if (demanded == type(uint32).max) {
            uint256 deadline = batch.startedAt + MIN_EXIT_PERIOD / 2;
            if (block.timestamp <= deadline) revert TooEarly(block.timestamp, deadline);
            if (record.demands() != 0) revert DemandsOpen(record.demands());
            _payEth(batch.coordinator, batch.bond);
        } else {
            uint256 after_ = batch.startedAt + MIN_EXIT_PERIOD / 4;
            if (block.timestamp <= after_) revert TooEarly(block.timestamp, after_);
            (address demander, uint256 bond) = _takeDemand(batchId, demanded);
            // The other half is burnt: demanding of oneself is no refund.
            _payEth(demander, bond + batch.bond / 2);
        }
    }

    /// @notice Gives the coordinator what is left of the bond, a whole period after the entries became payable.
    function closeBatch(Batch calldata batch) external onlyDelegated nonReentrant {
        (bytes32 batchId, uint256 record) = _requireTurned(batch);
        uint256 after_ = _payableAfter(record.exitableAt(), _haltOf(_head).lastMove) + MIN_EXIT_PERIOD;
        if (block.timestamp <= after_) revert TooEarly(block.timestamp, after_);
        if (record.isClosed()) revert BatchUnexpected(batchId, BatchState.Locked);
        _batches[batchId] = record.withClosed();
        uint256 bond = _itemBond(batch.bond, batch.count);
        uint256 returned = record.fund() + bond - _bountyOf(bond);
        emit BatchClosed(batchId, returned);
        _payEth(batch.coordinator, returned);
    }

    function _requireStarted(Batch calldata batch) internal view returns (bytes32 batchId, uint256 record) {
        batchId = Hashing.batchOf(batch);
        record = _batches[batchId];
        if (record.stage() != BatchState.Started) revert BatchUnexpected(batchId, record.stage());
    }

    /// @dev Ends an open demand.
    function _takeDemand(bytes32 batchId, uint256 index) internal virtual returns (address demander, uint256 bond);

    /// @dev The part of a bond that goes with the item in the queue.
    function _itemBond(uint256 bond, uint256 count) private pure returns (uint256) {
        return bond * BOND_GAS / (BOND_GAS + ENTRY_GAS * count);
    }

    /// @dev Of the youngest position the block's time counts even where that is a deposit: else one deposit would make a batch of younger
    /// outputs old.
    function _timeOf(uint64 position, Header calldata header) private view returns (uint40) {
        uint256 number = _blockOf(position);
        if (number == 0) return 0;
        if (!_isHeaderOf(number, header)) revert HeaderMismatch(number);
        return header.timestamp;
    }
}
