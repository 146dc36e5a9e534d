// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {CompactSignature} from "./CompactSignature.sol";
import {ExitRecord} from "./ExitRecord.sol";
import {Hashing} from "./Hashing.sol";
import {Blocks} from "./Blocks.sol";

/// @title Starting standard exits, and the mandates they may rest on
/// @dev Spec sections 5.3 and 7.
abstract contract StandardExits is Blocks, ReentrancyGuardTransient {
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

    function revokeMandates(uint64 epoch) external {
        _revoke(msg.sender, epoch);
    }

    function revokeMandatesFor(address owner, uint64 epoch, bytes calldata signature) external {
        bytes32 digest = Hashing.revocation(owner, epoch, Hashing.domainSeparator());
        address signer = CompactSignature.recover(digest, signature);
        if (signer == address(0) || signer != owner) revert WitnessForged(signer, owner);
        _revoke(owner, epoch);
    }

    function exitBond() external view returns (uint256) {
        return BOND_GAS * _bondFee();
    }

    function revokedAt(address owner, uint64 epoch) external view returns (uint256) {
        return _revokedAt[owner][epoch];
    }

    function exitRecord(bytes32 outputId)
        external
        view
        returns (bytes25 exitHash, ExitState state, uint64 evidence, bool hasMore, bool rewarded)
    {
        uint256 record = _exits[outputId];
        return (record.hashOf(), record.state(), record.evidence(), record.hasMore(), record.isRewarded());
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
        uint256 voidFrom = _head.voidFrom;
        if (_isVoid(position, voidFrom)) revert BlockVoid(_blockOf(position), voidFrom);
        bytes32 txHash = Hashing.transactionHash(transaction, Hashing.domainSeparator());
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
        address signer = CompactSignature.recover(Hashing.mandate(m, Hashing.domainSeparator()), signature);
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
        uint24 count = _blocks[blockNumber].youngCount;
        if (count == 0) _linkYoung(uint32(blockNumber), hint);
        _blocks[blockNumber].youngCount = count + 1;
        return count;
    }

    function _linkYoung(uint32 blockNumber, uint256 hint) private {
        uint32 first = _queue.youngFirst;
        uint32 newest = _queue.youngNewest;
        if (first == 0) {
            _queue.youngFirst = blockNumber;
            _queue.youngNewest = blockNumber;
        } else if (blockNumber > newest) {
            _blocks[newest].youngNext = blockNumber;
            _queue.youngNewest = blockNumber;
        } else if (blockNumber < first) {
            _blocks[blockNumber].youngNext = first;
            _queue.youngFirst = blockNumber;
        } else {
            bool usable = hint >= first && hint < blockNumber && _blocks[hint].youngCount != 0;
            uint32 previous = usable ? uint32(hint) : first;
            uint32 next = _blocks[previous].youngNext;
            for (; next < blockNumber; next = _blocks[previous].youngNext) {
                previous = next;
            }
            _blocks[blockNumber].youngNext = next;
            _blocks[previous].youngNext = blockNumber;
        }
    }

    function _revoke(address owner, uint64 epoch) private {
        if (_revokedAt[owner][epoch] != 0) return;
        _revokedAt[owner][epoch] = block.timestamp;
        emit MandatesRevoked(owner, epoch);
    }
}
