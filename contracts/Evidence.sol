// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BlockRecord} from "./BlockRecord.sol";
import {CompactSignature} from "./CompactSignature.sol";
import {ExitRecord} from "./ExitRecord.sol";
import {Hashing} from "./Hashing.sol";
import {Head} from "./Head.sol";
import {LifeboatBase} from "./LifeboatBase.sol";

/// @title Showing that an exiting output was spent
/// @dev Spec section 5.2. A spend counts if its block is not void, the block's anchor is older than the output's lock, the input's own
/// witness is the owner's, and the transaction was not proven invalid. Showing it removes nothing yet: until the exit's turn the
/// transaction may still be proven invalid (K6) or its block voided (P4). Pieces add up: one standing is enough, and none replaces
/// another, or an exitor could shield himself with a spend that he can disprove later.
abstract contract Evidence is LifeboatBase {
    using BlockRecord for uint256;
    using ExitRecord for uint256;
    using Head for uint256;

    /// @dev Spec 8.3: what a challenge costs by its shape, measured from 1 in 2 out to 16 in 16 out. By its shape, not by the bytes sent:
    /// those a challenger can pad.
    uint256 private constant REWARD_BASE_GAS = 64_000;
    uint256 private constant REWARD_GAS_PER_INPUT = 1_920;
    uint256 private constant REWARD_GAS_PER_OUTPUT = 2_560;
    uint256 private constant REWARD_GAS_PER_SIBLING = 640;

    /// @dev No reentrancy guard (350 gas): the payment comes last, after every effect, and 20,000 gas of a push inside another call do not
    /// reach here and through.
    function challengeStandardExit(
        Exit calldata exit,
        uint64 spend,
        Transaction calldata transaction,
        bytes calldata witnesses,
        Inclusion calldata proof,
        uint256 input
    ) external {
        uint256 record = _requireRecord(exit);
        uint256 lastMove = 0;
        if (_head.isHalted()) {
            lastMove = _halt.lastMove;
            if (_isVoid(spend, _halt.voidFrom)) revert BlockVoid(_blockOf(spend), _halt.voidFrom);
        }
        _requireOpen(exit, record, lastMove);
        _requireSpend(exit, spend, transaction, witnesses, proof, input);
        record = _record(exit.outputId, record, spend);
        uint256 reward = 0;
        uint256 rest = 0;
        if (!record.isRewarded()) {
            record = record.withReward();
            (reward, rest) = _shares(exit, transaction, proof);
        }
        _exits[exit.outputId] = record;
        emit EvidenceShown(exit.outputId, spend, msg.sender, reward);
        _credit(ETH, exit.payer, rest);
        _payEth(msg.sender, reward);
    }

    /// @dev Evidence is accepted until exitableAt - MEP/4, so that proofs against it still find a quarter of the period.
    function _requireOpen(Exit calldata exit, uint256 record, uint256 lastMove) private view {
        ExitState state = record.state();
        if (state != ExitState.Queued && state != ExitState.Ticket) revert StateUnexpected(exit.outputId, state);
        uint256 deadline = _payableAfter(exit.exitableAt, lastMove) - MIN_EXIT_PERIOD / 4;
        if (block.timestamp > deadline) revert EvidenceTooLate(block.timestamp, deadline);
    }

    function _requireSpend(
        Exit calldata exit,
        uint64 spend,
        Transaction calldata transaction,
        bytes calldata witnesses,
        Inclusion calldata proof,
        uint256 input
    ) private view {
        if (spend & 15 != 0) revert NotIncluded(spend);
        // A block anchored at or after the lock may not spend the output (V6): such a spend is the block's fault, not the exit's.
        if (proof.header.anchor >= exit.lockedAt) revert SpendTooYoung(proof.header.anchor, exit.lockedAt);
        if (transaction.inputs[input] != exit.position) revert InputMismatch(transaction.inputs[input], exit.position);
        bytes32 txHash = Hashing.transactionHash(transaction, _domainSeparator());
        uint256 blockRecord = _requireIncluded(spend, txHash, keccak256(witnesses), proof);
        if (blockRecord.hasInvalid() && _invalid[spend]) revert EvidenceUnknown(exit.outputId, spend);
        address signer = CompactSignature.recoverAt(txHash, witnesses, input);
        if (signer == address(0) || signer != exit.owner) revert WitnessForged(signer, exit.owner);
    }

    function _record(bytes32 outputId, uint256 record, uint64 spend) private returns (uint256) {
        if (!record.hasEvidence()) return record.withEvidence(spend);
        if (record.evidence() == 0) {
            if (_evidence[_evidenceId(outputId, spend)]) revert EvidenceKnown(outputId, spend);
            return record.withEvidence(spend);
        }
        bytes32 id = _evidenceId(outputId, spend);
        if (record.evidence() == spend || _evidence[id]) revert EvidenceKnown(outputId, spend);
        _evidence[id] = true;
        _moreEvidence[outputId]++;
        return record.withMore(true);
    }

    /// @dev One and a half times the cost by formula, at most the challenger's part of the bond; the rest is burnt, so that challenging
    /// oneself is no refund. For an exit that a delegate started, of an output whose spend nobody could have known, the delegate keeps
    /// what the cost leaves (R12). Burnt ETH stays here, owed to nobody.
    function _shares(Exit calldata exit, Transaction calldata transaction, Inclusion calldata proof)
        private
        view
        returns (uint256 reward, uint256 rest)
    {
        uint256 bond = exit.bond;
        uint256 fee = block.basefee > 1 gwei ? block.basefee : 1 gwei;
        bool unknowable =
            exit.payer != exit.owner && uint256(proof.header.timestamp) + REVEAL_PERIOD > exit.startedAt;
        // A bond and a base fee fit 128 bits: none of this overflows.
        unchecked {
            uint256 cost = fee
                * (REWARD_BASE_GAS + REWARD_GAS_PER_INPUT * transaction.inputs.length
                    + REWARD_GAS_PER_OUTPUT * transaction.outputs.length + REWARD_GAS_PER_SIBLING * proof.path.length);
            uint256 most = bond * CHALLENGE_GAS / BOND_GAS;
            reward = unknowable ? cost * 11 / 10 : cost * 3 / 2;
            if (reward > most) reward = most;
            if (unknowable) rest = bond - _bountyOf(bond) - reward;
        }
    }
}
