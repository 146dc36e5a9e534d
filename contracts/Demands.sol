// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BatchRecord} from "./BatchRecord.sol";
import {Batches} from "./Batches.sol";
import {Hashing} from "./Hashing.sol";
import {Head} from "./Head.sol";

/// @title Demands: what a batch's coordinator must be able to show
/// @dev Spec section 6.4.4. Until start + MEP/8 anyone may demand of an entry what a delegate's standard exit of that output would show: that
/// the output is there and, on a live chain, its owner's mandate. Until start + MEP/4 anyone may answer. One demand left open dissolves the
/// batch, which had locked nothing. An honest coordinator always can: nothing that is asked for changes after the start.
abstract contract Demands is Batches {
    using BatchRecord for uint256;
    using Head for uint256;

    /// @dev In gas at F; grows with the number of open demands, 64 of them double it.
    uint256 private constant DEMAND_GAS = 250_000;
    /// @dev What an answer costs by its shape.
    uint256 private constant ANSWER_BASE_GAS = 100_000;
    uint256 private constant ANSWER_GAS_PER_INPUT = 1_920;
    uint256 private constant ANSWER_GAS_PER_OUTPUT = 2_560;
    uint256 private constant ANSWER_GAS_PER_SIBLING = 640;
    uint256 private constant ANSWERED = 1 << 255;

    function demandBond(bytes32 batchId) public view returns (uint256) {
        return DEMAND_GAS * _bondFee() * (64 + _batches[batchId].demands()) / 64;
    }

    function demandEntry(Batch calldata batch, Shared calldata shared, BatchEntry calldata shownEntry)
        external
        payable
        onlyDelegated
        nonReentrant
    {
        (bytes32 batchId, uint256 record) = _requireStarted(batch);
        uint256 deadline = batch.startedAt + MIN_EXIT_PERIOD / 8;
        if (block.timestamp > deadline) revert TooLate(block.timestamp, deadline);
        uint256 want = demandBond(batchId);
        if (msg.value < want || msg.value > type(uint64).max) revert BondTooSmall(msg.value, want);
        Entry memory entry = _requireEntry(batchId, batch, shared, shownEntry);
        bytes32 id = _entryId(batchId, entry.index);
        if (_demands[id] != 0) revert DemandUnexpected(batchId, entry.index, _demands[id]);
        _demands[id] = (msg.value << 160) | uint160(msg.sender);
        _batches[batchId] = record.withDemand();
        emit EntryDemanded(batchId, entry.index, entry.position, msg.sender, msg.value);
    }

    /// @param mandate On a halted chain neither it nor its signature is looked at.
    function answerDemand(
        Batch calldata batch,
        Shared calldata shared,
        BatchEntry calldata shownEntry,
        BatchOutput calldata shown,
        Mandate calldata mandate,
        bytes calldata signature
    ) external onlyDelegated nonReentrant {
        (bytes32 batchId, uint256 record) = _requireStarted(batch);
        uint256 deadline = batch.startedAt + MIN_EXIT_PERIOD / 4;
        if (block.timestamp > deadline) revert TooLate(block.timestamp, deadline);
        Entry memory entry = _requireEntry(batchId, batch, shared, shownEntry);
        Named memory named = _name(batch, shared, entry, shown, _domainSeparator(), type(uint256).max);
        if (named.outputId == 0) revert EntryEmpty(batchId, entry.index);
        if (!_head.isHalted()) _requireMandateOf(batch, entry, named.owner, mandate, signature);
        (, uint256 bond) = _takeDemand(batchId, entry.index);
        _demands[_entryId(batchId, entry.index)] = ANSWERED;
        _batches[batchId] = record.withoutDemand();
        // Of a deposit nothing but owner, token and amount is looked at: more of it earns nothing.
        uint256 gas_ = ANSWER_BASE_GAS + ANSWER_GAS_PER_SIBLING * shownEntry.picks.length / 2;
        if (named.txHash != 0) {
            gas_ += ANSWER_GAS_PER_INPUT * shown.transaction.inputs.length
                + ANSWER_GAS_PER_OUTPUT * shown.transaction.outputs.length
                + ANSWER_GAS_PER_SIBLING * shown.picks.length / 2;
        }
        uint256 reward = _rewardFee() * gas_ * 11 / 10;
        if (reward > bond) reward = bond;
        emit DemandAnswered(batchId, entry.index, named.outputId, reward);
        _payEth(msg.sender, reward);
    }

    /// @notice Gives an open demand's bond back once another one dissolved the batch.
    function reclaimDemand(Batch calldata batch, uint32 index) external onlyDelegated nonReentrant {
        bytes32 batchId = Hashing.batchOf(batch);
        if (_batches[batchId].stage() != BatchState.Dissolved) {
            revert BatchUnexpected(batchId, _batches[batchId].stage());
        }
        (address demander, uint256 bond) = _takeDemand(batchId, index);
        _payEth(demander, bond);
    }

    function _takeDemand(bytes32 batchId, uint256 index) internal override returns (address demander, uint256 bond) {
        bytes32 id = _entryId(batchId, index);
        uint256 demand = _demands[id];
        if (demand == 0 || demand & ANSWERED != 0) revert DemandUnexpected(batchId, index, demand);
        delete _demands[id];
        demander = address(uint160(demand));
        bond = demand >> 160;
    }
}
