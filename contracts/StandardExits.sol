// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {CompactSignature} from "./CompactSignature.sol";
import {BlockRecord} from "./BlockRecord.sol";
import {ExitRecord} from "./ExitRecord.sol";
import {Hashing} from "./Hashing.sol";
import {Blocks} from "./Blocks.sol";

/// @title Starting standard exits, by the owner or by mandate
/// @dev Spec sections 5.3 and 7.
abstract contract StandardExits is Blocks, ReentrancyGuardTransient {
    using BlockRecord for uint256;
    using ExitRecord for uint256;

    /// @dev What is known of an output when its exit starts. `madeAt` is its block's time, 0 for deposits.
    struct Claim {
        bytes32 outputId;
        uint64 position;
        address owner;
        address token;
        uint128 amount;
        uint40 madeAt;
    }

    function startStandardExit(
        uint64 position,
        Transaction calldata transaction,
        bytes32 witnessesHash,
        Inclusion calldata proof,
        uint32 youngHint
    ) external payable nonReentrant {
        Claim memory claim = _claimOutput(position, transaction, witnessesHash, proof);
        if (msg.sender != claim.owner) revert NotOwner(msg.sender, claim.owner);
        _start(claim, youngHint);
    }

    function startStandardExitFor(
        uint64 position,
        Transaction calldata transaction,
        bytes32 witnessesHash,
        Inclusion calldata proof,
        uint32 youngHint,
        Mandate calldata mandate,
        bytes calldata signature
    ) external payable nonReentrant {
        Claim memory claim = _claimOutput(position, transaction, witnessesHash, proof);
        _requireMandate(claim, mandate, signature);
        _start(claim, youngHint);
    }

    function startDepositExit(uint64 position, address token, uint128 amount) external payable nonReentrant {
        _start(_claimDeposit(position, msg.sender, token, amount), 0);
    }

    function startDepositExitFor(
        uint64 position,
        address token,
        uint128 amount,
        Mandate calldata mandate,
        bytes calldata signature
    ) external payable nonReentrant {
        Claim memory claim = _claimDeposit(position, mandate.owner, token, amount);
        _requireMandate(claim, mandate, signature);
        _start(claim, 0);
    }

    function exitBond() external view returns (uint256) {
        return BOND_GAS * _bondFee();
    }

    function _claimOutput(
        uint64 position,
        Transaction calldata transaction,
        bytes32 witnessesHash,
        Inclusion calldata proof
    ) private view returns (Claim memory claim) {
        if (_isDeposit(position)) revert OutputMissing(position);
        uint256 output = position & 15;
        if (output >= transaction.outputs.length) revert OutputMissing(position);
        uint256 voidFrom = _haltOf(_head).voidFrom;
        if (_isVoid(position, voidFrom)) revert BlockVoid(_blockOf(position), voidFrom);
        bytes32 txHash = Hashing.transactionHash(transaction, _domainSeparator());
        _requireIncluded(position, txHash, witnessesHash, proof);
        uint256 amount = transaction.outputs[output].amount;
        if (amount == 0 || amount > type(uint128).max) revert AmountOutOfRange(amount);
        claim = Claim({
            outputId: Hashing.outputId(txHash, output),
            position: position,
            owner: transaction.outputs[output].owner,
            token: transaction.outputs[output].token,
            amount: uint128(amount),
            madeAt: proof.header.timestamp
        });
    }

    function _claimDeposit(uint64 position, address owner, address token, uint128 amount)
        private
        view
        returns (Claim memory)
    {
        DepositRecord storage d = _deposits[position];
        if (d.l1Block == 0 || d.depositHash != Hashing.deposit(owner, token, amount)) revert DepositUnknown(position);
        return Claim(Hashing.depositId(position), position, owner, token, amount, 0);
    }

    /// @dev The mandate is judged now, at the start; later revocations do not undo the exit.
    function _requireMandate(Claim memory claim, Mandate calldata m, bytes calldata signature) private view {
        if (m.owner != claim.owner) revert NotOwner(m.owner, claim.owner);
        if (m.delegate != address(0) && m.delegate != msg.sender) revert MandateRefused("delegate");
        if (block.timestamp < m.validFrom || block.timestamp > m.validUntil) revert MandateRefused("period");
        if (m.position != 0 && m.position != claim.position) revert MandateRefused("position");
        if (claim.amount < m.minAmount) revert MandateRefused("amount");
        if (_revokedAt[m.owner][m.epoch] != 0) revert MandateRefused("revoked");
        address signer = CompactSignature.recover(Hashing.mandate(m, _domainSeparator()), signature);
        if (signer == address(0) || signer != m.owner) revert WitnessForged(signer, m.owner);
    }

    function _start(Claim memory claim, uint32 youngHint) private {
        uint256 record = _exits[claim.outputId];
        if (record.state() != ExitState.None) revert AlreadyExiting(claim.outputId, record.state());
        // No valid output holds more than ever came in: keeps forged amounts from filling the line.
        uint128 funded = _totals[claim.token].funded;
        if (claim.amount > funded) revert NotCovered(funded, claim.amount);
        uint256 want = BOND_GAS * _bondFee();
        if (msg.value < want || msg.value > type(uint128).max) revert BondTooSmall(msg.value, want);

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
            lockedAt: uint40(block.number),
            payer: msg.sender,
            bond: uint128(msg.value)
        });
        _exits[claim.outputId] = ExitRecord.create(Hashing.exit(exit));
        _emitStarted(exit);
    }

    function _emitStarted(Exit memory e) private {
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
            e.bond
        );
    }

    /// @dev Stream B links the child blocks that have young exits, in order. A block joins before its turn can have begun: its first
    /// young exit comes by time + MEP, its turn after time + 2 MEP, and later blocks' turns not before.
    function _enqueueYoung(uint256 blockNumber, uint256 hint) private returns (uint40 seq) {
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
