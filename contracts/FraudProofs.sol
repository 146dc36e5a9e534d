// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {BatchRecord} from "./BatchRecord.sol";
import {BlockRecord} from "./BlockRecord.sol";
import {CompactSignature} from "./CompactSignature.sol";
import {Entries} from "./Entries.sol";
import {ExitRecord} from "./ExitRecord.sol";
import {Halting} from "./Halting.sol";
import {Hashing} from "./Hashing.sol";
import {TransactionRules} from "./TransactionRules.sol";

/// @title One proof for each rule that a block can break
/// @dev Spec sections 4.1 and 8.5. Each shows the offending transaction where it stands, and what its inputs are where the rule asks for
/// it. Together they are complete: a transaction whose leaf can be revealed breaks V1..V6 if and only if one of them succeeds. While
/// the block can be voided a proof halts the chain there; afterwards it records the transaction as invalid, for ever.
abstract contract FraudProofs is Halting, Entries, ReentrancyGuardTransient {
    using BatchRecord for uint256;
    using BlockRecord for uint256;
    using ExitRecord for uint256;

    /// @dev What an input is. `owner` is zero where there is nothing.
    struct Spent {
        bytes32 outputId;
        address owner;
        address token;
        uint256 amount;
    }

    /// @notice V1: the transaction or its witnesses are malformed.
    function proveMalformed(Offence calldata offence) external onlyDelegated nonReentrant {
        _requireOffence(offence);
        if (TransactionRules.isWellFormed(offence.transaction, offence.witnesses.length)) revert ProofFailed("V1");
        _convict(offence);
    }

    /// @notice V2: an input names nothing that exists before this place. For an input in an earlier block (or this one): the transaction that
    /// stands there and has no such output, or the block's header alone where the index is too great.
    function proveInputMissing(Offence calldata offence, uint256 input, InputProof calldata shown)
        external
        onlyDelegated
        nonReentrant
    {
        _requireOffence(offence);
        uint64 position = offence.transaction.inputs[input];
        if (!_isMissing(offence, position, shown)) revert ProofFailed("V2");
        _convict(offence);
    }

    /// @notice V3: an earlier transaction spent the input, with its owner's witness.
    /// @param shown The input. A forged spend is none: it must not void an honest one.
    function proveDoubleSpend(
        Offence calldata offence,
        uint256 input,
        InputProof calldata shown,
        Offence calldata earlier,
        uint256 earlierInput
    ) external onlyDelegated nonReentrant {
        _requireOffence(offence);
        bytes32 txHash = _requireOffence(earlier);
        uint64 position = offence.transaction.inputs[input];
        if (earlier.position >= offence.position || earlier.transaction.inputs[earlierInput] != position) {
            revert ProofFailed("V3");
        }
        Spent memory spent = _spentAt(position, shown);
        address signer = CompactSignature.recoverAt(txHash, earlier.witnesses, earlierInput);
        if (signer == address(0) || signer != spent.owner) revert WitnessForged(signer, spent.owner);
        _convict(offence);
    }

    /// @notice V4: the witness of an input is not its owner's.
    function proveForged(Offence calldata offence, uint256 input, InputProof calldata shown)
        external
        onlyDelegated
        nonReentrant
    {
        bytes32 txHash = _requireOffence(offence);
        Spent memory spent = _spentAt(offence.transaction.inputs[input], shown);
        address signer = CompactSignature.recoverAt(txHash, offence.witnesses, input);
        if (signer != address(0) && signer == spent.owner) revert ProofFailed("V4");
        _convict(offence);
    }

    /// @notice V5: inputs and outputs do not have the same sum of every token.
    /// @param shown One for each input, in order.
    function proveUnbalanced(Offence calldata offence, InputProof[] calldata shown) external onlyDelegated nonReentrant {
        _requireOffence(offence);
        uint64[] calldata positions = offence.transaction.inputs;
        // What is not well formed is V1's: sums of its amounts could overflow.
        if (!TransactionRules.isWellFormed(offence.transaction, offence.witnesses.length)) revert ProofFailed("V5");
        if (shown.length != positions.length) revert InputMismatch(shown.length, positions.length);
        DisputeInput[] memory inputs = new DisputeInput[](shown.length);
        for (uint256 i = 0; i < shown.length; i++) {
            Spent memory spent = _spentAt(positions[i], shown[i]);
            inputs[i].token = spent.token;
            inputs[i].amount = uint128(spent.amount);
        }
        if (TransactionRules.isBalanced(inputs, offence.transaction.outputs)) revert ProofFailed("V5");
        _convict(offence);
    }

    /// @notice V6: an input was locked in an L1 block at or before the block's anchor.
    /// @param exits The output's exit, if it ever had one; else none.
    function proveLocked(Offence calldata offence, uint256 input, InputProof calldata shown, Exit[] calldata exits)
        external
        onlyDelegated
        nonReentrant
    {
        _requireOffence(offence);
        Spent memory spent = _spentAt(offence.transaction.inputs[input], shown);
        uint256 record = _exits[spent.outputId];
        uint256 lockedAt = record.lockedAt();
        if (exits.length != 0 && record.matches(Hashing.exitOf(exits[0]))) lockedAt = exits[0].lockedAt;
        else if (!record.hasLock()) revert ExitMissing(spent.outputId);
        if (lockedAt == 0 || lockedAt > offence.proof.header.anchor) revert ProofFailed("V6");
        _convict(offence);
    }

    /// @notice V6, where the lock is that of a mass exit whose entry names the output.
    function proveLockedInBatch(
        Offence calldata offence,
        uint256 input,
        InputProof calldata shown,
        Batch calldata batch,
        Shared calldata shared,
        BatchEntry calldata shownEntry
    ) external onlyDelegated nonReentrant {
        _requireOffence(offence);
        uint64 position = offence.transaction.inputs[input];
        Spent memory spent = _spentAt(position, shown);
        (bytes32 batchId, uint256 record) = _requireLocked(batch);
        Entry memory entry = _requireEntry(batchId, batch, shared, shownEntry);
        bool names = entry.position == position && batch.token == spent.token && entry.amount == spent.amount;
        if (_isDeposit(position) && _deposits[position].l1Block >= record.batchLockedAt()) names = false;
        if (!names || record.batchLockedAt() > offence.proof.header.anchor) revert ProofFailed("V6");
        _convict(offence);
    }

    /// @dev The transaction stands where it is said to stand.
    function _requireOffence(Offence calldata offence) private view returns (bytes32 txHash) {
        if (offence.position & 15 != 0 || _isDeposit(offence.position)) revert NotIncluded(offence.position);
        txHash = Hashing.transactionHash(offence.transaction, _domainSeparator());
        _requireIncluded(offence.position, txHash, keccak256(offence.witnesses), offence.proof);
    }

    function _isMissing(Offence calldata offence, uint64 position, InputProof calldata shown) private view returns (bool) {
        if (_isDeposit(position)) {
            uint256 l1Block = _deposits[position].l1Block;
            return l1Block == 0 || l1Block > offence.proof.header.anchor;
        }
        if (position & ~uint64(15) >= offence.position) return true;
        uint256 number = _blockOf(position);
        if (number == 0) return true;
        if (!_isHeaderOf(number, shown.proof.header)) revert HeaderMismatch(number);
        if (_indexOf(position) >= shown.proof.header.txCount) return true;
        bytes32 txHash = Hashing.transactionHash(shown.transaction, _domainSeparator());
        _requireIncluded(position, txHash, shown.witnessesHash, shown.proof);
        return position & 15 >= shown.transaction.outputs.length;
    }

    /// @dev The output at a position, as what stands there says.
    function _spentAt(uint64 position, InputProof calldata shown) private view returns (Spent memory spent) {
        Output[] calldata outputs = shown.transaction.outputs;
        if (_isDeposit(position)) {
            DepositRecord storage d = _deposits[position];
            if (outputs.length != 1 || d.l1Block == 0) revert DepositUnknown(position);
            if (d.depositHash != Hashing.deposit(outputs[0].owner, outputs[0].token, outputs[0].amount)) {
                revert DepositUnknown(position);
            }
            return Spent(Hashing.depositId(position), outputs[0].owner, outputs[0].token, outputs[0].amount);
        }
        bytes32 txHash = Hashing.transactionHash(shown.transaction, _domainSeparator());
        _requireIncluded(position, txHash, shown.witnessesHash, shown.proof);
        uint256 output = position & 15;
        if (output >= outputs.length) revert OutputMissing(position);
        // An amount that V1 forbids is the fault of the transaction that made it.
        if (outputs[output].amount > type(uint128).max) revert AmountOutOfRange(outputs[output].amount);
        return Spent(Hashing.outputId(txHash, output), outputs[output].owner, outputs[output].token, outputs[output].amount);
    }

    function _convict(Offence calldata offence) private {
        uint256 number = _blockOf(offence.position);
        emit TransactionDisproved(offence.position, msg.sender);
        if (_haltAt(number, offence.proof.header.timestamp)) return;
        // What is void is so for ever, and needs no record.
        if (_isVoid(offence.position, _haltOf(_head).voidFrom) || _isInvalid(offence.position)) revert NothingToDo();
        _invalid[offence.position] = true;
        _blocks[number] = _blocks[number].withInvalid();
    }
}
