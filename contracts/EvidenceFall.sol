// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ExitRecord} from "./ExitRecord.sol";
import {Module} from "./Module.sol";

/// @title Taking evidence back that no longer stands
/// @dev Spec section 5.2: its block became void, or its transaction was proven invalid. Permissionless, never by the processor.
abstract contract EvidenceFall is Module, ReentrancyGuardTransient {
    using ExitRecord for uint256;

    function dropEvidence(bytes32 outputId, uint64 spend, uint64 place) external onlyDelegated nonReentrant {
        uint256 voidFrom = _haltOf(_head).voidFrom;
        uint256 record = _exits[outputId];
        bool first = spend != 0 && record.evidence() == spend;
        // What the spend names falls only with an exit through a dispute; any other exit falls itself.
        bool fallen = _isFallen(spend, voidFrom) || (!first && _isFallen(place & ~uint64(15), voidFrom));
        if (!fallen) revert EvidenceStands(spend);
        if (first) {
            place = 0;
            record = record.withEvidence(0);
        } else {
            bytes32 id = _evidenceId(record, spend, place);
            if (!_evidence[id]) revert EvidenceUnknown(outputId, spend);
            delete _evidence[id];
            record = record.withMore(--_moreEvidence[outputId] != 0);
        }
        _exits[outputId] = record;
        emit EvidenceDropped(outputId, spend, place);
    }
}
