// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {BlockRecord} from "./BlockRecord.sol";
import {ExitRecord} from "./ExitRecord.sol";
import {Hashing} from "./Hashing.sol";
import {LifeboatBase} from "./LifeboatBase.sol";

/// @title The one queue of all exits
/// @dev Spec section 5.4 and 5.5 (S1, S2). Stream A holds exits in order of arrival, stream B those of young child blocks, block by
/// block; each is in order of exitableAt by itself, and processing merges them, A first on a tie. At its turn an exit leaves the queue
/// for good: it reserves its due on the token's line, and is paid, or becomes a ticket that is settled or released later. A ticket
/// covers [from, from + due) of the line and is covered as far as `funded` reaches: older ones first, without a list (Settlement.sol).
abstract contract ExitQueue is LifeboatBase, ReentrancyGuardTransient {
    using BlockRecord for uint256;
    using ExitRecord for uint256;

    /// @dev Where a call stands in the four lists that its caller brought.
    struct Cursor {
        uint256 old;
        uint256 young;
        uint256 youngBlock;
        uint256 evidenceBlock;
    }

    function processExits(uint256 maxCount, Turns calldata turns) external nonReentrant returns (uint256 processed) {
        Queue memory q = _queue;
        Halt memory halt = _haltOf(_head);
        Cursor memory cursor;
        uint256 bounties = 0;
        while (processed < maxCount && gasleft() > TURN_GAS) {
            (bool found, bool young) = _next(q, turns, cursor);
            if (!found) break;
            Exit calldata exit = young ? turns.young[cursor.young++] : turns.old[cursor.old++];
            if (young) _advanceYoung(q);
            else q.oldHead++;
            _turn(exit, halt, turns, cursor);
            bounties += _bountyOf(exit.bond);
            processed++;
        }
        if (processed == 0) revert NothingToDo();
        _queue = q;
        _payEth(msg.sender, bounties);
    }

    /// @dev Whose turn it is, if the caller brought the heads of both streams and the turn has come.
    function _next(Queue memory q, Turns calldata turns, Cursor memory cursor)
        private
        view
        returns (bool found, bool young)
    {
        uint256 oldAt = type(uint256).max;
        uint256 youngAt = type(uint256).max;
        if (q.oldHead != q.oldTail) {
            if (!_seekOld(q, turns, cursor)) return (false, false);
            oldAt = turns.old[cursor.old].exitableAt;
        }
        if (q.youngFirst != 0) {
            if (!_seekYoungBlock(q, turns, cursor)) return (false, false);
            youngAt = uint256(turns.youngBlocks[cursor.youngBlock].timestamp) + 2 * uint256(MIN_EXIT_PERIOD);
        }
        young = youngAt < oldAt;
        uint256 turnAt = young ? youngAt : oldAt;
        if (turnAt == type(uint256).max || block.timestamp <= turnAt) return (false, false);
        found = !young || _seekYoung(q, turns, cursor);
    }

    /// @dev Skips what is past, so that two processors do not revert each other; true when the head of stream A is at the cursor.
    function _seekOld(Queue memory q, Turns calldata turns, Cursor memory cursor) private view returns (bool) {
        while (cursor.old < turns.old.length && turns.old[cursor.old].seq < q.oldHead) cursor.old++;
        if (cursor.old == turns.old.length) return false;
        Exit calldata exit = turns.old[cursor.old];
        return !exit.young && exit.seq == q.oldHead && _exits[exit.outputId].matches(Hashing.exitOf(exit));
    }

    function _seekYoungBlock(Queue memory q, Turns calldata turns, Cursor memory cursor) private view returns (bool) {
        while (cursor.youngBlock < turns.youngBlocks.length) {
            if (_isHeaderOf(q.youngFirst, turns.youngBlocks[cursor.youngBlock])) return true;
            cursor.youngBlock++;
        }
        return false;
    }

    function _seekYoung(Queue memory q, Turns calldata turns, Cursor memory cursor) private view returns (bool) {
        while (cursor.young < turns.young.length && _isYoungPast(q, turns.young[cursor.young])) cursor.young++;
        if (cursor.young == turns.young.length) return false;
        Exit calldata exit = turns.young[cursor.young];
        return exit.young && _blockOf(exit.position) == q.youngFirst && exit.seq == q.youngCursor
            && _exits[exit.outputId].matches(Hashing.exitOf(exit));
    }

    function _isYoungPast(Queue memory q, Exit calldata exit) private pure returns (bool) {
        uint256 blockNumber = _blockOf(exit.position);
        return blockNumber < q.youngFirst || (blockNumber == q.youngFirst && exit.seq < q.youngCursor);
    }

    function _advanceYoung(Queue memory q) private view {
        uint256 record = _blocks[q.youngFirst];
        if (++q.youngCursor < record.youngCount()) return;
        q.youngCursor = 0;
        q.youngFirst = record.youngNext();
        if (q.youngFirst == 0) q.youngNewest = 0;
    }

    /// @dev One predicate decides everything about an exit at its turn; nothing is swept before.
    function _turn(Exit calldata exit, Halt memory halt, Turns calldata turns, Cursor memory cursor) private {
        uint256 record = _exits[exit.outputId];
        if (record.state() == ExitState.Cancelled) return _remove(exit, record, Removal.Spent);
        if (record.state() != ExitState.Queued) return;
        Header calldata none = _noHeader();
        // While a dispute runs, or after one that was not canonical, the spend may be the one that is judged never to have been. After a
        // move it may be shown until shortly before the new end, and disproved until then.
        bool waits = record.isSuspended() || record.isContested()
            || block.timestamp <= _payableAfter(exit.exitableAt, halt.lastMove);
        uint64 spend = waits ? 0 : record.evidence();
        bool brought = spend != 0 && cursor.evidenceBlock < turns.evidenceBlocks.length;
        Header calldata header = brought ? turns.evidenceBlocks[cursor.evidenceBlock] : none;
        if (brought && _isHeaderOf(_blockOf(spend), header)) cursor.evidenceBlock++;
        (bool owed, Removal reason) = _judge(exit, halt.voidFrom, spend, header);
        if (!owed) return _remove(exit, record, reason);

        Totals memory total = _totals[exit.token];
        uint128 from = total.line;
        // Clipped, never reverted: a token's full line must not stop the queue of all tokens. Amounts are at most `funded` when they
        // start, so only a token whose supply nears 2^128 can get here.
        uint128 due = exit.amount > type(uint128).max - from ? type(uint128).max - from : exit.amount;
        total.line = from + due;
        _totals[exit.token] = total;
        bool ready = !record.hasEvidence() && !_isSuspended(exit, record)
            && block.timestamp > _payableAfter(exit.exitableAt, halt.lastMove) && due == exit.amount && total.line <= total.funded
            && _inherited[exit.outputId] == 0;
        if (ready) {
            _exits[exit.outputId] = record.withState(ExitState.Settled);
            _payExit(exit, exit.amount, _bondLeft(exit, record));
        } else {
            _exits[exit.outputId] = record.withState(ExitState.Ticket);
            _tickets[exit.outputId] = Ticket(from, due);
            emit ExitPostponed(exit.outputId, from, due);
        }
    }
}
