// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EvidenceRules} from "./EvidenceRules.sol";
import {ExitRecord} from "./ExitRecord.sol";
import {Head} from "./Head.sol";

/// @title Showing that an exiting output was spent
/// @dev Spec section 5.2. A spend counts if its block is not void, the block's anchor is older than the output's lock, the input's own
/// witness is the owner's, and the transaction was not proven invalid. Showing it removes nothing yet: until the exit's turn the
/// transaction may still be proven invalid (K6) or its block voided (P4). Pieces add up: one standing is enough, and none replaces
/// another, or an exitor could shield himself with a spend that he can disprove later.
abstract contract Evidence is EvidenceRules {
    using ExitRecord for uint256;
    using Head for uint256;

    /// @dev No reentrancy guard (350 gas): the payment comes last, after every effect, and 20,000 gas of a push inside another call do not
    /// reach here and through.
    function challengeStandardExit(
        Exit calldata exit,
        uint64 spend,
        Transaction calldata transaction,
        bytes calldata witnesses,
        Inclusion calldata proof,
        uint256 input
    ) external {
        if (exit.disputed != 0) revert DisputedExit(exit.disputed);
        uint256 record = _requireRecord(exit);
        uint256 lastMove = 0;
        if (_head.isHalted()) {
            Halt memory halt = _haltOf(_head);
            lastMove = halt.lastMove;
            if (_isVoid(spend, halt.voidFrom)) revert BlockVoid(_blockOf(spend), halt.voidFrom);
        }
        _requireOpen(exit, record, lastMove);
        _requireSpend(exit, exit.position, spend, transaction, witnesses, proof, input);
        record = _file(exit, record, spend);
        uint256 reward = 0;
        uint256 rest = 0;
        if (!record.isRewarded()) {
            record = record.withReward();
            (reward, rest) = _shares(exit, _challengeGas(transaction, proof.path.length), proof.header.timestamp);
        }
        _exits[exit.outputId] = record;
        emit EvidenceShown(exit.outputId, spend, msg.sender, reward);
        _credit(ETH, exit.payer, rest);
        _payEth(msg.sender, reward);
    }
}
