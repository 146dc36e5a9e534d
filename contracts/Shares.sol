// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {BatchRecord} from "./BatchRecord.sol";
import {ExitRecord} from "./ExitRecord.sol";
import {Settling} from "./Settling.sol";
import {Strikes} from "./Strikes.sol";

/// @title What becomes of an entry's share when the output leaves by an exit of its own
/// @dev Spec section 6.4.10. The share is the exit's, if it is the older place: so nobody can spoil an entry by starting a second exit. A share
/// that nobody will ever be owed is freed.
abstract contract Shares is Settling, Strikes, ReentrancyGuardTransient {
    using BatchRecord for uint256;
    using ExitRecord for uint256;

    /// @dev Half of what freeing a share costs is paid out of the fund: whoever fills the line with shares that are dead loses as much as
    /// those who clean up.
    uint256 private constant RELEASE_GAS = 30_000;

    function adoptExit(
        Batch calldata batch,
        Shared calldata shared,
        BatchEntry calldata shownEntry,
        BatchOutput calldata shown,
        Exit calldata exit
    ) external onlyDelegated nonReentrant {
        (bytes32 batchId, Entry memory entry, Named memory named, Halt memory halt) =
            _requireNamed(batch, shared, shownEntry, shown);
        if (named.outputId == 0 || named.outputId != exit.outputId) revert EntryEmpty(batchId, entry.index);
        if (_isDead(entry.position, named.txHash, halt.voidFrom)) revert TransactionInvalid(entry.position);
        uint256 record = _requireRecord(exit);
        ExitState state = record.state();
        // As in placeEntry: no other door past a strike.
        if (state == ExitState.Queued || state == ExitState.Ticket) {
            bool isNew;
            (record, isNew) = _carryStrike(batchId, exit, entry.position, record);
            if (isNew && state == ExitState.Ticket) {
                _exits[exit.outputId] = record;
                return;
            }
        }
        (uint256 from, uint256 due) = _share(batchId, entry);
        // Another inclusion of the same transaction may turn out invalid, and would take the share of this one with it: such an exit, and one
        // through a dispute, is never placed there, only paid out of it, unless its value went on. Were it not, its own place and the share
        // could wait for each other.
        bool moves = _isHeirsPlace(exit.outputId, state, from) || _isBetterPlace(exit, entry, state, from, due);
        bool canMove = moves || state == ExitState.Ticket || state == ExitState.Cancelled;
        if (exit.position != entry.position && !canMove) revert EntryMismatch(batchId, entry.index);
        _use(batchId, entry.index);
        // An exit whose turn is still to come keeps its record until then: the queue asks for it (an opened entry has no turn).
        bool hasNoPlace = state == ExitState.Queued && exit.seq >= OPENED_SEQ;
        if (moves) {
            _leavePlace(exit.token, _tickets[exit.outputId]);
            _tickets[exit.outputId] = Ticket(uint128(from), uint128(due));
            emit EntryPlaced(batchId, entry.index, exit.outputId, 0);
            emit ExitPostponed(exit.outputId, uint128(from), uint128(due));
            return;
        }
        if (hasNoPlace || state == ExitState.Cancelled) {
            _tickets[exit.outputId] = Ticket(uint128(from), uint128(due));
            // The strike that it was opened with in another batch may still be disproved: the end of that one is ahead (Settlement.sol).
            if (hasNoPlace && exit.payer != _payerOf(batchId)) record = record.withReward();
            _exits[exit.outputId] = record.withState(hasNoPlace ? ExitState.Ticket : ExitState.CancelledTicket);
            emit EntryPlaced(batchId, entry.index, exit.outputId, 0);
            emit ExitPostponed(exit.outputId, uint128(from), uint128(due));
            return;
        }
        if (state != ExitState.Ticket || !_isPayable(exit, record, halt)) revert StateUnexpected(exit.outputId, state);
        // Paid out of the older place; as much of its own is freed when the line gets there, as with shares of cancelled tickets. What is not
        // owed any more, after another share, is freed as soon as the line gets to it: it must not wait for itself to be covered.
        uint256 funded = _totals[exit.token].funded;
        uint256 owed = _tickets[exit.outputId].due - _inherited[exit.outputId];
        uint256 amount = due < owed ? due : owed;
        if (funded < from + amount) revert NotCovered(funded, from + amount);
        _inherited[exit.outputId] += amount;
        if (amount < due) _totals[exit.token].funded = uint128(funded + due - amount);
        emit EntryPlaced(batchId, entry.index, exit.outputId, uint128(amount));
        _payExit(exit, amount, 0);
        _settleOne(exit, halt);
    }

    function releaseEntry(
        Batch calldata batch,
        Shared calldata shared,
        BatchEntry calldata shownEntry,
        BatchOutput calldata shown
    ) external onlyDelegated nonReentrant {
        (bytes32 batchId,) = _requireTurned(batch);
        Entry memory entry = _requireEntry(batchId, batch, shared, shownEntry);
        uint256 voidFrom = _haltOf(_head).voidFrom;
        // Nobody can be made to serve a void block, and whatever stands in it is dead. No entry of it was paid before: the batch's turn comes
        // a whole period after the last second at which any of its blocks could become void.
        if (!_isVoid(entry.position, voidFrom)) {
            Named memory named = _name(
                batch, shared, entry, shown, _domainSeparator(), _batches[batchId].batchLockedAt()
            );
            if (!_isFree(batchId, entry, named, voidFrom)) revert EntryStands(batchId, entry.index);
        }
        _use(batchId, entry.index);
        (uint256 from, uint256 due) = _share(batchId, entry);
        uint256 funded = _totals[batch.token].funded;
        // As with a ticket: what is not covered yet cannot be freed.
        if (funded < from) revert NotCovered(funded, from);
        _totals[batch.token].funded = uint128(funded + due);
        emit EntryReleased(batchId, entry.index, entry.position, uint128(due));
        uint256 record = _batches[batchId];
        uint256 reward = RELEASE_GAS * _rewardFee();
        reward -= reward % 1 gwei;
        if (reward > record.fund()) reward = record.fund();
        if (reward == 0) return;
        _batches[batchId] = record.withFund(record.fund() - reward);
        _payEth(msg.sender, reward);
    }

    function _requireNamed(
        Batch calldata batch,
        Shared calldata shared,
        BatchEntry calldata shownEntry,
        BatchOutput calldata shown
    ) private view returns (bytes32 batchId, Entry memory entry, Named memory named, Halt memory halt) {
        uint256 record;
        (batchId, record) = _requireTurned(batch);
        entry = _requireEntry(batchId, batch, shared, shownEntry);
        named = _name(batch, shared, entry, shown, _domainSeparator(), record.batchLockedAt());
        halt = _haltOf(_head);
    }

    /// @dev A verdict passed the value on, and the place with it, whether the exit was released since or not (what was paid has no ticket). The
    /// heirs have the oldest of its places, as long as nobody has inherited of another.
    /// @param from Where a share of the output begins.
    function _isHeirsPlace(bytes32 outputId, ExitState state, uint256 from) private view returns (bool) {
        bool passedOn = state == ExitState.CancelledTicket || (state == ExitState.Settled && _tickets[outputId].due != 0);
        return passedOn && _shared[outputId] == 0 && from < _tickets[outputId].from;
    }

    /// @dev Where the vault is short a part is paid out of a ticket only: of two places that nothing was paid out of, the exit has the older one,
    /// whoever gave it the younger. What it inherited counts by its output. An exit through a dispute stands at its age's position, never here.
    function _isBetterPlace(Exit calldata exit, Entry memory entry, ExitState state, uint256 from, uint256 due)
        private
        view
        returns (bool)
    {
        Ticket memory own = _tickets[exit.outputId];
        return state == ExitState.Ticket && exit.position == entry.position && from < own.from && due == own.due
            && due == exit.amount && _totals[exit.token].funded < from + due;
    }

    /// @dev Nobody will ever be owed the share: the entry names nothing or what is dead, or its output left by another way.
    function _isFree(bytes32 batchId, Entry memory entry, Named memory named, uint256 voidFrom)
        private
        view
        returns (bool)
    {
        if (named.outputId == 0) return true;
        uint256 record = _exits[named.outputId];
        // Paid as this very entry: also where its transaction is proven invalid afterwards.
        if (record.state() == ExitState.Settled && record.matches(_entryId(batchId, entry.index))) return false;
        if (_isDead(entry.position, named.txHash, voidFrom) || record.state() == ExitState.Removed) return true;
        // Not one whose value a verdict passed on: that share is inherited, once the entry is opened.
        (uint256 from,) = _share(batchId, entry);
        return record.state() == ExitState.Settled && !record.isPassedOnUnopened()
            && !_isHeirsPlace(named.outputId, record.state(), from);
    }
}
