// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {BlockRecord} from "./BlockRecord.sol";
import {ExitStart} from "./ExitStart.sol";
import {Hashing} from "./Hashing.sol";

/// @title Starting standard exits, by the owner or by mandate
/// @dev Spec sections 5.3 and 7.
abstract contract StandardExits is ExitStart, ReentrancyGuardTransient {
    using BlockRecord for uint256;

    function startStandardExit(
        uint64 position,
        Transaction calldata transaction,
        bytes32 witnessesHash,
        Inclusion calldata proof,
        uint32 youngHint
    ) external payable nonReentrant {
        Claim memory claim = _claimOutput(position, transaction, witnessesHash, proof);
        if (msg.sender != claim.owner) revert NotOwner(msg.sender, claim.owner);
        _start(claim, youngHint, msg.value);
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
        _start(claim, youngHint, msg.value);
    }

    function startDepositExit(uint64 position, address token, uint128 amount) external payable nonReentrant {
        _start(_claimDeposit(position, msg.sender, token, amount), 0, msg.value);
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
        _start(claim, 0, msg.value);
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
        uint256 blockRecord = _requireIncluded(position, txHash, witnessesHash, proof);
        uint64 made = position & ~uint64(15);
        if (blockRecord.hasInvalid() && _invalid[made]) revert TransactionInvalid(made);
        // While the transaction is disputed, its verdict decides about this exit too; after one against it there is none.
        Verdict verdict = _verdictOf(txHash);
        if (verdict == Verdict.NotCanonical) revert VerdictUnexpected(txHash, verdict);
        uint256 amount = transaction.outputs[output].amount;
        if (amount == 0 || amount > type(uint128).max) revert AmountOutOfRange(amount);
        claim = Claim({
            outputId: Hashing.outputId(txHash, output),
            position: position,
            owner: transaction.outputs[output].owner,
            token: transaction.outputs[output].token,
            amount: uint128(amount),
            madeAt: proof.header.timestamp,
            disputed: verdict == Verdict.Running ? txHash : bytes32(0)
        });
    }

    function _claimDeposit(uint64 position, address owner, address token, uint128 amount)
        private
        view
        returns (Claim memory)
    {
        DepositRecord storage d = _deposits[position];
        if (d.l1Block == 0 || d.depositHash != Hashing.deposit(owner, token, amount)) revert DepositUnknown(position);
        return Claim(Hashing.depositId(position), position, owner, token, amount, 0, 0);
    }
}
