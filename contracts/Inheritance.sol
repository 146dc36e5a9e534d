// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {DisputeRecord} from "./DisputeRecord.sol";
import {ExitRecord} from "./ExitRecord.sol";
import {Hashing} from "./Hashing.sol";
import {Settlement} from "./Settlement.sol";

/// @title A reservation follows the value
/// @dev Spec section 6.2. The exit of an input had its turn while the dispute ran; by a canonical verdict the place that it took on the
/// line belongs to the transaction's outputs of that token, pro rata, until a period after the verdict had to be had. Nothing younger is
/// paid with it before that.
/// Why that is sound: a share lies below `funded` when it is paid, and belongs to nobody else; for as much the output's own ticket is
/// freed when that is settled (Settlement.sol), never before `funded` has reached it.
abstract contract Inheritance is Settlement {
    using DisputeRecord for uint256;
    using ExitRecord for uint256;

    /// @dev Where a share lies on the line.
    struct Share {
        uint256 from;
        uint256 due;
    }

    function inherit(
        Dispute calldata dispute,
        DisputeInput[] calldata inputs,
        uint256 input,
        Transaction calldata transaction,
        uint256 output,
        Exit calldata exit
    ) external onlyDelegated nonReentrant {
        _requireCanonical(dispute, inputs, transaction);
        bytes32 outputId = Hashing.outputId(dispute.txHash, output);
        address token = transaction.outputs[output].token;
        Share memory share = _takeShare(inputs[input], token, transaction.outputs, output);
        ExitState state = _exits[outputId].state();
        uint256 funded = _totals[token].funded;
        Halt memory halt = _haltOf(_head);
        if (state != ExitState.Queued && state != ExitState.Ticket) {
            // Paid out of its own place, or spent: nobody is owed the share. Otherwise nobody came for it in time, or its value went on.
            bool over = state == ExitState.Settled || state == ExitState.Removed;
            if (!over) _requireForfeit(outputId, state, _payableAfter(dispute.exitableAt, halt.lastMove));
            if (funded < share.from) revert NotCovered(funded, share.from);
            _totals[token].funded = uint128(funded + share.due);
            emit ShareReleased(inputs[input].outputId, outputId, share.due);
            return;
        }
        if (exit.outputId != outputId) revert ExitMismatch(exit.outputId);
        uint256 record = _requireRecord(exit);
        if (state != ExitState.Ticket || !_isPayable(exit, record, halt)) revert StateUnexpected(outputId, state);
        uint256 owed = _tickets[outputId].due - _inherited[outputId];
        uint256 amount = share.due < owed ? share.due : owed;
        if (funded < share.from + amount) revert NotCovered(funded, share.from + amount);
        _inherited[outputId] += amount;
        // What the output is not owed any more, of a share that lies below `funded`, is free.
        if (amount < share.due) _totals[token].funded = uint128(funded + share.due - amount);
        emit ExitInherited(outputId, inputs[input].outputId, amount);
        _payExit(exit, amount, 0);
        _settleOne(exit, halt);
    }

    /// @dev An output that was spent long ago never leaves, and its share would hold up the end of the line for ever. Whoever comes later
    /// still has the place of her own exit.
    /// @param decidable When the verdict could be had, moved by the halt.
    function _requireForfeit(bytes32 outputId, ExitState state, uint256 decidable) private view {
        if (block.timestamp <= decidable + (1 + MAKER_PERIODS) * MIN_EXIT_PERIOD) revert StateUnexpected(outputId, state);
    }

    function _requireCanonical(
        Dispute calldata dispute,
        DisputeInput[] calldata inputs,
        Transaction calldata transaction
    ) private view {
        uint256 record = _disputes[dispute.txHash].record;
        bool fits = record.isOfDispute(Hashing.disputeOf(dispute))
            && Hashing.disputeInputsOf(inputs) == dispute.inputsHash
            && Hashing.transactionHash(transaction, _domainSeparator()) == dispute.txHash;
        if (!fits) revert DisputeMismatch(dispute.txHash);
        if (record.verdict() != Verdict.Canonical) revert VerdictUnexpected(dispute.txHash, record.verdict());
    }

    /// @dev The output's part of the input's cancelled ticket, once. Parts are cut at cumulative sums: together they are the whole ticket.
    function _takeShare(DisputeInput calldata input, address token, Output[] calldata outputs, uint256 output)
        private
        returns (Share memory)
    {
        Ticket memory t = _tickets[input.outputId];
        uint256 taken = _shared[input.outputId];
        ExitState state = _exits[input.outputId].state();
        // A ticket that is settled is deleted; one that outlives its exit was cancelled by this verdict.
        bool cancelled = state == ExitState.CancelledTicket || state == ExitState.Settled;
        if (!cancelled || t.due == 0 || token != input.token || taken & (1 << output) != 0) {
            revert ShareMissing(input.outputId, output);
        }
        _shared[input.outputId] = taken | (1 << output);
        uint256 before = 0;
        uint256 sum = 0;
        for (uint256 i = 0; i < outputs.length; i++) {
            if (outputs[i].token != token) continue;
            if (i < output) before += outputs[i].amount;
            sum += outputs[i].amount;
        }
        uint256 low = t.due * before / sum;
        uint256 high = t.due * (before + outputs[output].amount) / sum;
        return Share(t.from + low, high - low);
    }
}
