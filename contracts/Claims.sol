// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {BatchRecord} from "./BatchRecord.sol";
import {Entries} from "./Entries.sol";
import {ExitRecord} from "./ExitRecord.sol";
import {Hashing} from "./Hashing.sol";
import {Module} from "./Module.sol";

/// @title Paying entries that nothing has to be decided about
/// @dev Spec section 6.4.7. Open for ever, to anyone; the money goes to the output's owner. The output is settled by it, so that nothing
/// else pays it, and the record says by which entry.
abstract contract Claims is Module, Entries, ReentrancyGuardTransient {
    using BatchRecord for uint256;
    using ExitRecord for uint256;

    /// @dev What telling one entry costs, at the end of the call: it is kept back.
    uint256 private constant TOLD_GAS = 1_000;

    /// @dev What claims of one call have in common. `struck`: a spend was shown against some entry. `alone`: what holds the one claim up is told.
    struct Claiming {
        bytes32 batchId;
        bytes32 separator;
        uint256 voidFrom;
        uint256 lockedAt;
        bool struck;
        bool alone;
    }

    /// @return claimed Of several, those that are paid elsewhere or held up are skipped, so that neither two claimers nor one
    /// disputed entry revert the others.
    function claimEntries(Batch calldata batch, Shared calldata shared, BatchClaim[] calldata claims)
        external
        onlyDelegated
        nonReentrant
        returns (uint256 claimed)
    {
        Claiming memory call_ = _requirePayable(batch);
        call_.alone = claims.length == 1;
        ClaimedEntry[] memory done = new ClaimedEntry[](claims.length);
        for (uint256 i = 0; i < claims.length && gasleft() > TURN_GAS + TOLD_GAS * claimed; i++) {
            BatchClaim calldata next = claims[i];
            (Entry memory entry, Named memory named, bool taken) =
                _take(call_, batch, shared, next.entry, next.shown);
            if (!taken) continue;
            done[claimed++] = ClaimedEntry(named.outputId, named.owner, entry.index);
            _pay(batch, named.owner, entry.amount);
        }
        if (claimed == 0) revert NothingToDo();
        // What was skipped is not told.
        assembly ("memory-safe") {
            mstore(done, claimed)
        }
        emit EntriesClaimed(call_.batchId, done);
    }

    /// @notice The same for one entry, with a fee for the coordinator that the owner's mandate allows.
    function claimForFee(
        Batch calldata batch,
        Shared calldata shared,
        BatchEntry calldata shownEntry,
        BatchOutput calldata shown,
        Mandate calldata mandate,
        bytes calldata signature,
        uint128 fee
    ) external onlyDelegated nonReentrant {
        Claiming memory call_ = _requirePayable(batch);
        call_.alone = true;
        (Entry memory entry, Named memory named, bool taken) = _take(call_, batch, shared, shownEntry, shown);
        if (!taken) revert NothingToDo();
        _requireMandateOf(batch, entry, named.owner, mandate, signature);
        if (fee > mandate.maxFee || fee > entry.amount) revert MandateRefused("fee");
        ClaimedEntry[] memory done = new ClaimedEntry[](1);
        done[0] = ClaimedEntry(named.outputId, named.owner, entry.index);
        emit EntriesClaimed(call_.batchId, done);
        emit FeeTaken(call_.batchId, named.outputId, fee);
        _credit(batch.token, batch.coordinator, fee);
        _pay(batch, named.owner, entry.amount - fee);
    }

    /// @dev A batch has a ticket once it had its turn, which it has not before `exitableAt`: only a later move postpones it.
    function _requirePayable(Batch calldata batch) private view returns (Claiming memory call_) {
        call_.batchId = Hashing.batchOf(batch);
        if (_tickets[call_.batchId].due == 0) revert StateUnexpected(call_.batchId, ExitState.Queued);
        Halt memory halt = _haltOf(_head);
        uint256 after_ = _payableAfter(0, halt.lastMove);
        if (block.timestamp <= after_) revert TooEarly(block.timestamp, after_);
        call_.voidFrom = halt.voidFrom;
        call_.separator = _domainSeparator();
        uint256 record = _batches[call_.batchId];
        call_.struck = record.isStruck();
        call_.lockedAt = record.batchLockedAt();
    }

    /// @dev The output is settled now if it was taken.
    function _take(
        Claiming memory call_,
        Batch calldata batch,
        Shared calldata shared,
        BatchEntry calldata shownEntry,
        BatchOutput calldata shown
    ) private returns (Entry memory entry, Named memory named, bool taken) {
        bytes32 batchId = call_.batchId;
        entry = _requireEntry(batchId, batch, shared, shownEntry);
        named = _name(batch, shared, entry, shown, call_.separator, call_.lockedAt);
        if (named.outputId == 0) revert EntryEmpty(batchId, entry.index);
        if (named.txHash != 0) {
            Verdict verdict = _verdictOf(named.txHash);
            bool fallen = _isFallen(entry.position & ~uint64(15), call_.voidFrom);
            if (fallen && call_.alone) revert TransactionInvalid(entry.position);
            bool waits = verdict == Verdict.Running || verdict == Verdict.NotCanonical;
            if (waits && call_.alone) revert VerdictUnexpected(named.txHash, verdict);
            if (fallen || waits) return (entry, named, false);
        }
        uint256 record = _exits[named.outputId];
        if (record.state() != ExitState.None && !_isClaimable(call_, named.outputId, entry.index, record)) {
            return (entry, named, false);
        }
        uint64 spend = call_.struck ? _struckBy(batchId, entry.position, named.owner, type(uint256).max) : 0;
        if (spend != 0 && call_.alone) revert EntryStruckBy(batchId, spend);
        (uint256 from, uint256 due) = _share(batchId, entry);
        uint256 funded = _totals[batch.token].funded;
        bool short = due != entry.amount || funded < from + due;
        if (short && call_.alone) revert NotCovered(funded, from);
        if (spend != 0 || short) return (entry, named, false);
        _exits[named.outputId] = ExitRecord.claimed(_entryId(batchId, entry.index), record);
        return (entry, named, true);
    }

    /// @dev Of an output that was locked otherwise. Where a dispute runs, the lock is older than the batch's, or a part was paid, the entry is to be
    /// opened: the exit waits, keeps that lock, is owed the rest. A share may be used although the output is only locked: by an exit that became void or invalid.
    function _isClaimable(Claiming memory call_, bytes32 outputId, uint256 index, uint256 record)
        private
        view
        returns (bool)
    {
        if (record.state() != ExitState.Locked || _isUsed(call_.batchId, index)) return false;
        bool toOpen = record.isSuspended() || record.lockedAt() < call_.lockedAt || _inherited[outputId] != 0;
        if (toOpen && call_.alone) revert StateUnexpected(outputId, ExitState.Locked);
        return !toOpen;
    }

    function _pay(Batch calldata batch, address owner, uint256 amount) private {
        if (batch.token == ETH) _payEth(owner, amount);
        else _credit(batch.token, owner, amount);
    }
}
