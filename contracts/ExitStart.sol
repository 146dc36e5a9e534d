// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BlockRecord} from "./BlockRecord.sol";
import {BondFee} from "./BondFee.sol";
import {CompactSignature} from "./CompactSignature.sol";
import {ExitRecord} from "./ExitRecord.sol";
import {Hashing} from "./Hashing.sol";

/// @title How an exit enters the queue, whatever showed that its output exists
/// @dev Spec sections 5.3, 5.4 and 7.
abstract contract ExitStart is BondFee {
    using BlockRecord for uint256;
    using ExitRecord for uint256;

    /// @dev What is known of an output when its exit starts. `madeAt` is its block's time, 0 for deposits; of an output of a
    /// disputed transaction, position and time are the dispute's age.
    struct Claim {
        bytes32 outputId;
        uint64 position;
        address owner;
        address token;
        uint128 amount;
        uint40 madeAt;
        bytes32 disputed;
    }

    /// @dev The mandate is judged now, at the start; later revocations do not undo the exit.
    function _requireMandate(Claim memory claim, Mandate calldata m, bytes calldata signature) internal view {
        if (m.owner != claim.owner) revert NotOwner(m.owner, claim.owner);
        if (m.delegate != address(0) && m.delegate != msg.sender) revert MandateRefused("delegate");
        if (block.timestamp < m.validFrom || block.timestamp > m.validUntil) revert MandateRefused("period");
        // An output of a disputed transaction has no position that L1 knows of.
        bool elsewhere = claim.disputed != 0 || m.position != claim.position;
        if (m.position != 0 && elsewhere) revert MandateRefused("position");
        if (claim.amount < m.minAmount) revert MandateRefused("amount");
        if (_revokedAt[m.owner][m.epoch] != 0) revert MandateRefused("revoked");
        address signer = CompactSignature.recover(Hashing.mandate(m, _domainSeparator()), signature);
        if (signer == address(0) || signer != m.owner) revert WitnessForged(signer, m.owner);
    }

    function _start(Claim memory claim, uint32 youngHint, uint256 bond) internal {
        uint256 record = _exits[claim.outputId];
        bool locked = record.state() == ExitState.Locked;
        if (!locked && record.state() != ExitState.None) revert AlreadyExiting(claim.outputId, record.state());
        // No valid output holds more than ever came in: keeps forged amounts from filling the line.
        uint128 funded = _totals[claim.token].funded;
        if (claim.amount > funded) revert NotCovered(funded, claim.amount);
        uint256 want = BOND_GAS * _bondFee();
        if (bond < want || bond > type(uint128).max) revert BondTooSmall(bond, want);

        uint256 byStart = block.timestamp + MIN_EXIT_PERIOD;
        uint256 byBlock = claim.madeAt == 0 ? 0 : uint256(claim.madeAt) + 2 * uint256(MIN_EXIT_PERIOD);
        bool young = byBlock >= byStart;
        Exit memory exit = Exit({
            outputId: claim.outputId,
            position: claim.position,
            owner: claim.owner,
            token: claim.token,
            amount: claim.amount,
            young: young,
            seq: young ? _enqueueYoung(_blockOf(claim.position), youngHint) : _queue.oldTail++,
            startedAt: uint40(block.timestamp),
            exitableAt: uint40(young ? byBlock : byStart),
            lockedAt: locked ? record.lockedAt() : uint40(block.number),
            payer: msg.sender,
            bond: uint128(bond),
            disputed: claim.disputed
        });
        _exits[claim.outputId] = ExitRecord.create(Hashing.exit(exit), record);
        _emitStarted(exit);
    }

    function _emitStarted(Exit memory e) internal {
        emit ExitStarted(
            e.outputId,
            e.position,
            e.owner,
            e.token,
            e.amount,
            e.young,
            e.seq,
            e.startedAt,
            e.exitableAt,
            e.lockedAt,
            e.payer,
            e.bond,
            e.disputed
        );
    }

    /// @dev Stream B links the child blocks that have young exits, in order. A block joins before its turn can have begun: its first
    /// young exit comes by time + MEP, its turn after time + 2 MEP, and later blocks' turns not before.
    function _enqueueYoung(uint256 blockNumber, uint256 hint) internal returns (uint40 seq) {
        uint256 record = _blocks[blockNumber];
        seq = record.youngCount();
        if (seq == 0) record = _linkYoung(uint32(blockNumber), record, hint);
        _blocks[blockNumber] = record.withYoungExit();
    }

    /// @return The block's record with its link; the caller stores it.
    function _linkYoung(uint32 blockNumber, uint256 record, uint256 hint) private returns (uint256) {
        Queue memory q = _queue;
        if (q.youngFirst == 0) {
            _queue.youngFirst = blockNumber;
            _queue.youngNewest = blockNumber;
            return record;
        }
        if (blockNumber > q.youngNewest) {
            _blocks[q.youngNewest] = _blocks[q.youngNewest].withYoungNext(blockNumber);
            _queue.youngNewest = blockNumber;
            return record;
        }
        if (blockNumber < q.youngFirst) {
            _queue.youngFirst = blockNumber;
            return record.withYoungNext(q.youngFirst);
        }
        bool usable = hint >= q.youngFirst && hint < blockNumber && _blocks[hint].youngCount() != 0;
        uint256 previous = usable ? hint : q.youngFirst;
        uint32 next = _blocks[previous].youngNext();
        for (; next < blockNumber; next = _blocks[previous].youngNext()) {
            previous = next;
        }
        _blocks[previous] = _blocks[previous].withYoungNext(blockNumber);
        return record.withYoungNext(next);
    }
}
