// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Entries} from "./Entries.sol";
import {ExitRecord} from "./ExitRecord.sol";
import {Module} from "./Module.sol";

/// @title Taking evidence back that no longer stands
/// @dev Spec section 5.2: its block became void, or its transaction was proven invalid. Permissionless, never by the processor.
abstract contract EvidenceFall is Module, Entries, ReentrancyGuardTransient {
    using ExitRecord for uint256;

    function dropEvidence(bytes32 outputId, uint64 spend, uint64 place) external onlyDelegated nonReentrant {
        uint256 voidFrom = _haltOf(_head).voidFrom;
        // What the spend names falls only with an exit through a dispute; any other exit falls itself.
        bool fallen = _isFallen(spend, voidFrom)
            || (!_isFirst(_exits[outputId], spend) && _isFallen(place & ~uint64(15), voidFrom));
        if (!fallen) revert EvidenceStands(spend);
        _drop(outputId, spend, place);
    }

    function dropRefuted(bytes32 outputId, uint64 spend, uint64 place, Included calldata shown)
        external
        onlyDelegated
        nonReentrant
    {
        _requireIncluded(spend, shown.txHash, shown.witnessesHash, shown.proof);
        if (_verdictOf(shown.txHash) != Verdict.NotCanonical) revert EvidenceStands(spend);
        _drop(outputId, spend, place);
    }

    function _isFirst(uint256 record, uint64 spend) private pure returns (bool) {
        return spend != 0 && record.evidence() == spend;
    }

    function _drop(bytes32 outputId, uint64 spend, uint64 place) private {
        uint256 record = _exits[outputId];
        if (_isFirst(record, spend)) {
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
