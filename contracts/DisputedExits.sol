// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {DisputeRecord} from "./DisputeRecord.sol";
import {EvidenceRules} from "./EvidenceRules.sol";
import {ExitRecord} from "./ExitRecord.sol";
import {ExitStart} from "./ExitStart.sol";
import {Hashing} from "./Hashing.sol";
import {Module} from "./Module.sol";

/// @title Standard exits of a disputed transaction's outputs
/// @dev Spec section 6.3. The dispute stands for the inclusion proof; the exit has the age of the transaction's youngest input, and is paid
/// only after a canonical verdict.
abstract contract DisputedExits is Module, ExitStart, EvidenceRules, ReentrancyGuardTransient {
    using DisputeRecord for uint256;
    using ExitRecord for uint256;

    /// @dev What the second inclusion proof and the slots of a piece that the record does not hold add to a challenge's cost.
    uint256 private constant REWARD_PLACE_GAS = 62_000;

    function startDisputedExits(
        Dispute calldata dispute,
        Transaction calldata transaction,
        uint256[] calldata outputs,
        uint32 youngHint
    ) external payable onlyDelegated nonReentrant {
        if (outputs.length == 0) revert NothingToDo();
        Claim memory claim = _claimDisputed(dispute, transaction);
        _startOwn(claim, transaction, outputs, youngHint, msg.value / outputs.length);
    }

    function startDisputedExitsFor(
        Dispute calldata dispute,
        Transaction calldata transaction,
        uint256[] calldata outputs,
        uint32 youngHint,
        Mandate calldata mandate,
        bytes calldata signature
    ) external payable onlyDelegated nonReentrant {
        if (outputs.length == 0) revert NothingToDo();
        Claim memory claim = _claimDisputed(dispute, transaction);
        for (uint256 i = 0; i < outputs.length; i++) {
            _takeOutput(claim, transaction, outputs[i]);
            _requireMandate(claim, mandate, signature);
            _start(claim, youngHint, msg.value / outputs.length);
        }
    }

    function challengeByPlace(
        Exit calldata exit,
        bytes32 madeBy,
        Place calldata made,
        uint64 spend,
        Transaction calldata transaction,
        bytes calldata witnesses,
        Inclusion calldata proof,
        uint256 input
    ) external onlyDelegated nonReentrant {
        uint256 record = _requireRecord(exit);
        Halt memory halt = _haltOf(_head);
        _requireOpen(exit, record, halt.lastMove);
        uint64 place = transaction.inputs[input];
        if (exit.disputed == 0 && place == exit.position) revert InputMismatch(place, place);
        if (Hashing.outputId(madeBy, place & 15) != exit.outputId) revert OutputMissing(place);
        _requireMade(madeBy, made, place);
        if (_isVoid(spend, halt.voidFrom)) revert BlockVoid(_blockOf(spend), halt.voidFrom);
        _requireSpend(exit, place, spend, transaction, witnesses, proof, input);
        bytes32 id = _evidenceId(record, spend, place);
        if (_evidence[id]) revert EvidenceKnown(exit.outputId, spend);
        record = _fileMore(exit.outputId, record, id);
        uint256 reward = 0;
        uint256 rest = 0;
        if (!record.isRewarded()) {
            record = record.withReward();
            (reward, rest) = _shares(exit, REWARD_PLACE_GAS + _challengeGas(transaction, proof.path.length), proof.header.timestamp);
        }
        _exits[exit.outputId] = record;
        emit DisputedEvidenceShown(exit.outputId, spend, place, msg.sender, reward);
        _credit(ETH, exit.payer, rest);
        _payEth(msg.sender, reward);
    }

    function _startOwn(
        Claim memory claim,
        Transaction calldata transaction,
        uint256[] calldata outputs,
        uint32 youngHint,
        uint256 bondEach
    ) internal {
        for (uint256 i = 0; i < outputs.length; i++) {
            _takeOutput(claim, transaction, outputs[i]);
            if (msg.sender != claim.owner) revert NotOwner(msg.sender, claim.owner);
            _start(claim, youngHint, bondEach);
        }
    }

    function _claimDisputed(Dispute calldata dispute, Transaction calldata transaction)
        private
        view
        returns (Claim memory claim)
    {
        bytes32 txHash = Hashing.transactionHash(transaction, _domainSeparator());
        uint256 record = _disputes[txHash].record;
        if (!record.isOfDispute(Hashing.disputeOf(dispute)) || dispute.txHash != txHash) revert DisputeMismatch(txHash);
        if (record.verdict() == Verdict.NotCanonical) revert VerdictUnexpected(txHash, Verdict.NotCanonical);
        uint256 voidFrom = _haltOf(_head).voidFrom;
        uint64 age = dispute.agePosition;
        if (_isVoid(age, voidFrom)) revert BlockVoid(_blockOf(age), voidFrom);
        claim.position = age;
        claim.madeAt = dispute.ageTime;
        claim.disputed = txHash;
    }

    function _takeOutput(Claim memory claim, Transaction calldata transaction, uint256 output) private pure {
        if (output >= transaction.outputs.length) revert OutputMissing(uint64(output));
        Output calldata taken = transaction.outputs[output];
        claim.outputId = Hashing.outputId(claim.disputed, output);
        claim.owner = taken.owner;
        claim.token = taken.token;
        // V1 was checked at the dispute's start.
        claim.amount = uint128(taken.amount);
    }
}
