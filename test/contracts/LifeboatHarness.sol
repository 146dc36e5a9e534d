// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BlockRecord} from "../../contracts/BlockRecord.sol";
import {BlockTree} from "../../contracts/BlockTree.sol";
import {CompactSignature} from "../../contracts/CompactSignature.sol";
import {Hashing} from "../../contracts/Hashing.sol";
import {Head} from "../../contracts/Head.sol";
import {ILifeboatTypes} from "../../contracts/ILifeboatTypes.sol";
import {Lifeboat} from "../../contracts/Lifeboat.sol";

/// @title The root contract with the facts that later modules will establish set by hand: halts and invalid transactions
contract LifeboatHarness is Lifeboat {
    constructor(Parameters memory p, address firstOperator, address evidence, address disputes, address massExits, address entries)
        payable
        Lifeboat(p, firstOperator, evidence, disputes, massExits, entries)
    {}

    function setHalt(uint32 voidFrom, uint40 lastMove) external {
        _head = Head.withHalt(_head, voidFrom, lastMove);
    }

    function setInvalid(uint64 transactionPosition, bool invalid) external {
        _invalid[transactionPosition] = invalid;
        uint256 number = _blockOf(transactionPosition);
        _blocks[number] = BlockRecord.withInvalid(_blocks[number]);
    }

    function setFunded(address token, uint128 funded) external {
        _totals[token].funded = funded;
    }
}

/// @title The protocol's hashes and proofs, called one by one by the conformance tests
contract HashingProbe is ILifeboatTypes {
    function transactionHash(Transaction calldata transaction, bytes32 separator) external pure returns (bytes32) {
        return Hashing.transactionHash(transaction, separator);
    }

    function leaf(bytes32 txHash, bytes32 witnessesHash) external pure returns (bytes32) {
        return Hashing.leaf(txHash, witnessesHash);
    }

    function outputId(bytes32 txHash, uint256 output) external pure returns (bytes32) {
        return Hashing.outputId(txHash, output);
    }

    function depositId(uint64 position) external pure returns (bytes32) {
        return Hashing.depositId(position);
    }

    function header(Header calldata value) external pure returns (bytes32) {
        return Hashing.header(value);
    }

    function exit(Exit calldata value) external pure returns (bytes32) {
        return Hashing.exitOf(value);
    }

    function dispute(Dispute calldata value) external pure returns (bytes32) {
        return Hashing.disputeOf(value);
    }

    function disputeFromMemory(Dispute memory value) external pure returns (bytes32) {
        return Hashing.dispute(value);
    }

    function disputeInputs(DisputeInput[] calldata values) external pure returns (bytes32) {
        return Hashing.disputeInputsOf(values);
    }

    function disputeInputsFromMemory(DisputeInput[] memory values) external pure returns (bytes32) {
        return Hashing.disputeInputs(values);
    }

    function mandate(Mandate calldata value, bytes32 separator) external pure returns (bytes32) {
        return Hashing.mandate(value, separator);
    }

    function revocation(address owner, uint64 epoch, bytes32 separator) external pure returns (bytes32) {
        return Hashing.revocation(owner, epoch, separator);
    }

    function isIncluded(bytes32 leaf_, uint256 index, uint256 txCount, bytes32 root, bytes32[] calldata path)
        external
        pure
        returns (bool)
    {
        return BlockTree.isIncluded(leaf_, index, txCount, root, path);
    }

    function recover(bytes32 digest, bytes calldata signature) external pure returns (address) {
        return CompactSignature.recover(digest, signature);
    }
}
