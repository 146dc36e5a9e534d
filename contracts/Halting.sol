// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BlockRecord} from "./BlockRecord.sol";
import {Head} from "./Head.sol";
import {Module} from "./Module.sol";

/// @title The end of the chain
/// @dev Spec section 8.4. Blocks from `voidFrom` on are void; it only ever moves down, and every move gives whatever is undecided or
/// unpaid a whole period again (lazily: `lastMove`). A move below the next block comes by the block's time + MEP; nothing that depends on
/// the block pays before its time + 2 MEP. An abandoned or closed chain voids nothing and restarts nothing.
abstract contract Halting is Module {
    using BlockRecord for uint256;
    using Head for uint256;

    uint40 private immutable ABANDON_PERIOD;

    constructor(Parameters memory p) {
        ABANDON_PERIOD = p.abandonPeriod;
    }

    /// @notice Ends a chain whose operator has been silent for ABANDON_PERIOD. Anyone.
    function haltAbandoned() external onlyDelegated {
        uint256 h = _head;
        _requireLive(h);
        uint256 after_ = h.newestTime() + ABANDON_PERIOD;
        if (block.timestamp <= after_) revert TooEarly(block.timestamp, after_);
        _end(h);
    }

    /// @notice Ends the chain in order. Only the operator.
    function closeChain() external onlyDelegated {
        uint256 h = _head;
        _requireLive(h);
        if (msg.sender != _operator) revert NotOperator(msg.sender, _operator);
        _end(h);
    }

    /// @notice Voids this block and all after it for want of its data. Only the surety, which has seen the block's header.
    function haltFrom(uint256 blockNumber, uint256 blockTime) external onlyDelegated returns (bool moved) {
        _requireSurety();
        return _haltAt(blockNumber, blockTime);
    }

    /// @notice Whether the operator's bond suffices for submitting. Only the surety.
    function setBonded(bool bonded) external onlyDelegated {
        _requireSurety();
        _head = _head.withBonded(bonded);
    }

    function _requireSurety() private view {
        if (msg.sender != _surety) revert NotSurety(msg.sender, _surety);
    }

    function _end(uint256 h) private {
        _head = h.withHalt(h.newest() + 1, 0);
        emit HaltMoved(uint32(h.newest() + 1), false);
    }

    /// @dev Voids this block and all after it, if that is still in time and not done already. The caller has shown the block's header.
    /// @return moved True if blocks became void by it.
    function _haltAt(uint256 blockNumber, uint256 blockTime) internal returns (bool moved) {
        uint256 h = _head;
        uint256 voidFrom = _haltOf(h).voidFrom;
        moved = block.timestamp <= blockTime + MIN_EXIT_PERIOD && (voidFrom == 0 || blockNumber < voidFrom);
        if (!moved) return false;
        _head = h.withHalt(blockNumber, block.timestamp);
        emit HaltMoved(uint32(blockNumber), true);
    }
}
