// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ExitRecord} from "./ExitRecord.sol";
import {Settling} from "./Settling.sol";

/// @title What happens to an exit after its turn if it was not paid there, and to credits
/// @dev Spec section 5.5. Each act is O(1) and permissionless; the order of calls decides nothing, the place on the line does.
abstract contract Settlement is Settling, ReentrancyGuardTransient {
    using ExitRecord for uint256;
    using SafeERC20 for IERC20;

    function settle(Exit[] calldata exits) external onlyDelegated nonReentrant returns (uint256 settled) {
        Halt memory halt = _haltOf(_head);
        for (uint256 i = 0; i < exits.length && gasleft() > TURN_GAS; i++) {
            if (_settleOne(exits[i], halt)) settled++;
        }
        if (settled == 0) revert NothingToDo();
    }

    function release(Exit calldata exit, uint64 spend, uint64 place, Included calldata shown)
        external
        onlyDelegated
        nonReentrant
    {
        uint256 record = _requireRecord(exit);
        // Its place on the line is for the outputs of the transaction that took its value (Inheritance.sol).
        if (record.state() == ExitState.CancelledTicket) return _remove(exit, record, Removal.Spent);
        if (record.state() != ExitState.Ticket) revert StateUnexpected(exit.outputId, record.state());
        Halt memory halt = _haltOf(_head);
        // Evidence is judged once it can't be disproved any more; a strike, when its batch had its turn.
        bool struck = exit.seq >= OPENED_SEQ && !record.isRewarded() && spend == record.evidence();
        bool over = block.timestamp > _payableAfter(struck ? 0 : exit.exitableAt, halt.lastMove);
        uint64 standing =
            over && _mayRemove(record, spend, shown) ? _standing(exit, record, spend, place, halt.voidFrom) : 0;
        (bool owed, Removal reason) = _judge(exit, halt.voidFrom, standing, shown.proof.header);
        if (owed) revert EvidenceNotFinal(spend);
        Ticket memory t = _tickets[exit.outputId];
        // What was paid, in part or out of another place, is not owed again where another inclusion of the output leaves.
        uint256 paid;
        // Together never more than the amount.
        unchecked {
            paid = _inherited[exit.outputId] + exit.amount - t.due;
        }
        if (paid == exit.amount) reason = Removal.Spent;
        _inherited[exit.outputId] = paid;
        delete _tickets[exit.outputId];
        // Freeing what is not covered yet would make money out of nothing for an older ticket that is short. It leaves all the same, and its
        // place is freed later: a share of the same output in an older batch may be what the line waits for.
        if (_totals[exit.token].funded < t.from) _leavePlace(exit.token, t);
        else _totals[exit.token].funded += t.due;
        _remove(exit, record, reason);
    }

    function freePlace(address token, uint128 from) external onlyDelegated {
        bytes32 id = _placeId(token, from);
        uint128 due = _tickets[id].due;
        if (due == 0) revert NothingToDo();
        uint128 funded = _totals[token].funded;
        if (funded < from) revert NotCovered(funded, from);
        _totals[token].funded = funded + due;
        delete _tickets[id];
        emit PlaceFreed(token, from, due);
    }

    function withdraw(address token, address account) external onlyDelegated nonReentrant returns (uint256 amount) {
        amount = _credits[token][account];
        if (amount == 0) revert NothingToDo();
        delete _credits[token][account];
        emit Withdrawn(token, account, amount);
        if (token != ETH) {
            IERC20(token).safeTransfer(account, amount);
        } else {
            (bool sent,) = account.call{value: amount}("");
            if (!sent) revert TransferFailed(token, account);
        }
    }

    /// @dev Not while a dispute runs; of a contested output only a spend that is shown not to be the one that was judged.
    function _mayRemove(uint256 record, uint64 spend, Included calldata shown) private view returns (bool) {
        if (record.isSuspended()) return false;
        if (!record.isContested() || spend == 0) return true;
        _requireIncluded(spend, shown.txHash, shown.witnessesHash, shown.proof);
        return _verdictOf(shown.txHash) != Verdict.NotCanonical;
    }

    /// @return The spend if it is on file as evidence against this exit and the place that it names did not fall, else 0.
    function _standing(Exit calldata exit, uint256 record, uint64 spend, uint64 place, uint256 voidFrom)
        private
        view
        returns (uint64)
    {
        if (exit.disputed == 0 && record.evidence() == spend) return spend;
        if (!_evidence[_evidenceId(record, spend, place)]) return 0;
        return place != exit.position && _isFallen(place & ~uint64(15), voidFrom) ? 0 : spend;
    }
}
