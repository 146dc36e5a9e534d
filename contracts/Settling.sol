// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ExitRecord} from "./ExitRecord.sol";
import {Hashing} from "./Hashing.sol";
import {Module} from "./Module.sol";

/// @title Paying a ticket
/// @dev Spec section 5.5.
abstract contract Settling is Module {
    using ExitRecord for uint256;

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

    /// @dev Kept by where it begins, and not by its output, which may have another place or exit again. `freePlace` frees it.
    function _leavePlace(address token, Ticket memory t) internal {
        _tickets[_placeId(token, t.from)] = t;
        emit PlaceLeft(token, t.from, t.due);
    }

    /// @dev A unit of a token's line is reserved once: no two places begin at the same.
    function _placeId(address token, uint128 from) internal pure returns (bytes32) {
        return keccak256(abi.encode(token, from, "place"));
    }

    /// @dev Its time has come, and nothing speaks against it.
    function _isPayable(Exit calldata exit, uint256 record, Halt memory halt) internal view returns (bool) {
        if (record.hasEvidence() || _isSuspended(exit, record) || _isLost(exit, halt.voidFrom)) return false;
        if (exit.disputed != 0 && _verdictOf(exit.disputed) != Verdict.Canonical) return false;
        return block.timestamp > _payableAfter(exit.exitableAt, halt.lastMove);
    }
}
