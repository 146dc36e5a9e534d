// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {BatchRecord} from "./BatchRecord.sol";
import {CompactSignature} from "./CompactSignature.sol";
import {ExitRecord} from "./ExitRecord.sol";
import {ExitStart} from "./ExitStart.sol";
import {Hashing} from "./Hashing.sol";
import {Module} from "./Module.sol";
import {Strikes} from "./Strikes.sol";

/// @title Entries that something has to be decided about
/// @dev Spec section 6.4.9. Opened, an entry is an ordinary exit with the batch's lock and times: evidence, disputes, verdicts, halts and
/// inheritance work as for any other. It has no turn of its own; after the batch's turn it is placed: its ticket is the entry's share.
abstract contract OpenedEntries is Module, ExitStart, Strikes, ReentrancyGuardTransient {
    using BatchRecord for uint256;
    using ExitRecord for uint256;

    /// @dev What a strike costs, usual shape. Paid when the entry is opened: only then it is known that the signer is the owner.
    uint256 private constant STRIKE_GAS = 95_000;

    function openEntry(
        Batch calldata batch,
        Shared calldata shared,
        BatchEntry calldata shownEntry,
        BatchOutput calldata shown
    ) external onlyDelegated nonReentrant {
        (bytes32 batchId, uint256 batchRecord) = _requireLocked(batch);
        bool placed = _isTurned(batchId);
        Entry memory entry = _requireEntry(batchId, batch, shared, shownEntry);
        Named memory named =
            _name(batch, shared, entry, shown, _domainSeparator(), batchRecord.batchLockedAt());
        if (named.outputId == 0) revert EntryEmpty(batchId, entry.index);
        uint256 former = _exits[named.outputId];
        // By a verdict its value went to the outputs of another transaction: the share is theirs to inherit, whenever they come.
        bool passedOn = former.isPassedOnUnopened();
        if (!passedOn && former.state() != ExitState.None && former.state() != ExitState.Locked) {
            revert AlreadyExiting(named.outputId, former.state());
        }
        if (passedOn && !placed) revert StateUnexpected(batchId, ExitState.Queued);
        Exit memory exit = _open(batchId, batchRecord, batch, entry, named, former);
        uint256 record = ExitRecord.create(Hashing.exit(exit), former);
        _emitStarted(exit);
        uint64 spend = _struckBy(batchId, exit.position, exit.owner, exit.lockedAt);
        if (msg.sender != exit.owner) {
            // By others only where something has to be decided. By a strike once an exit of hers that starts now would have its turn after the
            // batch's: before, her own place is older. By a lock alone after the turn, and where an exit fell a period later: whoever can make
            // one inclusion after the other fall would open one after the other before she does.
            bool strikes = spend != 0 && exit.exitableAt > batchRecord.exitableAt();
            bool isLocked =
                placed && former != 0 && (passedOn || block.timestamp > former.fellAt() + MIN_EXIT_PERIOD);
            if (!strikes && !isLocked) revert NotOwner(msg.sender, exit.owner);
        }
        if (spend != 0 && !passedOn) {
            bytes32 id = _evidenceId(record, spend, exit.position);
            bool isFirst = exit.disputed == 0;
            record = _fileStrike(exit.outputId, exit.disputed, isFirst, spend, id, record, exit.position);
            _payStrike(batchId, exit.position, exit.owner);
        } else {
            // Without a bond this means only: what may stand first on its file from here on is no strike (Settlement.sol).
            record = record.withReward();
        }
        if (placed) _place(batchId, entry, named.outputId);
        ExitState state = passedOn ? ExitState.CancelledTicket : placed ? ExitState.Ticket : ExitState.Queued;
        _exits[named.outputId] = record.withState(state);
    }

    /// @notice Shows that outputs at positions of a batch were spent. It needs no proof that the batch names them: what it does not name, or
    /// somebody else than its owner signed, is never looked at. The first piece for a position and signer is kept; further ones are
    /// shown against the opened entry.
    function strikeEntries(Batch calldata batch, Shared calldata shared, BatchSpend[] calldata spends)
        external
        onlyDelegated
        nonReentrant
        returns (uint256 struck)
    {
        (bytes32 batchId, uint256 record) = _requireLocked(batch);
        Halt memory halt = _haltOf(_head);
        uint256 deadline = _payableAfter(record.exitableAt(), halt.lastMove) - MIN_EXIT_PERIOD / 4;
        if (block.timestamp > deadline) revert EvidenceTooLate(block.timestamp, deadline);
        uint256 lockedAt = record.batchLockedAt();
        for (uint256 i = 0; i < spends.length; i++) {
            BatchSpend calldata spend = spends[i];
            uint64 position = spend.transaction.inputs[spend.input];
            address signer = _signerOf(spend, shared, lockedAt, halt.voidFrom);
            bytes32 id = _strikeId(batchId, position, signer);
            // One that fell shields nobody.
            if (_strikes[id] != 0 && !_isFallen(uint64(_strikes[id] >> 160), halt.voidFrom)) continue;
            uint256 anchor = shared.headers[spend.header].anchor;
            _strikes[id] = (anchor << 224) | (uint256(spend.position) << 160) | uint160(msg.sender);
            emit EntryStruck(batchId, position, spend.position, signer, msg.sender);
            struck++;
        }
        if (struck == 0) revert NothingToDo();
        if (!record.isStruck()) _batches[batchId] = record.withStrike();
    }

    /// @notice Gives an entry that was opened before the batch's turn its place on the line; removes it where it became void or invalid. A
    /// strike that came after it was opened becomes evidence against it here; for one that has its place that is all.
    function placeEntry(
        Batch calldata batch,
        Shared calldata shared,
        BatchEntry calldata shownEntry,
        Exit calldata exit
    ) external onlyDelegated nonReentrant {
        (bytes32 batchId,) = _requireTurned(batch);
        Entry memory entry = _requireEntry(batchId, batch, shared, shownEntry);
        uint256 record = _requireRecord(exit);
        if (exit.payer != _payerOf(batchId) || exit.seq != OPENED_SEQ + entry.index) {
            revert EntryMismatch(batchId, entry.index);
        }
        ExitState state = record.state();
        if (state == ExitState.Cancelled) {
            _place(batchId, entry, exit.outputId);
            _exits[exit.outputId] = record.withState(ExitState.CancelledTicket);
            return;
        }
        (uint256 carried, bool isNew) = _carryStrike(batchId, exit, entry.position, record);
        if (state == ExitState.Ticket && isNew) {
            _exits[exit.outputId] = carried;
            return;
        }
        if (state != ExitState.Queued) revert StateUnexpected(exit.outputId, state);
        (bool owed, Removal reason) = _judge(exit, _haltOf(_head).voidFrom, 0, _noHeader());
        if (!owed) return _remove(exit, carried, reason);
        _place(batchId, entry, exit.outputId);
        _exits[exit.outputId] = carried.withState(ExitState.Ticket);
    }

    function _open(
        bytes32 batchId,
        uint256 batchRecord,
        Batch calldata batch,
        Entry memory entry,
        Named memory named,
        uint256 former
    ) private view returns (Exit memory exit) {
        uint256 voidFrom = _haltOf(_head).voidFrom;
        if (_isDead(entry.position, named.txHash, voidFrom)) revert TransactionInvalid(entry.position);
        uint256 lockedAt = batchRecord.batchLockedAt();
        // A lock stays, also where a verdict passed the value on.
        if (former.state() != ExitState.None && former.lockedAt() < lockedAt) lockedAt = former.lockedAt();
        // Until now nobody could see which output a hidden block's entry names: what was spent elsewhere is shown in a period of its own.
        uint256 exitableAt = block.timestamp + MIN_EXIT_PERIOD;
        if (exitableAt < batchRecord.exitableAt()) exitableAt = batchRecord.exitableAt();
        exit = Exit({
            outputId: named.outputId,
            position: entry.position,
            owner: named.owner,
            token: batch.token,
            amount: entry.amount,
            young: false,
            seq: OPENED_SEQ + entry.index,
            startedAt: batchRecord.lockTime(),
            exitableAt: uint40(exitableAt),
            lockedAt: uint40(lockedAt),
            payer: _payerOf(batchId),
            bond: 0,
            disputed: named.txHash != 0 && _verdictOf(named.txHash) == Verdict.Running ? named.txHash : bytes32(0)
        });
    }

    /// @dev Spec 5.2.2 but for whose witness it has to be, with paths picked out of the call's nodes.
    function _signerOf(BatchSpend calldata spend, Shared calldata shared, uint256 lockedAt, uint256 voidFrom)
        private
        view
        returns (address signer)
    {
        Header calldata header = shared.headers[spend.header];
        if (spend.position & 15 != 0) revert NotIncluded(spend.position);
        if (_isVoid(spend.position, voidFrom)) revert BlockVoid(_blockOf(spend.position), voidFrom);
        if (header.anchor >= lockedAt) revert SpendTooYoung(header.anchor, lockedAt);
        bytes32 txHash = Hashing.transactionHash(spend.transaction, _domainSeparator());
        bytes32 leaf = Hashing.leaf(txHash, keccak256(spend.witnesses));
        _requireShown(spend.position, leaf, header, shared.nodes, spend.picks);
        if (_isInvalid(spend.position)) revert TransactionInvalid(spend.position);
        signer = CompactSignature.recoverAt(txHash, spend.witnesses, spend.input);
        if (signer == address(0)) revert WitnessForged(signer, signer);
    }

    /// @dev Ends the strike, which is evidence now. Out of the batch's fund, and at most what a strike costs: nobody gains by striking entries of its own.
    function _payStrike(bytes32 batchId, uint64 position, address owner) private {
        bytes32 id = _strikeId(batchId, position, owner);
        address challenger = address(uint160(_strikes[id]));
        delete _strikes[id];
        uint256 record = _batches[batchId];
        uint256 reward = STRIKE_GAS * _rewardFee();
        reward -= reward % 1 gwei;
        if (reward > record.fund()) reward = record.fund();
        if (reward == 0) return;
        _batches[batchId] = record.withFund(record.fund() - reward);
        emit StrikePaid(batchId, position, challenger, reward);
        _payEth(challenger, reward);
    }

    function _place(bytes32 batchId, Entry memory entry, bytes32 outputId) private {
        _use(batchId, entry.index);
        (uint256 from, uint256 due) = _share(batchId, entry);
        _tickets[outputId] = Ticket(uint128(from), uint128(due));
        emit EntryPlaced(batchId, entry.index, outputId, 0);
        emit ExitPostponed(outputId, uint128(from), uint128(due));
    }
}
