// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {BatchRecord} from "./BatchRecord.sol";
import {Entries} from "./Entries.sol";
import {Hashing} from "./Hashing.sol";
import {Module} from "./Module.sol";

/// @title Taking a strike back that no longer stands
/// @dev Spec section 6.4.8.
abstract contract StrikeFall is Module, Entries, ReentrancyGuardTransient {
    using BatchRecord for uint256;

    /// @notice Takes a strike back whose block became void or whose transaction was proven invalid.
    /// @dev As long as another one still finds a quarter of the period: what shields an entry until nobody can strike it any more makes of it
    /// an entry that has to be opened, and an opened one can be challenged.
    function dropStrike(Batch calldata batch, uint64 position, address signer) external onlyDelegated nonReentrant {
        bytes32 batchId = Hashing.batchOf(batch);
        Halt memory halt = _haltOf(_head);
        uint64 spend = _struckBy(batchId, position, signer, type(uint256).max);
        if (spend == 0 || !_isFallen(spend, halt.voidFrom)) revert EvidenceStands(spend);
        uint256 deadline = _payableAfter(_batches[batchId].exitableAt(), halt.lastMove) - MIN_EXIT_PERIOD / 2;
        if (block.timestamp > deadline) revert EvidenceTooLate(block.timestamp, deadline);
        delete _strikes[_strikeId(batchId, position, signer)];
        emit StrikeDropped(batchId, position, spend, signer);
    }
}
