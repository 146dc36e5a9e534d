// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {CompactSignature} from "./CompactSignature.sol";
import {Hashing} from "./Hashing.sol";
import {Head} from "./Head.sol";
import {Module} from "./Module.sol";

/// @title Changing the operator's key, revoking mandates
/// @dev Spec sections 7.2 and 8.1. The operator's key is rotated by itself only, and only to a key that accepts.
abstract contract Keys is Module {
    using Head for uint256;

    function nominateOperator(address nominee) external onlyDelegated {
        if (msg.sender != _operator) revert NotOperator(msg.sender, _operator);
        _nominee = nominee;
        emit OperatorNominated(nominee);
    }

    function acceptOperator() external onlyDelegated {
        if (msg.sender != _nominee) revert NotOperator(msg.sender, _nominee);
        _operator = msg.sender;
        _wasOperator[msg.sender] = true;
        if (!_head.isHalted()) _head = _head.withOperator(msg.sender);
        delete _nominee;
        emit OperatorRotated(msg.sender);
    }

    function revokeMandates(uint64 epoch) external onlyDelegated {
        _revoke(msg.sender, epoch);
    }

    function revokeMandatesFor(address owner, uint64 epoch, bytes calldata signature) external onlyDelegated {
        bytes32 digest = Hashing.revocation(owner, epoch, _domainSeparator());
        address signer = CompactSignature.recover(digest, signature);
        if (signer == address(0) || signer != owner) revert WitnessForged(signer, owner);
        _revoke(owner, epoch);
    }

    function _revoke(address owner, uint64 epoch) private {
        if (_revokedAt[owner][epoch] != 0) return;
        _revokedAt[owner][epoch] = block.timestamp;
        emit MandatesRevoked(owner, epoch);
    }
}
