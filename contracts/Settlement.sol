// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ExitRecord} from "./ExitRecord.sol";
import {Hashing} from "./Hashing.sol";
import {Module} from "./Module.sol";

/// @title What happens to an exit after its turn if it was not paid there, and to credits
/// @dev Spec section 5.5. Each act is O(1) and permissionless; the order of calls decides nothing, the place on the line does.
abstract contract Settlement is Module, ReentrancyGuardTransient {
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
        // Evidence is judged once it can't be disproved any more.
        bool over = block.timestamp > _payableAfter(exit.exitableAt, halt.lastMove);
        uint64 standing =
            over && _mayRemove(record, spend, shown) ? _standing(exit, record, spend, place, halt.voidFrom) : 0;
        (bool owed, Removal reason) = _judge(exit, halt.voidFrom, standing, shown.proof.header);
        if (owed) revert EvidenceNotFinal(spend);
        Ticket memory t = _tickets[exit.outputId];
        Totals memory total = _totals[exit.token];
        // Releasing what is not covered yet would make money out of nothing for an older ticket that is short.
        if (total.funded < t.from) revert NotCovered(total.funded, t.from);
        total.funded += t.due;
        _totals[exit.token] = total;
        delete _tickets[exit.outputId];
        if (_inherited[exit.outputId] != 0) delete _inherited[exit.outputId];
        _remove(exit, record, reason);
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
        return exit.disputed != 0 && _isFallen(place & ~uint64(15), voidFrom) ? 0 : spend;
    }

    /// @dev Pays a ticket as far as the line is covered. What it inherited it is not owed again: its place for that much is freed.
    function _settleOne(Exit calldata exit, Halt memory halt) internal returns (bool) {
        uint256 record = _exits[exit.outputId];
        if (record.state() != ExitState.Ticket || !record.matches(Hashing.exitOf(exit))) return false;
        if (!_isPayable(exit, record, halt)) return false;
        Ticket memory t = _tickets[exit.outputId];
        uint256 funded = _totals[exit.token].funded;
        uint256 inherited = _inherited[exit.outputId];
        uint256 owed = t.due - inherited;
        if (funded < t.from || (funded == t.from && owed != 0)) return false;
        uint256 amount = funded - t.from < owed ? funded - t.from : owed;
        uint256 bond = 0;
        if (amount == owed) {
            delete _tickets[exit.outputId];
            _exits[exit.outputId] = record.withState(ExitState.Settled);
            bond = _bondLeft(exit, record);
            if (inherited != 0) {
                delete _inherited[exit.outputId];
                _totals[exit.token].funded += uint128(inherited);
            }
        } else {
            _tickets[exit.outputId] = Ticket(uint128(t.from + amount), uint128(t.due - amount));
        }
        _payExit(exit, amount, bond);
        return true;
    }

    /// @dev Its time has come, and nothing speaks against it.
    function _isPayable(Exit calldata exit, uint256 record, Halt memory halt) internal view returns (bool) {
        if (record.hasEvidence() || _isSuspended(exit, record) || _isLost(exit, halt.voidFrom)) return false;
        if (exit.disputed != 0 && _verdictOf(exit.disputed) != Verdict.Canonical) return false;
        return block.timestamp > _payableAfter(exit.exitableAt, halt.lastMove);
    }
}
