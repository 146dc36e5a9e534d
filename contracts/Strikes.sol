// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Entries} from "./Entries.sol";
import {EvidenceRules} from "./EvidenceRules.sol";
import {ExitRecord} from "./ExitRecord.sol";

/// @title A strike against an entry that is an exit by now
/// @dev Spec section 6.4.8. Whoever opens an entry first must not outrun its strike: the strike counts against whatever exit gets the share.
abstract contract Strikes is Entries, EvidenceRules {
    using ExitRecord for uint256;

    /// @dev Of an exit that stands for the entry's position; one through a dispute has a whole window of its own.
    /// @return The exit's record, with the strike as a piece of evidence; and whether it was not there before.
    function _carryStrike(bytes32 batchId, Exit calldata exit, uint64 position, uint256 record)
        internal
        returns (uint256, bool)
    {
        if (exit.position != position) return (record, false);
        uint64 spend = _struckBy(batchId, position, exit.owner, exit.lockedAt);
        if (spend == 0 || record.evidence() == spend) return (record, false);
        bytes32 id = _evidenceId(record, spend, position);
        if (_evidence[id]) return (record, false);
        // Once carried it stands or falls as evidence: what was dropped there is not brought back.
        delete _strikes[_strikeId(batchId, position, exit.owner)];
        bool isFirst = exit.disputed == 0 && record.evidence() == 0;
        return (_fileStrike(exit.outputId, exit.disputed, isFirst, spend, id, record, position), true);
    }

    /// @dev Where the exit hangs on a verdict, evidence goes by the place that it names.
    function _fileStrike(
        bytes32 outputId,
        bytes32 disputed,
        bool isFirst,
        uint64 spend,
        bytes32 id,
        uint256 record,
        uint64 position
    ) internal returns (uint256) {
        if (disputed != 0) emit DisputedEvidenceShown(outputId, spend, position, msg.sender, 0);
        else emit EvidenceShown(outputId, spend, msg.sender, 0);
        return isFirst ? record.withEvidence(spend) : _fileMore(outputId, record, id);
    }
}
