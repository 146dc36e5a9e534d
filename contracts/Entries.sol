// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BatchRecord} from "./BatchRecord.sol";
import {BatchTree} from "./BatchTree.sol";
import {BlockRecord} from "./BlockRecord.sol";
import {CompactSignature} from "./CompactSignature.sol";
import {ExitRecord} from "./ExitRecord.sol";
import {Hashing} from "./Hashing.sol";
import {LifeboatBase} from "./LifeboatBase.sol";

/// @title What an entry of a mass exit is, and which output it names
/// @dev Spec section 6.4. An entry names an output if position, token and amount agree with what stands at that position; any other names
/// nothing and has no effect. Its share of the batch's place is [from + before, from + before + amount), whoever comes first.
abstract contract Entries is LifeboatBase {
    using BatchRecord for uint256;
    using BlockRecord for uint256;
    using ExitRecord for uint256;

    /// @dev A BatchEntry without its path, in memory: what stands in the tree has no dirty words, so it needs no further checks.
    struct Entry {
        uint32 index;
        uint64 position;
        uint128 amount;
        uint128 before;
    }

    /// @dev `outputId` 0: the entry names nothing. `txHash` 0: a deposit.
    struct Named {
        bytes32 outputId;
        bytes32 txHash;
        address owner;
    }

    /// @dev The batch must be locked; `record` as in BatchRecord.sol.
    function _requireLocked(Batch calldata batch) internal view returns (bytes32 batchId, uint256 record) {
        batchId = Hashing.batchOf(batch);
        record = _batches[batchId];
        if (record.stage() != BatchState.Locked) revert BatchUnexpected(batchId, record.stage());
    }

    /// @dev Its item had its turn: the entries' shares are on the line.
    function _requireTurned(Batch calldata batch) internal view returns (bytes32 batchId, uint256 record) {
        (batchId, record) = _requireLocked(batch);
        if (!_isTurned(batchId)) revert StateUnexpected(batchId, ExitState.Queued);
    }

    function _isTurned(bytes32 batchId) internal view returns (bool) {
        return _exits[batchId].state() == ExitState.Ticket;
    }

    /// @dev Assembly: the words of the leaf lie side by side in calldata; dirty ones give a hash that no batch has.
    function _requireEntry(bytes32 batchId, Batch calldata batch, Shared calldata shared, BatchEntry calldata shown)
        internal
        pure
        returns (Entry memory entry)
    {
        bytes32 leaf;
        uint256 index;
        assembly ("memory-safe") {
            calldatacopy(entry, shown, 128)
            index := mload(entry)
            leaf := keccak256(add(entry, 32), 96)
        }
        if (!BatchTree.isEntry(leaf, index, batch.count, batch.root, shared.nodes, shown.picks)) {
            revert EntryMismatch(batchId, index);
        }
    }

    /// @dev Refuses a proof that shows nothing either way.
    /// @param lockedAt Of the batch: a deposit of that L1 block or later is named by none, or a batch could lock what is not there yet.
    function _name(
        Batch calldata batch,
        Shared calldata shared,
        Entry memory entry,
        BatchOutput calldata shown,
        bytes32 separator,
        uint256 lockedAt
    ) internal view returns (Named memory named) {
        uint64 position = entry.position;
        Output[] calldata outputs = shown.transaction.outputs;
        Output calldata made;
        if (_isDeposit(position)) {
            DepositRecord storage d = _deposits[position];
            if (d.l1Block == 0 || d.l1Block >= lockedAt) return named;
            if (outputs.length != 1) revert DepositUnknown(position);
            made = outputs[0];
            if (d.depositHash != Hashing.deposit(made.owner, made.token, made.amount)) revert DepositUnknown(position);
            if (made.token != batch.token || made.amount != entry.amount) return named;
            named.outputId = Hashing.depositId(position);
        } else {
            uint256 number = _blockOf(position);
            if (number == 0) return named;
            Header calldata header = shared.headers[shown.header];
            if (!_isHeaderOf(number, header)) revert HeaderMismatch(number);
            if (_indexOf(position) >= header.txCount) return named;
            bytes32 txHash = Hashing.transactionHash(shown.transaction, separator);
            bytes32 leaf = Hashing.leaf(txHash, shown.witnessesHash);
            _requireLeaf(position, leaf, header, shared.nodes, shown.picks);
            uint256 output = position & 15;
            if (output >= outputs.length) return named;
            made = outputs[output];
            if (made.token != batch.token || made.amount != entry.amount) return named;
            named.txHash = txHash;
            named.outputId = Hashing.outputId(txHash, output);
        }
        named.owner = made.owner;
    }

    /// @dev The header is the block's, and the leaf stands in it.
    function _requireShown(
        uint64 position,
        bytes32 leaf,
        Header calldata header,
        bytes32[] calldata nodes,
        bytes calldata picks
    ) internal view {
        if (!_isHeaderOf(_blockOf(position), header)) revert HeaderMismatch(_blockOf(position));
        _requireLeaf(position, leaf, header, nodes, picks);
    }

    function _requireLeaf(
        uint64 position,
        bytes32 leaf,
        Header calldata header,
        bytes32[] calldata nodes,
        bytes calldata picks
    ) private pure {
        if (!BatchTree.isIncluded(leaf, _indexOf(position), header.txCount, header.root, nodes, picks)) {
            revert NotIncluded(position);
        }
    }

    /// @dev The output at the position is void, or what made it is proven invalid or was judged not canonical: for ever.
    function _isDead(uint64 position, bytes32 txHash, uint256 voidFrom) internal view returns (bool) {
        if (_isDeposit(position)) return false;
        return _isFallen(position & ~uint64(15), voidFrom) || _verdictOf(txHash) == Verdict.NotCanonical;
    }

    /// @dev Where the entry's share lies on the line. `due` is less than the amount only where the line was full (spec 5.5.3).
    function _share(bytes32 batchId, Entry memory entry) internal view returns (uint256 from, uint256 due) {
        Ticket memory t = _tickets[batchId];
        from = uint256(t.from) + entry.before;
        due = entry.before >= t.due ? 0 : t.due - entry.before;
        if (due > entry.amount) due = entry.amount;
    }

    /// @dev Of a strike, from the lowest bit: 160 bits challenger, 64 bits position of the spend, 32 bits its block's anchor.
    function _strikeId(bytes32 batchId, uint64 position, address signer) internal pure returns (bytes32) {
        return keccak256(abi.encode(batchId, position, signer));
    }

    /// @param lockedAt The output's own lock, which may be older than the batch's: what is anchored at or after it is V6's fault.
    /// @return Position of the spend shown against an entry of this owner, 0 for none that counts.
    function _struckBy(bytes32 batchId, uint64 position, address owner, uint256 lockedAt) internal view returns (uint64) {
        uint256 strike = _strikes[_strikeId(batchId, position, owner)];
        return strike >> 224 < lockedAt ? uint64(strike >> 160) : 0;
    }

    function _isUsed(bytes32 batchId, uint256 index) internal view returns (bool) {
        return _usedShares[batchId][index >> 8] & (1 << (index & 255)) != 0;
    }

    function _use(bytes32 batchId, uint256 index) internal {
        if (_isUsed(batchId, index)) revert EntryUsed(batchId, index);
        _usedShares[batchId][index >> 8] |= 1 << (index & 255);
    }

    /// @dev What the record of an output says that was paid as this entry.
    function _entryId(bytes32 batchId, uint256 index) internal pure returns (bytes32) {
        return keccak256(abi.encode(batchId, index));
    }

    /// @dev Of its opened entries. It names the batch; with no bond nothing is ever paid to it.
    function _payerOf(bytes32 batchId) internal pure returns (address) {
        return address(uint160(uint256(batchId)));
    }

    /// @dev Judged at the batch's start. A revocation acts MEP/8 after it was mined, so that no coordinator is to blame for one that came
    /// while his call was on its way.
    function _requireMandateOf(
        Batch calldata batch,
        Entry memory entry,
        address owner,
        Mandate calldata m,
        bytes calldata signature
    ) internal view {
        if (m.owner != owner) revert NotOwner(m.owner, owner);
        if (m.delegate != address(0) && m.delegate != batch.coordinator) revert MandateRefused("delegate");
        if (batch.startedAt < m.validFrom || batch.startedAt > m.validUntil) revert MandateRefused("period");
        if (m.position != 0 && m.position != entry.position) revert MandateRefused("position");
        if (entry.amount < m.minAmount) revert MandateRefused("amount");
        uint256 revokedAt = _revokedAt[m.owner][m.epoch];
        if (revokedAt != 0 && batch.startedAt > revokedAt + MIN_EXIT_PERIOD / 8) revert MandateRefused("revoked");
        address signer = CompactSignature.recover(Hashing.mandate(m, _domainSeparator()), signature);
        if (signer == address(0) || signer != m.owner) revert WitnessForged(signer, m.owner);
    }
}
