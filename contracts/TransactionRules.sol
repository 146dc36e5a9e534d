// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ILifeboatTypes} from "./ILifeboatTypes.sol";

/// @title V1 and V5: what can be told from a transaction and the outputs that it spends
/// @dev Spec section 4.1; protocol/validity.ts says the same.
library TransactionRules {
    uint256 private constant POSITION_LIMIT = 1 << 53;
    uint256 private constant MOST = 16;
    uint256 private constant WITNESS_SIZE = 64;

    /// @dev V1.
    function isWellFormed(ILifeboatTypes.Transaction calldata transaction, uint256 witnessesSize)
        internal
        pure
        returns (bool)
    {
        uint256 inputs = transaction.inputs.length;
        uint256 outputs = transaction.outputs.length;
        if (inputs == 0 || inputs > MOST || outputs == 0 || outputs > MOST) return false;
        if (witnessesSize != WITNESS_SIZE * inputs) return false;
        for (uint256 i = 0; i < inputs; i++) {
            if (transaction.inputs[i] >= POSITION_LIMIT) return false;
            if (i != 0 && transaction.inputs[i] <= transaction.inputs[i - 1]) return false;
        }
        for (uint256 i = 0; i < outputs; i++) {
            ILifeboatTypes.Output calldata output = transaction.outputs[i];
            if (output.owner == address(0) || output.condition != 0) return false;
            if (output.amount == 0 || output.amount > type(uint128).max) return false;
        }
        return true;
    }

    /// @dev V5, for a well-formed transaction: sums of 16 amounts below 2^128 do not overflow.
    function isBalanced(ILifeboatTypes.DisputeInput[] memory inputs, ILifeboatTypes.Output[] calldata outputs)
        internal
        pure
        returns (bool)
    {
        uint256 covered = 0;
        for (uint256 i = 0; i < inputs.length; i++) {
            address token = inputs[i].token;
            bool seen = false;
            for (uint256 k = 0; k < i && !seen; k++) seen = inputs[k].token == token;
            if (seen) continue;
            uint256 sum = 0;
            for (uint256 k = i; k < inputs.length; k++) if (inputs[k].token == token) sum += inputs[k].amount;
            for (uint256 k = 0; k < outputs.length; k++) {
                if (outputs[k].token != token) continue;
                if (outputs[k].amount > sum) return false;
                sum -= outputs[k].amount;
                covered++;
            }
            if (sum != 0) return false;
        }
        // Outputs of a token that no input has.
        return covered == outputs.length;
    }
}
