// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BlockRecord} from "./BlockRecord.sol";
import {CompactSignature} from "./CompactSignature.sol";
import {DisputeRecord} from "./DisputeRecord.sol";
import {DisputedExits} from "./DisputedExits.sol";
import {ExitRecord} from "./ExitRecord.sol";
import {Hashing} from "./Hashing.sol";
import {TransactionRules} from "./TransactionRules.sol";

/// @title Disputes about a transaction whose inclusion is unknown
/// @dev Spec section 6.3. A dispute locks the transaction's inputs, collects competitors and answers, and gives one verdict; it never pays.
/// Standard exits of the inputs and, through the dispute, of the outputs wait for the verdict in their places. Pieces add up: none replaces
/// another, or somebody could shield a bad piece with one that he can disprove later.
abstract contract Disputes is DisputedExits {
    using BlockRecord for uint256;
    using DisputeRecord for uint256;
    using ExitRecord for uint256;

    /// @dev Spec 8.3: a dispute's bond in gas at F, for n inputs; most of it is what showing a competitor can earn, the rest is burnt then.
    uint256 private constant COMPETITOR_GAS = 300_000;
    uint256 private constant COMPETITOR_GAS_PER_INPUT = 8_000;
    uint256 private constant BURNT_GAS = 60_000;

    /// @dev What showing an included competitor costs by its shape.
    uint256 private constant REWARD_BASE_GAS = 92_000;
    uint256 private constant REWARD_GAS_PER_DISPUTE_INPUT = 1_400;
    uint256 private constant REWARD_GAS_PER_INPUT = 1_920;
    uint256 private constant REWARD_GAS_PER_OUTPUT = 2_560;
    uint256 private constant REWARD_GAS_PER_SIBLING = 640;

    function disputeBond(uint256 inputs) external view returns (uint256) {
        return _bondGas(inputs) * _bondFee();
    }

    function startDispute(
        Transaction calldata transaction,
        bytes calldata witnesses,
        InputProof[] calldata proofs,
        Exit[] calldata exits,
        uint256[] calldata outputs,
        uint32 youngHint,
        uint256 exitBondWei
    ) external payable onlyDelegated nonReentrant {
        if (exitBondWei > type(uint128).max || outputs.length > 16 || exitBondWei * outputs.length > msg.value) {
            revert BondTooSmall(msg.value, exitBondWei);
        }
        Dispute memory dispute =
            _startDispute(transaction, witnesses, proofs, exits, msg.value - exitBondWei * outputs.length);
        if (outputs.length == 0) return;
        Claim memory claim;
        claim.position = dispute.agePosition;
        claim.madeAt = dispute.ageTime;
        claim.disputed = dispute.txHash;
        _startOwn(claim, transaction, outputs, youngHint, exitBondWei);
    }

    function _startDispute(
        Transaction calldata transaction,
        bytes calldata witnesses,
        InputProof[] calldata proofs,
        Exit[] calldata exits,
        uint256 bond
    ) private returns (Dispute memory dispute) {
        if (!TransactionRules.isWellFormed(transaction, witnesses.length)) revert TransactionMalformed("V1");
        if (proofs.length != transaction.inputs.length) revert InputMismatch(proofs.length, transaction.inputs.length);
        uint256 want = _bondGas(proofs.length) * _bondFee();
        if (bond < want || bond > type(uint128).max) revert BondTooSmall(bond, want);
        dispute.txHash = Hashing.transactionHash(transaction, _domainSeparator());
        if (_verdictOf(dispute.txHash) != Verdict.None) {
            revert DisputeKnown(dispute.txHash, _verdictOf(dispute.txHash));
        }
        dispute.startedAt = uint40(block.timestamp);
        dispute.lockedAt = type(uint40).max;
        dispute.starter = msg.sender;
        dispute.bond = uint128(bond);
        DisputeInput[] memory inputs = new DisputeInput[](proofs.length);
        uint256 exitsUsed = 0;
        for (uint256 i = 0; i < proofs.length; i++) {
            _takeInput(dispute, inputs[i], transaction.inputs[i], proofs[i]);
            address signer = CompactSignature.recoverAt(dispute.txHash, witnesses, i);
            if (signer == address(0) || signer != inputs[i].owner) revert WitnessForged(signer, inputs[i].owner);
            exitsUsed = _lock(dispute, inputs[i], i, exits, exitsUsed);
        }
        if (!TransactionRules.isBalanced(inputs, transaction.outputs)) revert TransactionMalformed("V5");
        uint256 byStart = block.timestamp + MIN_EXIT_PERIOD;
        uint256 byBlock = dispute.ageTime == 0 ? 0 : uint256(dispute.ageTime) + 2 * uint256(MIN_EXIT_PERIOD);
        dispute.exitableAt = uint40(byBlock > byStart ? byBlock : byStart);
        dispute.inputsHash = Hashing.disputeInputs(inputs);
        _disputes[dispute.txHash].record = DisputeRecord.create(Hashing.dispute(dispute));
        emit DisputeStarted(dispute.txHash, dispute, inputs, transaction.outputs, transaction.memo, witnesses);
    }

    /// @param spends The competitor's input that the disputed transaction's `input` is.
    /// @param position Where the competitor is included; 0: nowhere, and `proof` and other inputs' witnesses are not looked at.
    function showCompetitor(
        Dispute calldata dispute,
        DisputeInput[] calldata inputs,
        uint256 input,
        Transaction calldata transaction,
        bytes calldata witnesses,
        uint256 spends,
        Place calldata made,
        uint64 position,
        Inclusion calldata proof
    ) external onlyDelegated nonReentrant {
        uint256 record = _requireRunning(dispute, MIN_EXIT_PERIOD / 2);
        _requireInputs(dispute, inputs);
        bytes32 competitor = Hashing.transactionHash(transaction, _domainSeparator());
        if (competitor == dispute.txHash) revert CompetitorRefused("the disputed transaction");
        _requireShared(inputs[input], transaction.inputs[spends], made);
        address signer = CompactSignature.recoverAt(competitor, witnesses, spends);
        if (signer == address(0) || signer != inputs[input].owner) revert WitnessForged(signer, inputs[input].owner);
        uint256 reward = 0;
        if (position == 0) {
            if (record.hasCompetitor()) revert CompetitorRefused("one is known");
        } else {
            _requirePlace(position, competitor, keccak256(witnesses), proof, inputs[input].lockedAt);
            record = _file(dispute, record, false, position);
            // What was public before the start the starter should have known. Anything else costs him nothing (M1).
            bool known = uint256(proof.header.timestamp) + REVEAL_PERIOD <= dispute.startedAt;
            if (known && !record.isFallen()) {
                record = record.withFallenBond();
                reward = _reward(dispute, inputs.length, transaction, proof);
            }
        }
        _disputes[dispute.txHash].record = record.withCompetitor();
        emit CompetitorShown(dispute.txHash, competitor, position, input, msg.sender, reward);
        _payEth(msg.sender, reward);
    }

    function answerDispute(Dispute calldata dispute, Place calldata place) external onlyDelegated nonReentrant {
        uint256 record = _requireRunning(dispute, MIN_EXIT_PERIOD / 4);
        _requirePlace(place.position, dispute.txHash, place.witnessesHash, place.proof, dispute.lockedAt);
        if (record.answer() == place.position) revert PieceKnown(dispute.txHash, place.position);
        record = record.answer() == 0 ? record.withAnswer(place.position) : _file(dispute, record, true, place.position);
        _disputes[dispute.txHash].record = record;
        emit DisputeAnswered(dispute.txHash, place.position);
    }

    /// @param competitors Further pieces, as many as fit; the verdict comes with the last of them.
    function decide(
        Dispute calldata dispute,
        DisputeInput[] calldata inputs,
        uint64[] calldata competitors,
        uint64[] calldata answers
    ) external onlyDelegated nonReentrant returns (Verdict verdict) {
        uint256 record = _requireRecordOf(dispute);
        _requireInputs(dispute, inputs);
        Halt memory halt = _haltOf(_head);
        uint256 after_ = _payableAfter(dispute.exitableAt, halt.lastMove);
        if (block.timestamp <= after_) revert DisputeUndecidable(block.timestamp, after_);
        uint256 pieces = 0;
        if (record.hasPieces()) {
            pieces = _weigh(dispute.txHash, record, competitors, answers, halt.voidFrom);
            _disputes[dispute.txHash].pieces = pieces;
            if (pieces.count() != 0) {
                if (competitors.length + answers.length == 0) revert PiecesMissing(pieces.count());
                return Verdict.Running;
            }
        }
        bool canonical = _isCanonical(record, pieces, halt.voidFrom)
            && _areInputsFree(inputs, halt.voidFrom, block.timestamp <= after_ + MAKER_PERIODS * MIN_EXIT_PERIOD);
        verdict = canonical ? Verdict.Canonical : Verdict.NotCanonical;
        _disputes[dispute.txHash].record = record.withVerdict(verdict);
        for (uint256 i = 0; i < inputs.length; i++) {
            _free(inputs[i].outputId, dispute.suspends & (1 << i) != 0, canonical);
        }
        emit DisputeDecided(dispute.txHash, verdict);
        if (!record.isFallen()) _payEth(dispute.starter, dispute.bond);
    }

    /// @dev Fills in what the input is, and the dispute's age.
    function _takeInput(
        Dispute memory dispute,
        DisputeInput memory input,
        uint64 position,
        InputProof calldata proof
    ) private view {
        input.position = position;
        if (_isDeposit(position)) {
            _takeDeposit(dispute, input, proof.transaction);
            return;
        }
        uint256 output = position & 15;
        if (output >= proof.transaction.outputs.length) revert OutputMissing(position);
        uint256 voidFrom = _haltOf(_head).voidFrom;
        if (_isVoid(position, voidFrom)) revert BlockVoid(_blockOf(position), voidFrom);
        bytes32 txHash = Hashing.transactionHash(proof.transaction, _domainSeparator());
        uint256 blockRecord = _requireIncluded(position, txHash, proof.witnessesHash, proof.proof);
        uint64 made = position & ~uint64(15);
        if (blockRecord.hasInvalid() && _invalid[made]) revert TransactionInvalid(made);
        if (_verdictOf(txHash) == Verdict.NotCanonical) revert VerdictUnexpected(txHash, Verdict.NotCanonical);
        Output calldata spent = proof.transaction.outputs[output];
        if (spent.amount == 0 || spent.amount > type(uint128).max) revert AmountOutOfRange(spent.amount);
        input.outputId = Hashing.outputId(txHash, output);
        input.madeBy = txHash;
        input.owner = spent.owner;
        input.token = spent.token;
        input.amount = uint128(spent.amount);
        // Inputs come in the order of their positions: the last that is no deposit is the youngest of those.
        dispute.agePosition = position;
        dispute.ageTime = proof.proof.header.timestamp;
    }

    function _takeDeposit(Dispute memory dispute, DisputeInput memory input, Transaction calldata shown) private view {
        DepositRecord storage d = _deposits[input.position];
        if (shown.outputs.length != 1) revert DepositUnknown(input.position);
        Output calldata spent = shown.outputs[0];
        if (d.l1Block == 0 || d.depositHash != Hashing.deposit(spent.owner, spent.token, spent.amount)) {
            revert DepositUnknown(input.position);
        }
        input.outputId = Hashing.depositId(input.position);
        input.owner = spent.owner;
        input.token = spent.token;
        input.amount = uint128(spent.amount);
        if (dispute.ageTime == 0) dispute.agePosition = input.position;
    }

    /// @dev Locks the input from its first exit action on, and lets its exit wait for the verdict: one that is there if the dispute comes
    /// by the end of evidence against it (P8), and one that starts later.
    function _lock(
        Dispute memory dispute,
        DisputeInput memory input,
        uint256 i,
        Exit[] calldata exits,
        uint256 exitsUsed
    ) private returns (uint256) {
        bytes32 outputId = input.outputId;
        uint256 record = _exits[outputId];
        ExitState state = record.state();
        bool suspends = true;
        if (state == ExitState.None) {
            record = ExitRecord.locked(block.number, 0);
            input.lockedAt = uint40(block.number);
        } else if (state == ExitState.Locked) {
            input.lockedAt = record.lockedAt();
        } else if (state == ExitState.Queued || state == ExitState.Ticket) {
            if (exitsUsed == exits.length) revert ExitMissing(outputId);
            Exit calldata exit = exits[exitsUsed++];
            if (exit.outputId != outputId || !record.matches(Hashing.exitOf(exit))) revert ExitMismatch(exit.outputId);
            uint256 lastEvidence = _payableAfter(exit.exitableAt, _haltOf(_head).lastMove) - MIN_EXIT_PERIOD / 4;
            suspends = block.timestamp <= lastEvidence;
            input.lockedAt = exit.lockedAt;
        } else if (state == ExitState.Removed) {
            revert StateUnexpected(outputId, state);
        } else {
            // Paid or passed on: the verdict can only be that it is not canonical, which the other inputs' owners may need.
            suspends = false;
            input.lockedAt = uint40(block.number);
        }
        if (suspends) {
            dispute.suspends |= uint16(1 << i);
            if (record.isRunningFull()) _moreRunning[outputId]++;
            else record = record.withDispute();
            _exits[outputId] = record;
        }
        if (input.lockedAt < dispute.lockedAt) dispute.lockedAt = input.lockedAt;
        return exitsUsed;
    }

    /// @dev Ends what the dispute did to an input's record. By a canonical verdict its value has passed on; by any other the transaction is
    /// no evidence against it any more.
    function _free(bytes32 outputId, bool suspended, bool canonical) private {
        uint256 record = _exits[outputId];
        uint256 next = record;
        if (suspended) {
            if (next.isRunningFull() && _moreRunning[outputId] != 0) _moreRunning[outputId]--;
            else next = next.withoutDispute();
        }
        if (canonical) {
            ExitState state = next.state();
            if (state == ExitState.Locked) next = next.withState(ExitState.Settled);
            else if (state == ExitState.Queued) next = next.withState(ExitState.Cancelled);
            else if (state == ExitState.Ticket) next = next.withState(ExitState.CancelledTicket);
        } else {
            next = next.withContest();
        }
        if (next != record) _exits[outputId] = next;
    }

    /// @dev No input is void, invalid, paid (even in part) or passed on by another verdict, nor was what made it judged not canonical. An input
    /// that evidence removed is free: the spend may be the disputed transaction's own.
    /// @param waits What made an input may still be judged first.
    function _areInputsFree(DisputeInput[] calldata inputs, uint256 voidFrom, bool waits) private view returns (bool) {
        bytes32 running = 0;
        for (uint256 i = 0; i < inputs.length; i++) {
            bytes32 maker = inputs[i].madeBy;
            Verdict made = maker == 0 ? Verdict.None : _verdictOf(maker);
            if (made == Verdict.NotCanonical) return false;
            if (made == Verdict.Running) running = maker;
            uint64 position = inputs[i].position;
            if (!_isDeposit(position) && _isFallen(position & ~uint64(15), voidFrom)) return false;
            bytes32 outputId = inputs[i].outputId;
            ExitState state = _exits[outputId].state();
            if (state == ExitState.Settled || state == ExitState.Cancelled || state == ExitState.CancelledTicket) return false;
            // Paid in part, out of its own place or of another.
            if (state == ExitState.Ticket && _tickets[outputId].due != inputs[i].amount) return false;
            if (_inherited[outputId] != 0) return false;
        }
        if (running != 0 && waits) revert VerdictUnexpected(running, Verdict.Running);
        return true;
    }

    /// @dev An answer older than every included competitor, where there is a competitor at all.
    function _isCanonical(uint256 record, uint256 pieces, uint256 voidFrom) private view returns (bool) {
        if (!record.hasCompetitor()) return true;
        // What was weighed in an earlier call may have fallen since.
        uint64 answer = _older(_older(0, pieces.bestAnswer(), voidFrom), record.answer(), voidFrom);
        uint64 competitor = _older(_older(0, pieces.bestCompetitor(), voidFrom), pieces.firstCompetitor(), voidFrom);
        return answer != 0 && (competitor == 0 || answer < competitor);
    }

    /// @dev The older of the best so far, which stands, and a piece, if that stands. 0 is none.
    function _older(uint64 best, uint64 piece, uint256 voidFrom) private view returns (uint64) {
        if (piece == 0 || (best != 0 && best <= piece)) return best;
        return _isFallen(piece, voidFrom) ? best : piece;
    }

    function _weigh(
        bytes32 txHash,
        uint256 record,
        uint64[] calldata competitors,
        uint64[] calldata answers,
        uint256 voidFrom
    ) private returns (uint256 pieces) {
        pieces = _disputes[txHash].pieces;
        for (uint256 i = 0; i < competitors.length; i++) {
            pieces = _weighOne(record, pieces, false, competitors[i], voidFrom);
        }
        for (uint256 i = 0; i < answers.length; i++) {
            pieces = _weighOne(record, pieces, true, answers[i], voidFrom);
        }
    }

    /// @dev A piece that is not on file is skipped: another caller may have weighed it.
    function _weighOne(uint256 record, uint256 pieces, bool isAnswer, uint64 position, uint256 voidFrom)
        private
        returns (uint256)
    {
        bytes32 id = _pieceId(record, isAnswer, position);
        if (!_evidence[id]) return pieces;
        delete _evidence[id];
        uint64 best = _older(isAnswer ? pieces.bestAnswer() : pieces.bestCompetitor(), position, voidFrom);
        return pieces.withLess().withBest(isAnswer, best);
    }

    /// @dev Keeps an included competitor, or a further answer.
    function _file(Dispute calldata dispute, uint256 record, bool isAnswer, uint64 position) private returns (uint256) {
        uint256 pieces = _disputes[dispute.txHash].pieces;
        if (!isAnswer && pieces.firstCompetitor() == 0) {
            _disputes[dispute.txHash].pieces = pieces.withFirstCompetitor(position);
            return record.withPieces();
        }
        bytes32 id = _pieceId(record, isAnswer, position);
        if (_evidence[id] || (!isAnswer && pieces.firstCompetitor() == position)) {
            revert PieceKnown(dispute.txHash, position);
        }
        _evidence[id] = true;
        _disputes[dispute.txHash].pieces = pieces.withMore();
        return record.withPieces();
    }

    /// @param record The dispute's record.
    function _pieceId(uint256 record, bool isAnswer, uint64 position) private pure returns (bytes32) {
        return keccak256(abi.encode(record.disputeHash(), isAnswer, position, "piece"));
    }

    /// @dev The competitor's input is the dispute's: by its position, or the same output at another inclusion of what made it.
    function _requireShared(DisputeInput calldata input, uint64 spent, Place calldata made) private view {
        if (spent == input.position) return;
        if (input.madeBy == 0 || (spent ^ input.position) & 15 != 0) revert InputMismatch(spent, input.position);
        _requireMade(input.madeBy, made, spent);
    }

    /// @dev The transaction stands there, in a block that is not void and was anchored before the lock, and is not proven invalid.
    function _requirePlace(
        uint64 position,
        bytes32 txHash,
        bytes32 witnessesHash,
        Inclusion calldata proof,
        uint256 lockedAt
    ) private view {
        if (position & 15 != 0) revert NotIncluded(position);
        uint256 voidFrom = _haltOf(_head).voidFrom;
        if (_isVoid(position, voidFrom)) revert BlockVoid(_blockOf(position), voidFrom);
        if (proof.header.anchor >= lockedAt) revert SpendTooYoung(proof.header.anchor, lockedAt);
        uint256 blockRecord = _requireIncluded(position, txHash, witnessesHash, proof);
        if (blockRecord.hasInvalid() && _invalid[position]) revert TransactionInvalid(position);
    }

    function _requireRecordOf(Dispute calldata dispute) private view returns (uint256 record) {
        record = _disputes[dispute.txHash].record;
        if (!record.isOfDispute(Hashing.disputeOf(dispute))) revert DisputeMismatch(dispute.txHash);
        if (record.verdict() != Verdict.Running) revert VerdictUnexpected(dispute.txHash, record.verdict());
    }

    /// @param before Seconds before the verdict at which this kind of act ends.
    function _requireRunning(Dispute calldata dispute, uint256 before) private view returns (uint256 record) {
        record = _requireRecordOf(dispute);
        uint256 deadline = _payableAfter(dispute.exitableAt, _haltOf(_head).lastMove) - before;
        if (block.timestamp > deadline) revert DisputeTooLate(block.timestamp, deadline);
    }

    function _requireInputs(Dispute calldata dispute, DisputeInput[] calldata inputs) private pure {
        if (Hashing.disputeInputsOf(inputs) != dispute.inputsHash) revert DisputeMismatch(dispute.txHash);
    }

    function _reward(Dispute calldata dispute, uint256 inputs, Transaction calldata transaction, Inclusion calldata proof)
        private
        view
        returns (uint256 reward)
    {
        uint256 gas_ = REWARD_BASE_GAS + REWARD_GAS_PER_DISPUTE_INPUT * inputs
            + REWARD_GAS_PER_INPUT * transaction.inputs.length + REWARD_GAS_PER_OUTPUT * transaction.outputs.length
            + REWARD_GAS_PER_SIBLING * proof.path.length;
        reward = _rewardFee() * gas_ * 3 / 2;
        uint256 bondGas = _bondGas(inputs);
        uint256 most = dispute.bond * (bondGas - BURNT_GAS) / bondGas;
        if (reward > most) reward = most;
    }

    function _bondGas(uint256 inputs) private pure returns (uint256) {
        return COMPETITOR_GAS + BURNT_GAS + COMPETITOR_GAS_PER_INPUT * inputs;
    }
}
