// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BlockRecord} from "./BlockRecord.sol";
import {BondFee} from "./BondFee.sol";
import {CompactSignature} from "./CompactSignature.sol";
import {ExitRecord} from "./ExitRecord.sol";
import {Hashing} from "./Hashing.sol";

/// @title When a spend counts against an exit, how it is kept, and what showing it earns
/// @dev Spec sections 5.2 and 8.3. Shared by ordinary exits and those through a dispute.
abstract contract EvidenceRules is BondFee {
    using BlockRecord for uint256;
    using ExitRecord for uint256;

    /// @dev Spec 8.3: what a challenge costs by its shape, measured from 1 in 2 out to 16 in 16 out. By its shape, not by the bytes sent:
    /// those a challenger can pad.
    uint256 private constant REWARD_BASE_GAS = 64_000;
    uint256 private constant REWARD_GAS_PER_INPUT = 1_920;
    uint256 private constant REWARD_GAS_PER_OUTPUT = 2_560;
    uint256 private constant REWARD_GAS_PER_SIBLING = 640;

    /// @dev Evidence is accepted until exitableAt - MEP/4, so that proofs against it still find a quarter of the period.
    function _requireOpen(Exit calldata exit, uint256 record, uint256 lastMove) internal view {
        ExitState state = record.state();
        if (state != ExitState.Queued && state != ExitState.Ticket) revert StateUnexpected(exit.outputId, state);
        uint256 deadline = _payableAfter(exit.exitableAt, lastMove) - MIN_EXIT_PERIOD / 4;
        if (block.timestamp > deadline) revert EvidenceTooLate(block.timestamp, deadline);
    }

    /// @param place What the spend must name.
    function _requireSpend(
        Exit calldata exit,
        uint64 place,
        uint64 spend,
        Transaction calldata transaction,
        bytes calldata witnesses,
        Inclusion calldata proof,
        uint256 input
    ) internal view {
        if (spend & 15 != 0) revert NotIncluded(spend);
        // A block anchored at or after the lock may not spend the output (V6): such a spend is the block's fault, not the exit's.
        if (proof.header.anchor >= exit.lockedAt) revert SpendTooYoung(proof.header.anchor, exit.lockedAt);
        if (transaction.inputs[input] != place) revert InputMismatch(transaction.inputs[input], place);
        bytes32 txHash = Hashing.transactionHash(transaction, _domainSeparator());
        uint256 blockRecord = _requireIncluded(spend, txHash, keccak256(witnesses), proof);
        if (blockRecord.hasInvalid() && _invalid[spend]) revert EvidenceUnknown(exit.outputId, spend);
        address signer = CompactSignature.recoverAt(txHash, witnesses, input);
        if (signer == address(0) || signer != exit.owner) revert WitnessForged(signer, exit.owner);
    }

    /// @dev An output is named by what made it and not by where that stands: `place` is the output at another inclusion of the transaction.
    function _requireMade(bytes32 madeBy, Place calldata made, uint64 place) internal view {
        if (place & ~uint64(15) != made.position) revert InputMismatch(place, made.position);
        uint256 voidFrom = _haltOf(_head).voidFrom;
        if (_isVoid(made.position, voidFrom)) revert BlockVoid(_blockOf(made.position), voidFrom);
        _requireIncluded(made.position, madeBy, made.witnessesHash, made.proof);
        if (_isInvalid(made.position)) revert TransactionInvalid(made.position);
    }

    /// @dev The first piece against an ordinary exit is in its record, every other one is a slot of its own and counted.
    function _file(Exit calldata exit, uint256 record, uint64 spend) internal returns (uint256) {
        bytes32 id = _evidenceId(record, spend, exit.position);
        if (record.evidence() == spend) revert EvidenceKnown(exit.outputId, spend);
        if (record.hasMore() && _evidence[id]) revert EvidenceKnown(exit.outputId, spend);
        return record.evidence() == 0 ? record.withEvidence(spend) : _fileMore(exit.outputId, record, id);
    }

    function _fileMore(bytes32 outputId, uint256 record, bytes32 id) internal returns (uint256) {
        _evidence[id] = true;
        _moreEvidence[outputId]++;
        return record.withMore(true);
    }

    /// @dev What a challenge costs by the shape of what is shown.
    function _challengeGas(Transaction calldata transaction, uint256 siblings) internal pure returns (uint256) {
        unchecked {
            return REWARD_BASE_GAS + REWARD_GAS_PER_INPUT * transaction.inputs.length
                + REWARD_GAS_PER_OUTPUT * transaction.outputs.length + REWARD_GAS_PER_SIBLING * siblings;
        }
    }

    /// @dev One and a half times the cost by formula, at most the challenger's part of the bond; the rest is burnt, so that challenging
    /// oneself is no refund. For an exit that a delegate started, of an output whose spend nobody could have known, the delegate keeps
    /// what the cost leaves (R12). Burnt ETH stays here, owed to nobody.
    function _shares(Exit calldata exit, uint256 gas_, uint256 spendTime)
        internal
        view
        returns (uint256 reward, uint256 rest)
    {
        uint256 bond = exit.bond;
        bool unknowable = exit.payer != exit.owner && spendTime + REVEAL_PERIOD > exit.startedAt;
        // A bond and a base fee fit 128 bits: none of this overflows.
        unchecked {
            uint256 cost = _rewardFee() * gas_;
            uint256 most = bond * CHALLENGE_GAS / BOND_GAS;
            reward = unknowable ? cost * 11 / 10 : cost * 3 / 2;
            if (reward > most) reward = most;
            if (unknowable) rest = bond - _bountyOf(bond) - reward;
        }
    }
}
