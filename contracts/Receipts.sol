// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AnchorHash} from "./AnchorHash.sol";
import {BlockTree} from "./BlockTree.sol";
import {CompactSignature} from "./CompactSignature.sol";
import {DataChallenges} from "./DataChallenges.sol";
import {Hashing} from "./Hashing.sol";
import {ILifeboatTypes} from "./ILifeboatTypes.sol";

/// @title Receipts: the operator's signed promise of a place
/// @dev Spec section 8.8. With a canonical anchor a receipt is kept or broken, nothing between: the block can only come with the anchor that
/// the receipt names, and once that is too old it can never come. Each place is slashed for once.
abstract contract Receipts is DataChallenges {
    bytes32 private constant RECEIPT_TAG = keccak256("Lifeboat receipt");
    bytes32 private constant BATCH_TYPE = keccak256("ReceiptBatch(bytes32 root,uint32 count)");
    uint256 private constant BLOCK_LIMIT = 1 << 28;

    uint256 private immutable ANCHOR_AGE_BLOCKS;

    mapping(uint256 place => bool) private _broken;

    constructor(ILifeboatTypes.Parameters memory p) {
        ANCHOR_AGE_BLOCKS = p.anchorAgeBlocks;
    }

    function breakReceipt(
        SignedReceipt calldata signed,
        ILifeboatTypes.Header calldata header,
        ILifeboatTypes.Included calldata shown
    ) external nonReentrant {
        Receipt calldata r = signed.receipt;
        _requireSigned(signed, _domainSeparator());
        bytes32 canonical = AnchorHash.read(r.anchor);
        if (canonical == 0 || canonical != r.anchorHash) revert AnchorNotCanonical(r.anchor, r.anchorHash, canonical);
        (uint32 voidFrom, uint32 newest,,,,,) = ROOT.head();
        bool neverComes = r.blockNumber == 0 || r.blockNumber >= BLOCK_LIMIT || (voidFrom != 0 && r.blockNumber >= voidFrom);
        if (!neverComes && r.blockNumber > newest) {
            if (block.number <= r.anchor + ANCHOR_AGE_BLOCKS) revert ReceiptKept("may still come");
        } else if (!neverComes) {
            _requireContradicted(r, header, shown);
        }
        _break(r);
    }

    function breakReceipts(SignedReceipt calldata a, SignedReceipt calldata b) external nonReentrant {
        bytes32 separator = _domainSeparator();
        _requireSigned(a, separator);
        _requireSigned(b, separator);
        Receipt calldata r = a.receipt;
        if (
            r.blockNumber != b.receipt.blockNumber || r.index != b.receipt.index
                || r.anchorHash != b.receipt.anchorHash || r.txHash == b.receipt.txHash
        ) revert ReceiptKept("no contradiction");
        _break(r);
    }

    function isBroken(uint32 blockNumber, uint32 index) external view returns (bool) {
        return _broken[_placeOf(blockNumber, index)];
    }

    function _requireContradicted(
        Receipt calldata r,
        ILifeboatTypes.Header calldata header,
        ILifeboatTypes.Included calldata shown
    ) private view {
        _requireHeader(r.blockNumber, header);
        if (header.anchor != r.anchor || r.index >= header.txCount) return;
        if (shown.txHash == r.txHash) revert ReceiptKept("kept");
        bytes32 leaf = Hashing.leaf(shown.txHash, shown.witnessesHash);
        if (!BlockTree.isIncluded(leaf, r.index, header.txCount, header.root, shown.proof.path)) {
            revert ReceiptKept("nothing else shown there");
        }
    }

    function _requireSigned(SignedReceipt calldata signed, bytes32 separator) private view {
        Receipt calldata r = signed.receipt;
        bytes32 leaf = keccak256(abi.encode(RECEIPT_TAG, r));
        if (!BlockTree.isIncluded(leaf, signed.place, signed.count, signed.root, signed.path)) {
            revert ReceiptMalformed("path");
        }
        bytes32 structHash = keccak256(abi.encode(BATCH_TYPE, signed.root, signed.count));
        address signer = CompactSignature.recover(Hashing.typedDigest(separator, structHash), signed.signature);
        if (!ROOT.wasOperator(signer)) revert ReceiptMalformed("signature");
    }

    function _break(Receipt calldata r) private {
        uint256 place = _placeOf(r.blockNumber, r.index);
        if (_broken[place]) revert ReceiptKnown(r.blockNumber, r.index);
        _broken[place] = true;
        emit ReceiptBroken(r.blockNumber, r.index, r.txHash, msg.sender);
        _slash(msg.sender);
    }

    function _placeOf(uint256 blockNumber, uint256 index) private pure returns (uint256) {
        return blockNumber << 32 | index;
    }
}
