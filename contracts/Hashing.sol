// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ILifeboatTypes} from "./ILifeboatTypes.sol";

/// @title Hashes of the protocol: EIP-712 structs, leaves, headers, output ids
/// @dev Spec sections 1 to 3. The TypeScript twins are protocol/transaction.ts, block.ts, position.ts, exit.ts and mandate.ts; the vectors
/// in test/vectors hold both to the same values.
library Hashing {
    bytes32 internal constant DEPOSIT_TAG = keccak256("Lifeboat deposit");
    bytes32 internal constant LEAF_TAG = keccak256("Lifeboat leaf");
    bytes32 private constant OUTPUT_TYPE =
        keccak256("Output(address owner,address token,uint256 amount,bytes32 condition)");
    bytes32 private constant TRANSACTION_TYPE = keccak256(
        "Transaction(uint64[] inputs,Output[] outputs,bytes32 memo)Output(address owner,address token,uint256 amount,bytes32 condition)"
    );
    bytes32 private constant MANDATE_TYPE = keccak256(
        "Mandate(address owner,address delegate,uint64 validFrom,uint64 validUntil,uint64 position,uint128 minAmount,uint128 maxFee,uint64 epoch)"
    );
    bytes32 private constant REVOCATION_TYPE = keccak256("Revocation(address owner,uint64 epoch)");

    function domainSeparator() internal view returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Lifeboat"),
                keccak256("1"),
                block.chainid,
                address(this)
            )
        );
    }

    function typedDigest(bytes32 separator, bytes32 structHash) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", separator, structHash));
    }

    function transactionHash(ILifeboatTypes.Transaction calldata transaction, bytes32 separator)
        internal
        pure
        returns (bytes32)
    {
        bytes32[] memory outputs = new bytes32[](transaction.outputs.length);
        for (uint256 i = 0; i < outputs.length; i++) {
            ILifeboatTypes.Output calldata output = transaction.outputs[i];
            outputs[i] =
                keccak256(abi.encode(OUTPUT_TYPE, output.owner, output.token, output.amount, output.condition));
        }
        bytes32 structHash = keccak256(
            abi.encode(
                TRANSACTION_TYPE,
                keccak256(abi.encodePacked(transaction.inputs)),
                keccak256(abi.encodePacked(outputs)),
                transaction.memo
            )
        );
        return typedDigest(separator, structHash);
    }

    function leaf(bytes32 txHash, bytes32 witnessesHash) internal pure returns (bytes32) {
        return keccak256(abi.encode(LEAF_TAG, txHash, witnessesHash));
    }

    function outputId(bytes32 txHash, uint256 output) internal pure returns (bytes32) {
        return keccak256(abi.encode(txHash, output));
    }

    function depositId(uint64 position) internal pure returns (bytes32) {
        return keccak256(abi.encode(DEPOSIT_TAG, uint256(position)));
    }

    function header(ILifeboatTypes.Header memory value) internal pure returns (bytes25) {
        return bytes25(keccak256(abi.encode(value.root, value.timestamp, value.txCount, value.anchor)));
    }

    function deposit(address owner, address token, uint256 amount) internal pure returns (bytes27) {
        return bytes27(keccak256(abi.encode(owner, token, amount)));
    }

    function exit(ILifeboatTypes.Exit memory value) internal pure returns (bytes32) {
        return keccak256(abi.encode(value));
    }

    function mandate(ILifeboatTypes.Mandate calldata value, bytes32 separator) internal pure returns (bytes32) {
        return typedDigest(separator, keccak256(abi.encode(MANDATE_TYPE, value)));
    }

    function revocation(address owner, uint64 epoch, bytes32 separator) internal pure returns (bytes32) {
        return typedDigest(separator, keccak256(abi.encode(REVOCATION_TYPE, owner, epoch)));
    }
}
