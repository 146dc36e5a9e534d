// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ExitRecord} from "./ExitRecord.sol";
import {Module} from "./Module.sol";

/// @title Taking evidence back that no longer stands
/// @dev Spec section 5.2: its block became void, or its transaction was proven invalid. Permissionless, never by the processor.
abstract contract EvidenceFall is Module, ReentrancyGuardTransient {
    using ExitRecord for uint256;

    function dropEvidence(bytes32 outputId, uint64 spend) external onlyDelegated nonReentrant {
        if (!_isVoid(spend, _haltOf(_head).voidFrom) && !_isInvalid(spend)) revert EvidenceStands(spend);
        uint256 record = _exits[outputId];
        if (record.evidence() == spend && spend != 0) {
            record = record.withEvidence(0);
        } else {
            bytes32 id = _evidenceId(outputId, spend);
            if (!_evidence[id]) revert EvidenceUnknown(outputId, spend);
            delete _evidence[id];
            record = record.withMore(--_moreEvidence[outputId] != 0);
        }
        _exits[outputId] = record;
        emit EvidenceDropped(outputId, spend);
    }
}
