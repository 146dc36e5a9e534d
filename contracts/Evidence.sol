// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {CompactSignature} from "./CompactSignature.sol";
import {ExitRecord} from "./ExitRecord.sol";
import {Hashing} from "./Hashing.sol";
import {Module} from "./Module.sol";

/// @title Evidence that an exiting output was spent
/// @dev Spec section 5.2. A spend counts if its block is not void, the block's anchor is older than the output's lock, the input's own
/// witness is the owner's, and the transaction was not proven invalid. Pieces add up: one standing is enough, and none replaces
/// another, or an exitor could shield himself with a spend that he can disprove later.
abstract contract Evidence is Module, ReentrancyGuardTransient {
    using ExitRecord for uint256;

    /// @dev Spec 8.3: what a challenge costs by its calldata, measured from 1 in 2 out to 16 in 16 out.
    uint256 private constant REWARD_BASE_GAS = 45_000;
    uint256 private constant REWARD_GAS_PER_BYTE = 20;

    function challengeStandardExit(
        Exit calldata exit,
        uint64 spend,
        Transaction calldata transaction,
        bytes calldata witnesses,
        Inclusion calldata proof,
        uint256 input
    ) external onlyDelegated nonReentrant {
        uint256 record = _requireRecord(exit);
        _requireOpen(exit, record);
        _requireSpend(exit, spend, transaction, witnesses, proof, input);
        record = _record(exit.outputId, record, spend);
        bool removed = record.state() == ExitState.Queued && _isFinal(proof.header.timestamp);
        if (removed) record = record.withState(ExitState.Removed);
        uint256 reward = 0;
        uint256 rest = 0;
        if (!record.isRewarded()) {
            record = record.withReward();
            (reward, rest) = _shares(exit, proof.header.timestamp);
        }
        _exits[exit.outputId] = record;
        emit EvidenceShown(exit.outputId, spend, msg.sender, reward);
        if (removed) emit ExitRemoved(exit.outputId, Removal.Spent);
        _credit(ETH, exit.payer, rest);
        _payEth(msg.sender, reward);
    }

    function dropEvidence(bytes32 outputId, uint64 spend) external onlyDelegated nonReentrant {
        if (!_isVoid(spend, _head.voidFrom) && !_invalid[spend]) revert EvidenceStands(spend);
        uint256 record = _exits[outputId];
        if (record.evidence() == spend && spend != 0) {
            record = record.withEvidence(0);
        } else {
            bytes32 id = _evidenceId(outputId, spend);
            if (!_evidence[id]) revert EvidenceUnknown(outputId, spend);
            delete _evidence[id];
            record = record.withMore(--_moreEvidence[outputId] != 0);
        }
        _exits[outputId] = record;
        emit EvidenceDropped(outputId, spend);
    }

    /// @dev Evidence is accepted until exitableAt - MEP/4, so that proofs against it still find a quarter of the period.
    function _requireOpen(Exit calldata exit, uint256 record) private view {
        ExitState state = record.state();
        if (state != ExitState.Queued && state != ExitState.Ticket) revert StateUnexpected(exit.outputId, state);
        uint256 deadline = _payableAfter(exit.exitableAt, _head.lastMove) - MIN_EXIT_PERIOD / 4;
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
        uint256 voidFrom = _head.voidFrom;
        if (spend & 15 != 0 || _isDeposit(spend)) revert NotIncluded(spend);
        if (_isVoid(spend, voidFrom)) revert BlockVoid(_blockOf(spend), voidFrom);
        // A block anchored at or after the lock may not spend the output (V6): such a spend is the block's fault, not the exit's.
        if (proof.header.anchor >= exit.lockedAt) revert SpendTooYoung(proof.header.anchor, exit.lockedAt);
        if (_invalid[spend]) revert EvidenceUnknown(exit.outputId, spend);
        if (input >= transaction.inputs.length || transaction.inputs[input] != exit.position) {
            revert InputMismatch(input < transaction.inputs.length ? transaction.inputs[input] : 0, exit.position);
        }
        bytes32 txHash = Hashing.transactionHash(transaction, Hashing.domainSeparator());
        _requireIncluded(spend, txHash, keccak256(witnesses), proof);
        _requireWitness(txHash, witnesses, input, exit.owner);
    }

    function _requireWitness(bytes32 txHash, bytes calldata witnesses, uint256 input, address owner) private pure {
        if (witnesses.length < (input + 1) * 64) revert WitnessForged(address(0), owner);
        address signer = CompactSignature.recover(txHash, witnesses[input * 64:(input + 1) * 64]);
        if (signer != owner) revert WitnessForged(signer, owner);
    }

    function _record(bytes32 outputId, uint256 record, uint64 spend) private returns (uint256) {
        if (record.evidence() == 0) {
            if (record.hasMore() && _evidence[_evidenceId(outputId, spend)]) revert EvidenceKnown(outputId, spend);
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
    function _shares(Exit calldata exit, uint256 spentAt) private view returns (uint256 reward, uint256 rest) {
        uint256 most = exit.bond * CHALLENGE_GAS / BOND_GAS;
        uint256 fee = block.basefee > 1 gwei ? block.basefee : 1 gwei;
        uint256 cost = fee * (REWARD_BASE_GAS + REWARD_GAS_PER_BYTE * msg.data.length);
        bool unknowable = exit.payer != exit.owner && spentAt + REVEAL_PERIOD > exit.startedAt;
        reward = unknowable ? cost * 11 / 10 : cost * 3 / 2;
        if (reward > most) reward = most;
        if (unknowable) rest = exit.bond - _bountyOf(exit.bond) - reward;
    }
}
